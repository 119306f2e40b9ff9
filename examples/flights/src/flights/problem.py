"""A task that fails leaves its reason as a task value, which outlives the failure: the alert reads it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

#: Spark's messages may go on with a plan of many pages.
PROBLEM_CHARS_MAX = 500


@contextmanager
def problem_told(dbutils: Any) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        first_line = (str(error).splitlines() or [""])[0]
        dbutils.jobs.taskValues.set("problem", f"{type(error).__name__}: {first_line}"[:PROBLEM_CHARS_MAX])
        raise
