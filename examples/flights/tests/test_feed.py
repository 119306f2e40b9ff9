import csv
import io
import random
from collections import Counter
from datetime import date

import expected
import pytest
from flights import extract, feed

DAYS = [date(2013, 1, 1), date(2013, 1, 2), date(2013, 1, 31), date(2013, 2, 1), date(2013, 2, 28)]


def rows_of(files):
    return [row for content in files.values() for row in csv.DictReader(io.StringIO(content))]


def test_a_day_lands_alike_every_time():
    assert feed.landing_files(DAYS[1]) == feed.landing_files(DAYS[1])


def test_what_happens_to_a_flight_does_not_depend_on_the_others(monkeypatch):
    before = Counter(map(str, rows_of(feed.landing_files(DAYS[1]))))
    shuffled = {day: list(extract.flights_of(day)) for day in DAYS[:2]}
    for rows in shuffled.values():
        random.Random(3).shuffle(rows)
    monkeypatch.setattr(feed, "flights_of", lambda day: shuffled[day])

    assert Counter(map(str, rows_of(feed.landing_files(DAYS[1])))) == before


@pytest.mark.parametrize("day", DAYS)
def test_the_rows_are_those_the_readme_promises(day):
    wanted = expected.expect([day])["bronze"]

    rows = rows_of(feed.landing_files(day))

    assert len(rows) == wanted["rows"]
    assert sum(row["revision"] == "2" for row in rows) == wanted["corrections"]
    assert sum("feed" in row for row in rows) == wanted["rows_with_the_new_column"]


def test_a_late_flight_lands_on_the_next_day_only():
    late = {feed.flight_key(row) for row in feed.messages_of(DAYS[0]) if feed.is_late(feed.flight_key(row))}
    good = {feed.flight_key(row) for row in rows_of(feed.landing_files(DAYS[0])) if row["dep_delay"] != "12 min"}
    next_day = {feed.flight_key(row) for row in rows_of(feed.landing_files(DAYS[1]))}

    assert late
    spoiled = {key for key in late if feed.draw("dirty", key) < feed.DIRTY}
    assert not (late - spoiled) & good
    assert late <= next_day


def test_a_correction_brings_the_true_delay():
    truth = {feed.flight_key(row): row["arr_delay"] for row in feed.messages_of(DAYS[0])}
    corrections = [row for row in rows_of(feed.landing_files(DAYS[1])) if row["revision"] == "2"]

    assert corrections
    assert all(row["arr_delay"] == truth[feed.flight_key(row)] for row in corrections)


def test_the_new_column_comes_in_the_middle_of_the_first_day_and_stays():
    layouts = {name: content.splitlines()[0].endswith(",feed") for name, content in feed.landing_files(DAYS[0]).items()}

    assert layouts == {
        "flights_2013-01-01_0900.csv": False,
        "flights_2013-01-01_1300.csv": True,
        "flights_2013-01-01_1700.csv": True,
        "flights_2013-01-01_2400.csv": True,
    }
    assert all(content.splitlines()[0].endswith(",feed") for content in feed.landing_files(DAYS[1]).values())


@pytest.mark.parametrize("text", ["2013-13-01", "yesterday", "2013-06-01"])
def test_a_wrong_run_date_is_refused_by_name(text):
    with pytest.raises(ValueError, match=text):
        extract.parse_run_date(text)


def test_the_extract_is_what_its_sums_say():
    import hashlib

    data = expected.DATA
    for line in (data / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split()
        assert hashlib.sha256((data / name).read_bytes()).hexdigest() == digest, name
