"""What went wrong with a statement, as its client is told: Spark's class and SQLSTATE, and where in the text it stands."""

from __future__ import annotations

import difflib
import re
from typing import Any

from .documents import ErrorDocument, Position

MESSAGE_CHARS_MAX = 20_000
CAUSES_MAX = 20
# Names that are compared with one that is unknown, and those that are told.
NAMES_MAX = 2_000
TOLD_MAX = 5


class StatementFailure(Exception):
    """A failure in words of ours."""

    def __init__(
        self,
        message: str,
        *,
        code: str = "BAD_REQUEST",
        sql_state: str | None = None,
        error_class: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.sql_state = sql_state
        self.error_class = error_class


def describe_failure(error: BaseException, statement: str, session: Any) -> ErrorDocument:
    if isinstance(error, StatementFailure):
        return _document(error.code, str(error), sql_state=error.sql_state, error_class=error.error_class)
    thrown = find_spark_error(error)
    if thrown is None:
        origin = getattr(error, "java_exception", None) or getattr(error, "_origin", None)
        message = str(origin.toString()) if origin is not None else f"{type(error).__name__}: {error}"
        return _document("INTERNAL_ERROR" if origin is None else "BAD_REQUEST", message)
    java, condition = thrown
    message = _message_of(java, condition)
    if condition.startswith("TABLE_OR_VIEW_NOT_FOUND"):
        message += _suggest_tables(java, session)
    state = java.getSqlState()
    return _document(
        "BAD_REQUEST",
        message,
        sql_state=None if state is None else str(state),
        error_class=condition,
        position=_position_of(java, message, statement),
    )


def find_spark_error(error: BaseException) -> tuple[Any, str] | None:
    """Of a chain of causes the first of Spark's own with a class; and that."""
    java = getattr(error, "_origin", None) or getattr(error, "java_exception", None)
    found: tuple[Any, str] | None = None
    for _ in range(CAUSES_MAX):
        if java is None:
            break
        condition = _condition_of(java)
        if condition is not None and (found is None or not _is_wrapper(condition)):
            found = (java, condition)
            if not _is_wrapper(condition):
                break
        java = java.getCause()
    return found


def _message_of(java: Any, condition: str) -> str:
    """Without the plan that Spark adds to what its analyzer says; a parser's shows the place."""
    if not condition.startswith("PARSE_"):
        try:
            return str(java.getSimpleMessage())
        except Exception:
            pass  # py4j: no error of the analyzer
    return str(java.getMessage() or condition)


def _condition_of(java: Any) -> str | None:
    try:
        condition = java.getCondition()
    except Exception:  # py4j: this class has no such method
        return None
    return None if condition is None else str(condition)


def _is_wrapper(condition: str) -> bool:
    """Says only that something in a job or file went wrong, as its cause does better."""
    return condition.startswith(("_LEGACY", "FAILED_READ_FILE", "TASK_WRITE_FAILED", "INTERNAL_ERROR"))


def _document(
    code: str,
    message: str,
    *,
    sql_state: str | None = None,
    error_class: str | None = None,
    position: Position | None = None,
) -> ErrorDocument:
    return {
        "code": code,
        "message": message.strip()[:MESSAGE_CHARS_MAX],
        "sql_state": sql_state,
        "error_class": error_class,
        "position": position,
    }


def _position_of(java: Any, message: str, statement: str) -> Position | None:
    for context in java.getQueryContext() or []:
        start = int(context.startIndex())
        if 0 <= start < len(statement):
            before = statement[:start]
            return {"line": before.count("\n") + 1, "column": start - (before.rfind("\n") + 1) + 1}
    told = re.search(r"\(line (\d+), pos (\d+)\)", message)
    return None if told is None else {"line": int(told[1]), "column": int(told[2]) + 1}


def _suggest_tables(java: Any, session: Any) -> str:
    """Names in the same schema that look like it; nothing where these cannot be had."""
    try:
        name = str(java.getMessageParameters().get("relationName"))
        parts = [part.replace("``", "`") for part in re.findall(r"`((?:[^`]|``)+)`", name)]
        near = _near_tables(parts, session)
    except Exception:
        return ""
    if not near:
        return ""
    return f"\nDid you mean one of: {', '.join(near)}?"


def _near_tables(parts: list[str], session: Any) -> list[str]:
    place = "".join(f"`{part.replace('`', '``')}`." for part in parts[:-1]).rstrip(".")
    frame = session.sql(f"show tables in {place}" if place else "show tables")
    at = list(frame.columns()).index("tableName")
    names = [str(row.getString(at)) for row in frame.limit(NAMES_MAX).collectAsList()]
    found = difflib.get_close_matches(parts[-1], names, TOLD_MAX, 0.5)
    return [".".join([*parts[:-1], each]) for each in found]
