"""`%pip`: packages of this notebook alone, in a layer of the attempt above its environment.

The layer is the attempt's own, so every command of pip works in it, and `dbutils.library.restartPython()` starts its
interpreter. It goes when the task ends.
"""

from __future__ import annotations

import os
import shlex
import sys

from ..environments import layer
from ..environments.installers import FIXED, InstallError, describe_failure, run_installer
from ..failures import TaskFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..context import TaskContext

FOLDER = "environment"
_CHANGING = ("install", "uninstall")


def own_layer(context: TaskContext) -> str:
    """Where the notebook's own packages are, if it has any."""
    return os.path.join(context.folder, FOLDER)


def run_pip(line: str, context: TaskContext) -> None:
    """`%pip install …` and every other command of pip, on the notebook's own layer."""
    words = shlex.split(line)
    folder = own_layer(context)
    if layer.read_facts(folder) is None:
        _make(context, folder)
    command = [layer.python_of(folder), "-m", "pip", *(_translate(word, context) for word in words)]
    if words[:1] == ["install"]:
        command += ["-c", os.path.join(folder, "constraints.txt"), "--progress-bar=off", "--root-user-action=ignore"]
    elif words[:1] == ["uninstall"]:
        command.append("--yes")
    try:
        run_installer(command, {"PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}, _tell(context))
    except InstallError as error:
        message = describe_failure([f"%pip {line.strip()}"], error, context.paths.show).message
        failure = message.removeprefix("library ").replace(" could not be installed: ", " failed: ", 1)
        raise TaskFailure("LIBRARY_INSTALLATION_ERROR", failure) from None
    if words[:1] and words[0] in _CHANGING:
        layer.enter_layer(context, folder)
        _advise(folder)


def remove(context: TaskContext) -> None:
    """Nobody else uses them, and the attempt's files are kept for long."""
    folder = own_layer(context)
    if os.path.isdir(folder):
        import shutil

        shutil.rmtree(folder, ignore_errors=True)


def _make(context: TaskContext, folder: str) -> None:
    from ..environments.distributions import list_distributions

    base = layer.base_site_packages()
    below = [] if context.environment is None else [layer.site_packages_of(context.environment)]
    layer.make_layer(folder, [*below, base])
    there = list_distributions(base)
    with open(os.path.join(folder, "constraints.txt"), "w", encoding="utf-8") as file:
        file.writelines(f"{name}=={there[name].version}\n" for name in FIXED if name in there)
    layer.write_facts(folder, {"modules": []})


def _tell(context: TaskContext) -> layer.Say:
    return lambda line: print(context.paths.show(line))


def _advise(folder: str) -> None:
    overridden = layer.find_overridden(folder, layer.list_modules(folder))
    if overridden:
        names = ", ".join(overridden[:5])
        print(
            f"Note: {names} is loaded in another version; call dbutils.library.restartPython() to use the new one",
            file=sys.stderr,
        )


def _translate(word: str, context: TaskContext) -> str:
    if word.startswith("-"):
        return word
    return context.paths.locate_hosted(word)
