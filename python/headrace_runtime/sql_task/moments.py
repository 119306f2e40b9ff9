"""Dates of saved queries that follow the clock: `YESTERDAY`, `LAST_7_DAYS` and their like."""

from __future__ import annotations

from datetime import datetime, timedelta

FORMATS = {"DAY_PRECISION": "%Y-%m-%d", "MINUTE_PRECISION": "%Y-%m-%d %H:%M", "SECOND_PRECISION": "%Y-%m-%d %H:%M:%S"}


def format_moment(moment: datetime, precision: str) -> str:
    return moment.strftime(FORMATS.get(precision, FORMATS["DAY_PRECISION"]))


def find_moment(name: str, now: datetime) -> datetime:
    if name == "NOW":
        return now
    if name == "YESTERDAY":
        return now - timedelta(days=1)
    raise ValueError(f"{name} is no date that follows the clock")


def find_range(name: str, now: datetime, *, first_weekday: int) -> tuple[datetime, datetime]:
    """From its beginning to its end, both within it; `first_weekday` is 0 for Sunday, 1 for Monday."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    words = name.split("_")
    if name in ("TODAY", "YESTERDAY"):
        start = today - timedelta(days=name == "YESTERDAY")
        return start, start + timedelta(days=1, seconds=-1)
    if words[0] == "LAST" and words[-1] in ("HOUR", "HOURS"):
        return now - timedelta(hours=int(words[1]) if len(words) == 3 else 1), now
    if words[0] == "LAST" and words[-1] == "DAYS":
        return today - timedelta(days=int(words[1])), today - timedelta(seconds=1)
    if name == "LAST_12_MONTHS":
        return _months_before(today.replace(day=1), 12), today.replace(day=1) - timedelta(seconds=1)
    if words[0] in ("THIS", "LAST") and words[-1] in _PERIODS:
        start, following = _period(words[-1], today, first_weekday)
        if words[0] == "LAST":
            start, following = _period(words[-1], start - timedelta(days=1), first_weekday)
        return start, following - timedelta(seconds=1)
    raise ValueError(f"{name} is no range of dates that follows the clock")


_PERIODS = ("WEEK", "MONTH", "YEAR")


def _period(unit: str, day: datetime, first_weekday: int) -> tuple[datetime, datetime]:
    """The period that a day is in, and the beginning of the next."""
    if unit == "WEEK":
        start = day - timedelta(days=(day.isoweekday() - first_weekday) % 7)
        return start, start + timedelta(days=7)
    if unit == "MONTH":
        start = day.replace(day=1)
        return start, (start + timedelta(days=32)).replace(day=1)
    start = day.replace(month=1, day=1)
    return start, start.replace(year=start.year + 1)


def _months_before(first: datetime, count: int) -> datetime:
    months = first.year * 12 + first.month - 1 - count
    return first.replace(year=months // 12, month=months % 12 + 1)
