"""Replaces the image of the task's process: same process, same attempt, a fresh interpreter that has loaded nothing.

What the process was given and has used up goes along in its environment: the right to attach to Spark, or the gateway
that it has already. `launch` finds it there and takes it out again.
"""

from __future__ import annotations

import os
import sys

from . import attach, known_secrets
from .environments.layer import python_of
from .processes import ATTEMPT_MARK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from .context import TaskContext

_PACKAGE_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# Set while a fresh image starts: it began before, and must not begin a third time.
FRESH_VARIABLE = "HEADRACE_FRESH_IMAGE"


def is_fresh_image() -> bool:
    """Whether this process has begun before."""
    return FRESH_VARIABLE in os.environ


def continue_in(context: TaskContext, folder: str | None) -> NoReturn:
    """Run the attempt anew, with the interpreter of an environment (or the runtime's own)."""
    python = sys.executable if folder is None else python_of(folder)
    _tell_host(context, folder)
    environment = dict(os.environ)
    environment.update(attach.credentials_to_pass_on())
    environment.update(known_secrets.pass_on())
    environment[FRESH_VARIABLE] = "1"
    environment[ATTEMPT_MARK] = os.environ.get(ATTEMPT_MARK, context.folder)
    # Leads to this package and, unlike a path of the environment's, is taken out of `sys.path` again.
    environment["PYTHONPATH"] = _PACKAGE_ROOT
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os.chdir(os.path.join(context.folder, "work"))
    os.execve(python, [python, "-s", "-m", f"{__package__}.launch", context.folder], environment)


def _tell_host(context: TaskContext, folder: str | None) -> None:
    """Tasks like this one may get a zygote that has the environment already. Without an answer this one goes on."""
    if folder is None or folder != context.environment:
        return
    try:
        attach.ask_host({"op": "environment", "folder": folder, "libraries": context.attempt["libraries"]})
    except (OSError, ValueError):
        pass  # only speed is lost
