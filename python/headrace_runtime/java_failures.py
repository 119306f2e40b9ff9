"""How a JVM of a task ended, in words: from its exit code and the end of what it wrote to standard error."""

from __future__ import annotations

import os
import re
import signal

from . import known_secrets
from .failures import MESSAGE_CHARACTERS_MAX, TaskFailure, cut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .submit_parameters import Submission

# Spark's: the class cannot be loaded.
_EXIT_NO_CLASS = 101
# Of a JVM that ends itself when its heap is exhausted; a main class may use it as well.
_EXIT_NO_MEMORY = 3
_UNCAUGHT = re.compile(r'^Exception in thread "[^"]*" ', re.MULTILINE)
_TRACE_LINE = re.compile(r"\s+at |\s+\.\.\. \d+ |\s*Caused by: |\s*Suppressed: ")
_NO_MAIN = re.compile(r"java\.lang\.NoSuchMethodException: (\S+)\.main\(")
LINES_SHOWN_MAX = 20


def describe_java_end(code: int, tail: str, submission: Submission, *, is_python: bool) -> TaskFailure:
    """What to tell of a JVM that did not end with code 0."""
    if code == _EXIT_NO_MEMORY and "java.lang.OutOfMemoryError" in tail:
        return _fail("Java ran out of memory and was ended; give the task more with spark.driver.memory", tail)
    if code == _EXIT_NO_CLASS and "Failed to load class" in tail:
        jars = ", ".join(os.path.basename(jar) for jar in submission.jars) or "there is none"
        return _fail(f"the main class {submission.main_class} is in none of the task's JARs: {jars}", None)
    if code < 0:
        return _fail(_describe_signal(-code), _last_lines(tail))
    trace = _find_python_trace(tail) if is_python else _find_trace(tail)
    if trace is not None and code == 1:
        return _fail(_sentence_of(trace, is_python=is_python), trace)
    what = "the Python application" if is_python else "the main class"
    return _fail(f"{what} exited with code {code}", _last_lines(tail))


def _fail(message: str, trace: str | None) -> TaskFailure:
    # Before it is cut: half a secret is not found.
    shown = cut(known_secrets.redact_text(message), MESSAGE_CHARACTERS_MAX)
    return TaskFailure("RUN_EXECUTION_ERROR", shown, trace)


def _find_trace(tail: str) -> str | None:
    """The last uncaught exception with all its causes; lines of a message of several lines belong to it."""
    starts = list(_UNCAUGHT.finditer(tail))
    if not starts:
        return None
    lines = tail[starts[-1].end() :].splitlines()
    last = max((number for number, line in enumerate(lines) if _TRACE_LINE.match(line)), default=0)
    return "\n".join(lines[: last + 1]) + "\n"


def _find_python_trace(tail: str) -> str | None:
    start = tail.rfind("Traceback (most recent call last):")
    if start < 0:
        return None
    lines = tail[start:].splitlines()
    # To the line that names the exception, the first that is not indented.
    end = next((number for number, line in enumerate(lines[1:], 2) if line and not line[0].isspace()), len(lines))
    return "\n".join(lines[:end]) + "\n"


def _sentence_of(trace: str, *, is_python: bool) -> str:
    lines = trace.splitlines()
    if is_python:
        return lines[-1]
    missing = _NO_MAIN.match(lines[0])
    if missing is not None:
        return f"class {missing[1]} has no method main(String[])"
    return lines[0]


def _last_lines(tail: str) -> str | None:
    lines = [line for line in tail.splitlines() if line.strip()]
    return "\n".join(lines[-LINES_SHOWN_MAX:]) + "\n" if lines else None


def _describe_signal(number: int) -> str:
    if number == signal.SIGKILL:
        return "Java was killed from outside (SIGKILL): by another process, or by the kernel for lack of memory"
    if number == signal.SIGTERM:
        return "Java was ended from outside (SIGTERM)"
    return f"Java was ended by signal {number}"
