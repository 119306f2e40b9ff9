"""Magics of notebooks beside Python, SQL and Markdown: `%sh`, `%fs`, `%pip`, and those that are refused."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys

from .. import display
from ..failures import TaskFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..context import TaskContext

_REFUSED = {
    "scala": "Scala cells are not supported: Headrace runs Python and SQL notebooks",
    "r": "R cells are not supported: Headrace runs Python and SQL notebooks",
    "conda": "%conda is not supported: use %pip, or the task's libraries",
    "tensorboard": "%tensorboard is not supported in a job",
}
_FIRST_MAGIC = re.compile(r"\s*%(\w+)[ \t]*")
_FS_COMMANDS = ("ls", "cp", "mv", "rm", "mkdirs", "head", "put")


def run_whole_cell(code: str, context: TaskContext) -> bool:
    """Run a cell that one magic owns from its first line to its last; False if it is not such a cell."""
    match = _FIRST_MAGIC.match(code)
    if match is None:
        return False
    name, rest = match[1], code[match.end() :]
    if name in _REFUSED:
        raise TaskFailure("RUN_EXECUTION_ERROR", _REFUSED[name])
    if name == "sh":
        run_shell(rest)
    elif name == "fs":
        run_fs(rest)
    else:
        return False
    return True


def run_shell(script: str) -> None:
    """Run a shell script; its output goes to the cell. Its status matters only with `-e`, as in the hosted product."""
    must_succeed = script.startswith("-e")
    if must_succeed:
        script = script[2:].lstrip(" \t")
    shell = "bash" if os.path.exists("/bin/bash") else "sh"
    with subprocess.Popen([shell, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None
        for line in process.stdout:
            sys.stdout.write(line.decode("utf-8", "replace"))
    if process.returncode and must_succeed:
        raise RuntimeError(f"the shell script exited with status {process.returncode}")


def run_fs(line: str) -> None:
    """`%fs ls /path` is `dbutils.fs.ls("/path")`."""
    from ..dbutils import get_dbutils

    words = shlex.split(line) or ["help"]
    command, arguments = words[0], words[1:]
    if command not in _FS_COMMANDS:
        raise ValueError(f"%fs {command} is not supported; there are: {', '.join(_FS_COMMANDS)}")
    keywords = {"recurse": True} if arguments and arguments[0] in ("-r", "--recurse") else {}
    result = getattr(get_dbutils().fs, command)(*arguments[len(keywords) :], **keywords)
    if isinstance(result, list):
        display.display(result)
    elif isinstance(result, str):
        print(result)
