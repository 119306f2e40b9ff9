"""The feed: cuts a day into the files an airport system would send, with the faults that real feeds have.

Pure and seeded: what happens to a flight depends on its key and on the seed alone, never on the order of rows or of
runs. The rules are written down in README.md, and test code derives the expected tables from those, not from here.
"""

from __future__ import annotations

import csv
import io
import zlib
from collections.abc import Iterable
from datetime import date, datetime, timedelta

from flights.extract import flights_of

SEED = 7
COLUMNS = (
    "flight_date", "carrier", "flight", "tailnum", "origin", "dest", "sched_dep_time", "dep_time", "dep_delay",
    "sched_arr_time", "arr_time", "arr_delay", "air_time", "distance", "revision",
)  # fmt: skip
#: The exporter was replaced in the middle of the first day; its files have one column more.
NEW_COLUMN, NEW_COLUMN_FROM = "feed", datetime(2013, 1, 1, 12)

#: Flights per thousand.
LATE, CORRECTED, DUPLICATE, DIRTY = 20, 30, 15, 10
#: What the first message of a corrected flight says too much, in minutes.
WRONG_BY = 60
#: A file is sent when its block of the schedule has ended; the last hour of each.
BLOCKS = (9, 13, 17, 24)

Row = dict[str, str]


def flight_key(row: Row) -> str:
    return "|".join(row[name] for name in ("flight_date", "carrier", "flight", "origin", "sched_dep_time"))


def draw(kind: str, key: str, sides: int = 1000) -> int:
    """A die of our own: the same for the same flight, everywhere and always."""
    return zlib.crc32(f"{SEED}|{kind}|{key}".encode()) % sides


def is_late(key: str) -> bool:
    return draw("late", key) < LATE


def is_corrected(row: Row) -> bool:
    key = flight_key(row)
    return draw("correction", key) < CORRECTED and not is_late(key) and row["arr_delay"] != "NA"


def messages_of(day: date) -> list[Row]:
    """One message a flight, true to the raw data."""
    return [
        {
            **{name: raw[name] for name in COLUMNS if name in raw},
            "flight_date": day.isoformat(),
            "revision": "1",
        }
        for raw in flights_of(day)
    ]


def landing_files(day: date) -> dict[str, str]:
    """Name → content of every file that lands on a day: its own flights, and what was missing of the day before."""
    today, yesterday = messages_of(day), messages_of(day - timedelta(days=1))
    files: dict[str, list[Row]] = {}
    for row in today:
        files.setdefault(block_of(row), []).extend(sent_rows(row))
    last = f"flights_{day}_{BLOCKS[-1]:02}00.csv"
    named = {f"flights_{day}_{block}.csv": rows for block, rows in files.items()}
    named.setdefault(last, []).extend(first_message(row) for row in today if is_sent_twice(row))
    named[f"late_{day}.csv"] = [row for row in yesterday if is_late(flight_key(row))]
    named[f"corrections_{day}.csv"] = [{**row, "revision": "2"} for row in yesterday if is_corrected(row)]
    return {name: to_csv(rows, columns_of(name, day)) for name, rows in sorted(named.items()) if rows}


def block_of(row: Row) -> str:
    hour = int(row["sched_dep_time"]) // 100
    return f"{next(block for block in BLOCKS if hour < block):02}00"


def sent_rows(row: Row) -> Iterable[Row]:
    key = flight_key(row)
    if not is_late(key):
        yield first_message(row)
    if draw("dirty", key) < DIRTY:
        yield spoil(first_message(row))


def is_sent_twice(row: Row) -> bool:
    key = flight_key(row)
    return draw("duplicate", key) < DUPLICATE and not is_late(key)


def first_message(row: Row) -> Row:
    if not is_corrected(row):
        return row
    return {**row, "arr_delay": str(int(row["arr_delay"]) + WRONG_BY)}


def spoil(row: Row) -> Row:
    """A row no one can use, beside the good one."""
    faults: tuple[Row, ...] = (
        {"carrier": ""},
        {"dep_delay": "12 min"},
        {"flight_date": "2013-13-01"},
        {"origin": "???"},
    )
    return {**row, **faults[draw("fault", flight_key(row), len(faults))]}


def columns_of(name: str, day: date) -> tuple[str, ...]:
    """Late files and corrections come from the new exporter."""
    if not name.startswith("flights_"):
        return (*COLUMNS, NEW_COLUMN)
    ends_at = datetime(day.year, day.month, day.day) + timedelta(hours=int(name[-8:-6]))
    return (*COLUMNS, NEW_COLUMN) if ends_at > NEW_COLUMN_FROM else COLUMNS


def to_csv(rows: Iterable[Row], columns: tuple[str, ...]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    for row in rows:
        writer.writerow({**row, NEW_COLUMN: ("acars", "manual")[draw(NEW_COLUMN, flight_key(row), 2)]})
    return out.getvalue()
