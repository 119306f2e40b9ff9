"""spark_python_task: runs a file as `python file.py` would, in this process."""

from __future__ import annotations

import os
import sys

from .failures import TaskFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from .context import TaskContext
    from .documents import FileTask


def run_python_file(context: TaskContext, task: FileTask, module: ModuleType) -> None:
    file = _find_file(context, task["python_file"])
    folder = os.path.dirname(file)
    sys.argv = [file, *task["parameters"]]
    sys.path.insert(0, folder)
    if file.startswith(context.paths.workspace + os.sep):
        os.chdir(folder)
    with open(file, "rb") as opened:
        source = opened.read()
    code = compile(source, file, "exec", dont_inherit=True)
    module.__file__ = file
    exec(code, module.__dict__)


def _find_file(context: TaskContext, name: str) -> str:
    """With or without `.py`: a file that is a notebook lost its extension in the workspace."""
    real = context.paths.locate_code(name)
    if real is not None:
        for candidate in (real, real + ".py", real.removesuffix(".py")):
            if os.path.isfile(candidate):
                return candidate
    raise TaskFailure("RESOURCE_NOT_FOUND", f"Python file {name} does not exist")
