"""What the tables must hold after runs of given days, worked out in plain Python from the raw data.

Nothing of the pipeline is used: the rules of the feed are taken from README.md ("What the feed does").

    python tests/expected.py 2013-01-01 2013-01-02      # prints JSON
"""

from __future__ import annotations

import csv
import gzip
import json
import sys
from collections import Counter
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from zlib import crc32

DATA = Path(__file__).resolve().parents[1] / "src" / "flights" / "data"
FIRST_DAY = date(2013, 1, 1)
FAULTS = ("carrier is missing", "dep_delay is not a number", "flight_date is not a date", "origin is unknown")


def load(name: str) -> list[dict[str, str]]:
    with gzip.open(DATA / name, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class Flight:
    """One raw row, with what README.md says about it."""

    def __init__(self, raw: dict[str, str]) -> None:
        self.day = date(int(raw["year"]), int(raw["month"]), int(raw["day"]))
        self.carrier, self.origin, self.dest, self.tailnum = (
            raw["carrier"],
            raw["origin"],
            raw["dest"],
            raw["tailnum"],
        )
        self.scheduled = int(raw["sched_dep_time"])
        self.cancelled = raw["dep_time"] == "NA"
        self.arr_delay = None if raw["arr_delay"] == "NA" else int(raw["arr_delay"])
        self.air_time = None if raw["air_time"] == "NA" else int(raw["air_time"])
        self.distance = int(raw["distance"])
        self.key = f"{self.day}|{self.carrier}|{raw['flight']}|{self.origin}|{self.scheduled}"
        self.late = self.dice("late") < 20
        self.corrected = self.dice("correction") < 30 and not self.late and self.arr_delay is not None
        self.doubled = self.dice("duplicate") < 15 and not self.late
        self.fault = FAULTS[self.dice("fault", 4)] if self.dice("dirty") < 10 else None

    def dice(self, kind: str, sides: int = 1000) -> int:
        return crc32(f"7|{kind}|{self.key}".encode()) % sides

    def has_new_column(self) -> bool:
        """Files of blocks that end by noon of the first day come from the old exporter: that is the first block."""
        return not (self.day == FIRST_DAY and self.scheduled < 900)


@cache
def all_flights() -> list[Flight]:
    return [Flight(raw) for month in ("01", "02") for raw in load(f"flights-2013-{month}.csv.gz")]


def expect(run_dates: list[date]) -> dict[str, dict[str, int]]:
    runs = set(run_dates)
    flights = all_flights()
    landed_today = [flight for flight in flights if flight.day in runs]
    landed_next_day = [flight for flight in flights if flight.day + timedelta(days=1) in runs]
    return {
        "bronze": expect_bronze(landed_today, landed_next_day),
        "quarantine": expect_quarantine(landed_today),
        **expect_clean(newest(landed_today, landed_next_day)),
    }


def expect_bronze(today: list[Flight], next_day: list[Flight]) -> dict[str, int]:
    # Each flight's messages of its own day: the first, a second copy, a spoiled one.
    messages = [(flight, (not flight.late) + (flight.fault is not None)) for flight in today]
    copies = sum(flight.doubled for flight in today)
    late = sum(flight.late for flight in next_day)
    corrections = sum(flight.corrected for flight in next_day)
    return {
        "rows": sum(count for _, count in messages) + copies + late + corrections,
        "corrections": corrections,
        # The copies stand in the day's last file, which has the new column on every day.
        "rows_with_the_new_column": sum(count for flight, count in messages if flight.has_new_column())
        + copies + late + corrections,
        "landing_dates": len({flight.day for flight in today}),
    }  # fmt: skip


def expect_quarantine(today: list[Flight]) -> dict[str, int]:
    faults = Counter(flight.fault for flight in today if flight.fault is not None)
    return {"rows": faults.total(), **{fault.replace(" ", "_"): faults[fault] for fault in FAULTS[:3]}}


def newest(today: list[Flight], next_day: list[Flight]) -> list[tuple[Flight, int | None]]:
    """Every flight that is known, with its arrival delay as known: too high by an hour until the correction is in."""
    known: dict[str, tuple[Flight, int | None]] = {}
    for flight in today:
        if not flight.late:
            wrong = 60 if flight.corrected else 0
            known[flight.key] = (flight, None if flight.arr_delay is None else flight.arr_delay + wrong)
    for flight in next_day:
        if flight.late or flight.corrected:
            known[flight.key] = (flight, flight.arr_delay)
    return list(known.values())


def expect_clean(known: list[tuple[Flight, int | None]]) -> dict[str, dict[str, int]]:
    windy_hours = {
        (row["origin"], int(row["month"]), int(row["day"]), int(row["hour"]))
        for row in load("weather-2013-01-02.csv.gz")
        if row["wind_speed"] != "NA" and float(row["wind_speed"]) >= 15
    }
    seats = {row["tailnum"]: int(row["seats"]) for row in load("planes.csv.gz")}
    delays = [delay for _, delay in known if delay is not None]
    flown = [flight for flight, _ in known if not flight.cancelled]
    windy = [f for f, _ in known if (f.origin, f.day.month, f.day.day, f.scheduled // 100) in windy_hours]
    return {
        "silver": {
            "rows": len(known),
            "cancelled": sum(flight.cancelled for flight, _ in known),
            "arr_delay_minutes": sum(delays),
            "miles": sum(flight.distance for flight, _ in known),
        },
        "gold_delays": {
            "rows": len({(flight.day, flight.carrier) for flight, _ in known}),
            "arr_delay_minutes": sum(delays),
            "late_arrivals": sum(delay > 15 for delay in delays),
            "windy_departures": len(windy),
        },
        "gold_routes": {
            "rows": len({(flight.day, flight.origin, flight.dest) for flight, _ in known}),
            "miles": sum(flight.distance for flight in flown),
            "seats": sum(seats.get(flight.tailnum, 0) for flight in flown),
            "air_minutes": sum(flight.air_time or 0 for flight, _ in known),
        },
    }


#: The same numbers, asked of the tables. `{catalog}` is to be filled in.
QUERIES = {
    "bronze": "SELECT count(*) AS rows, count_if(revision = '2') AS corrections, count(feed) AS "
    "rows_with_the_new_column, count(DISTINCT landing_date) AS landing_dates FROM {catalog}.flights.bronze",
    "quarantine": "SELECT count(*) AS rows, "
    + ", ".join(f"count_if(reason = '{fault}') AS {fault.replace(' ', '_')}" for fault in FAULTS[:3])
    + " FROM {catalog}.flights.quarantine",
    "silver": "SELECT count(*) AS rows, count_if(cancelled) AS cancelled, sum(arr_delay) AS arr_delay_minutes, "
    "sum(distance) AS miles FROM {catalog}.flights.silver",
    "gold_delays": "SELECT count(*) AS rows, sum(arr_delay_minutes) AS arr_delay_minutes, sum(late_arrivals) AS "
    "late_arrivals, sum(windy_departures) AS windy_departures FROM {catalog}.flights.gold_delays",
    "gold_routes": "SELECT count(*) AS rows, sum(miles) AS miles, sum(seats) AS seats, sum(air_minutes) AS air_minutes "
    "FROM {catalog}.flights.gold_routes",
}


if __name__ == "__main__":
    print(json.dumps(expect([date.fromisoformat(text) for text in sys.argv[1:]]), indent=2))
