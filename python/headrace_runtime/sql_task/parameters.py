"""Parameters of a SQL task: its own texts, and those of a saved query with their types.

A text of the task takes the type that the saved query gives the name. What only the query has is its default there.
"""

from __future__ import annotations

import json
import re
from datetime import date, datetime
from decimal import Decimal

from ..failures import TaskFailure
from .moments import find_moment, find_range, format_moment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

# More digits than these Spark's decimals do not have.
_WHOLE = re.compile(r"[+-]?\d{1,38}")
_LONG_MAX = 2**63 - 1


class Parameter:
    """A value to bind, and the text that `{{name}}` stands for; of a range also `{{name.start}}` and `{{name.end}}`."""

    def __init__(self, name: str, value: Any, text: str | None = None, parts: dict[str, str] | None = None) -> None:
        self.name = name
        self.value = value
        self._text = str(value) if text is None else text
        self._parts = parts or {}

    def text_of(self, part: str) -> str | None:
        return self._parts.get(part) if part else self._text


def read_parameters(
    given: Mapping[str, str], declared: list[dict[str, Any]], now: datetime | None = None
) -> dict[str, Parameter]:
    """By name. `declared` are those of a saved query, as the API shows them; `now` is for dates that follow the clock."""
    moment = now or datetime.now()
    parameters = {name: Parameter(name, text) for name, text in given.items()}
    for document in declared:
        name = str(document.get("name", ""))
        if name:
            parameters[name] = _read_declared(name, document, given.get(name), moment)
    return parameters


def _read_declared(name: str, document: dict[str, Any], given: str | None, now: datetime) -> Parameter:
    try:
        if "numeric_value" in document:
            return _number(name, document["numeric_value"].get("value") if given is None else given)
        if "date_value" in document:
            return _date(name, document["date_value"], given, now)
        if "date_range_value" in document:
            return _range(name, document["date_range_value"], given, now)
        for kind in ("enum_value", "query_backed_value"):
            if kind in document:
                return _choice(name, document[kind], given)
        default = document.get("text_value", {}).get("value", "")
        return Parameter(name, str(default) if given is None else given)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise TaskFailure("RUN_EXECUTION_ERROR", f"parameter {name}: {error}") from None


def _number(name: str, written: Any) -> Parameter:
    text = str(written).strip()
    if isinstance(written, float) and written.is_integer():
        text = str(int(written))
    if _WHOLE.fullmatch(text):
        whole = int(text)
        return Parameter(name, whole if -_LONG_MAX <= whole <= _LONG_MAX else Decimal(whole), text)
    try:
        return Parameter(name, float(text), text)
    except ValueError:
        raise ValueError(f"{written!r} is not a number, which the query takes here") from None


def _date(name: str, document: dict[str, Any], given: str | None, now: datetime) -> Parameter:
    precision = document.get("precision", "DAY_PRECISION")
    dynamic = document.get("dynamic_date_value")
    if given is None and dynamic:
        moment = find_moment(dynamic, now)
    else:
        moment = _moment(document.get("date_value", "") if given is None else given)
    value: date = moment.date() if precision == "DAY_PRECISION" else moment
    return Parameter(name, value, format_moment(moment, precision))


def _range(name: str, document: dict[str, Any], given: str | None, now: datetime) -> Parameter:
    precision = document.get("precision", "DAY_PRECISION")
    dynamic = document.get("dynamic_date_range_value")
    if given is None and dynamic:
        start, end = find_range(dynamic, now, first_weekday=int(document.get("start_day_of_week", 1)))
    else:
        written = document.get("date_range_value", {}) if given is None else json.loads(given)
        start, end = _moment(written["start"]), _moment(written["end"])
    texts = {"start": format_moment(start, precision), "end": format_moment(end, precision)}
    values = [moment.date() if precision == "DAY_PRECISION" else moment for moment in (start, end)]
    # Fields as the markers `:name.min` and `:name.max` name them.
    value = {"min": values[0], "max": values[1]}
    parts = {**texts, "min": texts["start"], "max": texts["end"]}
    return Parameter(name, value, f"{texts['start']} - {texts['end']}", parts)


def _choice(name: str, document: dict[str, Any], given: str | None) -> Parameter:
    options = document.get("multi_values_options")
    values = [str(each) for each in document.get("values", [])]
    if given is not None:
        parsed = json.loads(given) if options is not None and given.lstrip().startswith("[") else [given]
        values = [str(each) for each in parsed]
    if options is None:
        return Parameter(name, values[0] if values else "")
    prefix, suffix = options.get("prefix", ""), options.get("suffix", "")
    text = options.get("separator", ",").join(f"{prefix}{each}{suffix}" for each in values)
    return Parameter(name, values, text)


def _moment(text: Any) -> datetime:
    try:
        return datetime.fromisoformat(str(text).strip().replace("Z", "+00:00")).replace(tzinfo=None)
    except ValueError:
        raise ValueError(
            f"{text!r} is not a date, which the query takes here, as 2026-03-01 or 2026-03-01 12:30"
        ) from None
