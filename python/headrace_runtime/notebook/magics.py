"""Magics of notebooks beside Python, SQL and Markdown: `%sh`, `%fs`, `%pip`, and those that are refused."""

from __future__ import annotations

import codecs
import os
import re
import shlex
import subprocess
import sys

from .. import display
from ..failures import TaskFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from ..context import TaskContext

REFUSED = {
    "scala": "Scala cells are not supported: Headrace runs Python and SQL notebooks",
    "r": "R cells are not supported: Headrace runs Python and SQL notebooks",
    "conda": "%conda is not supported: use %pip, or the task's libraries",
    "mamba": "%mamba is not supported: use %pip, or the task's libraries",
    "micromamba": "%micromamba is not supported: use %pip, or the task's libraries",
    "uv": "%uv is not supported: use %pip, or the task's libraries",
    "tensorboard": "%tensorboard is not supported in a job: it serves a page to somebody who looks",
    "skip": "%skip is not supported: take the cell out, or guard it with an if",
    "set_cell_max_output_size_in_mb": "%set_cell_max_output_size_in_mb is not supported: what a cell keeps is fixed",
}
OWN = ("run", "pip", "sql", "sh", "fs", "md", "python")
_FIRST_MAGIC = re.compile(r"\s*%%?(\w+)[ \t]*")
_FS_COMMANDS = ("ls", "cp", "mv", "rm", "mkdirs", "head", "put")
_UNKNOWN = re.compile(r"(?:Line|Cell) magic(?: function)? `(%%?\w+)` not found")
_READ_BYTES = 64 * 1024


def run_whole_cell(code: str, context: TaskContext) -> bool:
    """Run a cell that one magic owns from its first line to its last; False if it is not such a cell."""
    match = _FIRST_MAGIC.match(code)
    if match is None:
        return False
    name, rest = match[1], code[match.end() :]
    if name in REFUSED:
        refuse(name)
    if name == "sh":
        run_shell(rest)
    elif name == "fs":
        run_fs(rest)
    else:
        return False
    return True


def refuse(name: str) -> NoReturn:
    """Say what is not there, by its name."""
    raise TaskFailure("RUN_EXECUTION_ERROR", REFUSED[name])


def explain_unknown(error: BaseException) -> BaseException:
    """IPython does not know what this runtime adds to its magics."""
    match = _UNKNOWN.match(str(error)) if type(error).__name__ == "UsageError" else None
    if match is None:
        return error
    own = ", ".join(f"%{name}" for name in OWN)
    return TaskFailure(
        "RUN_EXECUTION_ERROR", f"{match[1]} is not supported; there are: {own}, and IPython's own (%lsmagic lists them)"
    )


def run_shell(script: str) -> None:
    """Run a shell script; its output goes to the cell. Its status matters only with `-e`, as in the hosted product."""
    must_succeed = script.startswith("-e")
    if must_succeed:
        script = script[2:].lstrip(" \t")
    shell = "bash" if os.path.exists("/bin/bash") else "sh"
    with subprocess.Popen([shell, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        while piece := process.stdout.read1(_READ_BYTES):  # type: ignore[attr-defined]
            sys.stdout.write(decoder.decode(piece))
        sys.stdout.write(decoder.decode(b"", final=True))
    if process.returncode and must_succeed:
        raise RuntimeError(f"the shell script exited with status {process.returncode}")
    if process.returncode:
        print(f"the shell script exited with status {process.returncode}; with %sh -e it fails", file=sys.stderr)


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
