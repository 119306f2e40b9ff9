"""Puts the parameters of a SQL task into a statement: `{{name}}` as text, `:name` as a value that Spark binds."""

from __future__ import annotations

import re

from ..failures import TaskFailure
from .statements import read_tokens

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from .parameters import Parameter

_FIELD = re.compile(r"\{\{\s*([A-Za-z_][\w-]*(?:\.[A-Za-z_]\w*)?)\s*\}\}")


def insert_texts(statement: str, parameters: Mapping[str, Parameter]) -> str:
    """The statement with each `{{name}}` replaced. Comments stay as they are; a name that nobody gave fails the task."""
    comments = [(token.start, token.end) for token in read_tokens(statement) if token.kind == "comment"]

    def replace(match: re.Match[str]) -> str:
        if any(start <= match.start() < end for start, end in comments):
            return match[0]
        name, _, part = match[1].partition(".")
        found = parameters.get(match[1]) or parameters.get(name)
        text = None if found is None else found.text_of(part if found.name == name else "")
        if text is None:
            raise TaskFailure("RUN_EXECUTION_ERROR", _describe_missing(match[0], parameters))
        return text

    return _FIELD.sub(replace, statement)


def used_values(statement: str, parameters: Mapping[str, Parameter]) -> dict[str, Any]:
    """The values of the markers `:name` that the statement has; Spark itself names one that has none."""
    markers = {token.text for token in read_tokens(statement) if token.kind == "marker"}
    return {name: parameters[name].value for name in sorted(markers) if name in parameters}


def _describe_missing(written: str, parameters: Mapping[str, Parameter]) -> str:
    known = ", ".join(sorted(parameters)) or "none"
    return f"{written} has no value: the task's parameters are {known}"
