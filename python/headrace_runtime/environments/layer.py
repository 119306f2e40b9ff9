"""One environment folder: a virtual environment that sees the runtime's own packages behind its own.

<folder>/bin/python                 the same interpreter; programs that a task starts with it see what the task sees
<folder>/lib/pythonX.Y/site-packages  what was installed, and a .pth file that leads to the layers below
<folder>/environment.json           what is in it; written last, by whoever made it
"""

from __future__ import annotations

import json
import os
import site
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any, TypeAlias

    from ..context import TaskContext

    Say: TypeAlias = Callable[[str], None]

FACTS_FILE = "environment.json"
# Sorted first: other .pth files may need what lies below.
BELOW_FILE = "_headrace_below.pth"
# Replaced in scripts when the folder gets its name.
SCRIPT_BYTES_MAX = 1024 * 1024


def base_site_packages() -> str:
    """Where the runtime's own packages are: pyspark, pandas and their company."""
    own = site.getsitepackages()[0]
    try:
        with open(os.path.join(own, BELOW_FILE), encoding="utf-8") as file:
            return file.read().split("\n")[-2]  # the lowest layer is named last
    except FileNotFoundError:
        return own


def site_packages_of(folder: str) -> str:
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    return os.path.join(folder, "lib", version, "site-packages")


def python_of(folder: str) -> str:
    return os.path.join(folder, "bin", "python")


def make_layer(folder: str, below: list[str]) -> None:
    """An empty layer above other folders of packages."""
    executable: str = getattr(sys, "_base_executable", sys.executable)
    os.makedirs(site_packages_of(folder))
    os.makedirs(os.path.join(folder, "bin"), exist_ok=True)
    for name in ("python", "python3"):
        os.symlink(executable, os.path.join(folder, "bin", name))
    with open(os.path.join(folder, "pyvenv.cfg"), "w", encoding="utf-8") as file:
        file.write(f"home = {os.path.dirname(executable)}\ninclude-system-site-packages = false\n")
        file.write(f"version = {sys.version.split()[0]}\n")
    with open(os.path.join(site_packages_of(folder), BELOW_FILE), "w", encoding="utf-8") as file:
        file.writelines(f"{path}\n" for path in below)


def move_scripts(folder: str, to: str) -> None:
    """Scripts name their interpreter by its full path, which changes when a layer that was built aside gets its name."""
    for entry in os.scandir(os.path.join(folder, "bin")):
        if entry.is_symlink() or not entry.is_file() or entry.stat().st_size > SCRIPT_BYTES_MAX:
            continue
        with open(entry.path, "rb") as file:
            content = file.read()
        moved = content.replace(os.fsencode(folder) + b"/", os.fsencode(to) + b"/")
        if moved != content:
            with open(entry.path, "wb") as file:
                file.write(moved)


def list_modules(folder: str) -> list[str]:
    """The top-level names that the layer's own packages bring."""
    names = set()
    for entry in os.scandir(site_packages_of(folder)):
        name, dot, extension = entry.name.partition(".")
        if (entry.is_dir() and not dot and name != "__pycache__") or (
            entry.is_file() and extension.endswith(("py", "so"))
        ):
            names.add(name)
    return sorted(names)


def write_facts(folder: str, facts: dict[str, Any]) -> None:
    """With the size of all that is there, by which the server bounds what is kept."""
    size = 0
    for path, _, names in os.walk(folder):
        size += sum(os.lstat(os.path.join(path, name)).st_size for name in names)
    facts = {**facts, "size_bytes": size}
    with open(os.path.join(folder, FACTS_FILE), "w", encoding="utf-8") as file:
        json.dump(facts, file, indent=1)


def read_facts(folder: str) -> dict[str, Any] | None:
    """None when there is no such environment."""
    try:
        with open(os.path.join(folder, FACTS_FILE), encoding="utf-8") as file:
            facts: dict[str, Any] = json.load(file)
            return facts
    except (OSError, ValueError):
        return None


def is_inside(folder: str) -> bool:
    """Whether this process was started with the layer's own interpreter."""
    return os.path.realpath(sys.prefix) == os.path.realpath(folder)


def is_inside_any() -> bool:
    """Whether this process was started with some layer's interpreter: a zygote's guess may have been wrong."""
    return os.path.exists(os.path.join(site.getsitepackages()[0], BELOW_FILE))


def find_overridden(folder: str, modules: Iterable[str]) -> list[str]:
    """Modules of the layer that this process has loaded from elsewhere: it would never see the layer's."""
    return [name for name in modules if _is_from_elsewhere(sys.modules.get(name), folder)]


def _is_from_elsewhere(module: Any, folder: str) -> bool:
    origin = getattr(module, "__file__", None)
    return origin is not None and not os.path.abspath(origin).startswith(folder + os.sep)


def enter_layer(context: TaskContext, folder: str) -> None:
    """Make this process, what it starts and its Python workers see the layer's packages before the runtime's."""
    if not is_inside(folder):
        _put_on_path(site_packages_of(folder))
    sys.executable = python_of(folder)
    spawning: Any = sys.modules.get("multiprocessing.spawn")
    if spawning is not None:
        spawning.set_executable(sys.executable)
    os.environ["VIRTUAL_ENV"] = folder
    programs = os.path.join(folder, "bin")
    path = os.environ.get("PATH", os.defpath).split(os.pathsep)
    os.environ["PATH"] = os.pathsep.join([programs, *(entry for entry in path if entry != programs)])
    context.use_python(sys.executable, list(_paths_of(folder)))


def _put_on_path(packages: str) -> None:
    """As the interpreter does at its start: .pth files are read, and the standard library stays first."""
    before = list(sys.path)
    site.addsitedir(packages)
    added = [entry for entry in sys.path if entry not in before]
    place = next((index for index, entry in enumerate(before) if entry.endswith("-packages")), len(before))
    sys.path[:] = [*before[:place], *added, *before[place:]]
    importlib: Any = sys.modules.get("importlib")
    if importlib is not None:
        importlib.invalidate_caches()


def _paths_of(folder: str) -> Iterator[str]:
    inside = folder + os.sep
    for entry in sys.path:
        if entry.startswith(inside):
            yield entry
