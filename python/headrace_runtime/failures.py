"""How a task fails: the failures that the runtime itself finds, and what a user's exception looks like to a person.

A trace shown to people has no frames of ours: they explain nothing about the user's code.
"""

from __future__ import annotations

import os
import sys

from . import known_secrets

TYPE_CHECKING = False
if TYPE_CHECKING:
    import traceback

    from .documents import FailureCode, FailureDocument

# Spark puts whole query plans into its messages; a task list wants a sentence and the log has the rest.
MESSAGE_CHARACTERS_MAX = 4_000
TRACE_CHARACTERS_MAX = 64_000

_OUR_FOLDER = os.path.dirname(os.path.abspath(__file__)) + os.sep


class TaskFailure(Exception):
    """Bad news that the runtime found before or instead of user code: a missing file, a broken library."""

    def __init__(self, code: FailureCode, message: str, trace: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        # Of another language: the log has it already.
        self.trace = trace


class NotebookExit(BaseException):
    """`dbutils.notebook.exit(value)`: ends the task well. Not an `Exception`, so that `except Exception` lets it pass."""

    def __init__(self, value: str) -> None:
        super().__init__(value)
        self.value = value


class PythonRestart(BaseException):
    """`dbutils.library.restartPython()`: the notebook goes on behind its cell in a fresh image of the process."""


def describe_failure(error: BaseException) -> FailureDocument:
    """Turn whatever ended the task into a code, a sentence and the user's own trace."""
    if isinstance(error, TaskFailure):
        return {"code": error.code, "message": error.message, "trace": error.trace}
    if isinstance(error, SystemExit):
        return {"code": "RUN_EXECUTION_ERROR", "message": describe_exit(error), "trace": None}
    return {"code": "RUN_EXECUTION_ERROR", "message": describe_error(error), "trace": format_trace(error)}


def exit_status(error: SystemExit) -> int:
    """The status that Python itself would exit with."""
    if error.code is None:
        return 0
    return error.code if isinstance(error.code, int) else 1


def describe_exit(error: SystemExit) -> str:
    status = exit_status(error)
    if isinstance(error.code, (int, type(None))):
        return f"exited with status {status}"
    return _cut_safely(f"exited with status {status}: {error.code}")


def describe_error(error: BaseException) -> str:
    """The last line of a traceback, as `ValueError: …`, with the type's short name."""
    name = type(error).__name__
    if isinstance(error, MemoryError):
        return f"{name}: Python ran out of memory" + (f": {error}" if str(error) else "")
    try:
        text = str(error).strip()
    except Exception as broken:
        text = f"<its message could not be made: {type(broken).__name__}>"
    if type(error).__module__.startswith("pyspark.") and text:
        text = _spark_sentence(text)
    return _cut_safely(f"{name}: {text}" if text else name)


def _spark_sentence(text: str) -> str:
    """The first line; hints and the query's plan follow, which the trace has. For a UDF also what it raised."""
    first, *rest = text.splitlines()
    if first.startswith("[SCHEMA_NOT_FOUND]"):
        # Schemas are never made silently; the name is all that stands between back-ticks.
        return f"{first} To make it: CREATE SCHEMA {'.'.join(first.split('`')[1::2])}"
    if not any(line.startswith("Traceback (") for line in rest):
        return first
    raised = [line for line in rest if line and not line[0].isspace()]
    return f"{first} {raised[-1]}"


def format_trace(error: BaseException) -> str:
    """The traceback as Python prints it, causes included, without the runtime's frames."""
    import traceback

    description = traceback.TracebackException.from_exception(error, compact=True)
    _drop_our_frames(description)
    # Before it is cut: half a secret is not found.
    return _keep_ends(known_secrets.redact_text("".join(description.format())), TRACE_CHARACTERS_MAX)


def print_trace(error: BaseException) -> None:
    """Write the trace where Python would: the end of a log explains the end of a task."""
    try:
        sys.stderr.write(format_trace(error))
        sys.stderr.flush()
    except (OSError, ValueError):
        pass  # the user's code closed or replaced standard error; result.json has the trace


def _cut_safely(message: str) -> str:
    """Without secrets before it is cut: half of one is not found any more."""
    return cut(known_secrets.redact_text(message), MESSAGE_CHARACTERS_MAX)


def cut(text: str, characters_max: int) -> str:
    return text if len(text) <= characters_max else text[: characters_max - 1] + "…"


def _keep_ends(text: str, characters_max: int) -> str:
    if len(text) <= characters_max:
        return text
    half = characters_max // 2
    return f"{text[:half]}\n… {len(text) - 2 * half} characters left out …\n{text[-half:]}"


def _drop_our_frames(description: traceback.TracebackException) -> None:
    import traceback

    pending: list[traceback.TracebackException] = [description]
    seen: set[int] = set()
    while pending:
        current = pending.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        kept = [frame for frame in current.stack if not _is_ours(frame.filename)]
        current.stack = traceback.StackSummary.from_list(kept)
        pending += [link for link in (current.__cause__, current.__context__) if link is not None]
        pending += getattr(current, "exceptions", None) or []


def _is_ours(filename: str) -> bool:
    return filename.startswith(_OUR_FOLDER) or "/IPython/core/" in filename
