"""`%sql` cells and `.sql` notebooks: statements one after another, the last result as a table and as `_sqldf`."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from ..dbutils.widgets import Widgets

# Comments, and texts in any of Spark's quotes, within which a semicolon or a colon means nothing.
_TOKEN = re.compile(
    r"""(?P<skip>--[^\n]*|/\*.*?\*/|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`[^`]*`)|(?P<end>;)|(?<![:\w]):(?P<marker>[A-Za-z_]\w*)""",
    re.DOTALL,
)
_WIDGET = re.compile(
    r"""create\s+widget\s+(text|dropdown|combobox|multiselect)\s+(\w+)\s+default\s+(?:'([^']*)'|"([^"]*)")"""
    r"""(?:\s+choices\s+(.+))?\s*$""",
    re.IGNORECASE | re.DOTALL,
)
# Of a list of choices; more is no list that somebody chooses from.
CHOICES_MAX = 1024
_REMOVAL = re.compile(r"remove\s+widget\s+(\w+)\s*$", re.IGNORECASE)
_SUBSTITUTION = re.compile(r"\$\{\s*(\w+)\s*\}")


def split_statements(text: str) -> list[str]:
    """The statements of a text, without those that are empty or only comments."""
    statements = []
    start = 0
    for token in _TOKEN.finditer(text):
        if token["end"]:
            statements.append(text[start : token.start()])
            start = token.end()
    statements.append(text[start:])
    return [statement.strip() for statement in statements if _has_words(statement)]


def run_statements(session: Any, text: str, widgets: Widgets) -> Iterator[Any]:
    """Run each statement; gives those results that have columns. `:name` and `${name}` are the task's parameters."""
    for raw_statement in split_statements(text):
        statement = _substitute(raw_statement, widgets.getAll())
        if define_widget(session, statement, widgets):
            continue
        frame = session.sql(statement, args=_used_parameters(statement, widgets.getAll()) or None)
        if frame.columns:
            yield frame


def define_widget(session: Any, statement: str, widgets: Widgets) -> bool:
    """`CREATE WIDGET TEXT day DEFAULT '…'` and `REMOVE WIDGET day` are the notebook's, not Spark's."""
    created, removed = _WIDGET.match(statement), _REMOVAL.match(statement)
    if created:
        kind, name, single, double, query = created.groups()
        default = single if single is not None else double
        if kind.lower() == "text":
            widgets.text(name, default)
        else:
            rows = session.sql(query).limit(CHOICES_MAX).collect() if query else []
            getattr(widgets, kind.lower())(name, default, [str(row[0]) for row in rows] or [default])
    elif removed:
        widgets.remove(removed[1])
    return bool(created or removed)


def _has_words(statement: str) -> bool:
    without_comments = re.sub(r"--[^\n]*|/\*.*?\*/", "", statement, flags=re.DOTALL)
    return bool(without_comments.strip())


def _substitute(text: str, parameters: Mapping[str, str]) -> str:
    """Text of a parameter in place of `${name}`; other names are left to Spark's own variables."""
    return _SUBSTITUTION.sub(lambda match: parameters.get(match[1], match[0]), text)


def _used_parameters(statement: str, parameters: Mapping[str, str]) -> dict[str, str]:
    markers = {token["marker"] for token in _TOKEN.finditer(statement) if token["marker"]}
    return {name: parameters[name] for name in sorted(markers) if name in parameters}
