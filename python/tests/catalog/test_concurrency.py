"""Several sessions at one table: conflicts are Delta's own, nothing is lost, and no reader sees half a table."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from .catalog_server import CatalogServer
from .test_tables import rows

DEADLINE_SECONDS = 120


class Gate:
    """A function of SQL that lets no row pass until it is opened: a statement stands still in the middle of its work."""

    def __init__(self, folder: Path) -> None:
        self.reached, self.opened = folder / "reached", folder / "opened"

    def session(self, spark: Any) -> Any:
        reached, opened, deadline = str(self.reached), str(self.opened), DEADLINE_SECONDS

        def hold(value: int) -> int:
            import os
            import time

            with open(reached, "w"):
                pass
            until = time.monotonic() + deadline
            while not os.path.exists(opened) and time.monotonic() < until:
                time.sleep(0.01)
            return value

        session = spark.newSession()
        session.sparkContext.pythonExec = sys.executable
        session.udf.register("hold", hold, "bigint")
        return session

    def await_reached(self, statement: Future[Any]) -> None:
        until = time.monotonic() + DEADLINE_SECONDS
        while not self.reached.exists():
            if statement.done():
                statement.result()
            assert not statement.done() and time.monotonic() < until, "the statement did not stop at the gate"
            time.sleep(0.01)


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    gate = Gate(tmp_path)
    yield gate
    gate.opened.touch()


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as threads:
        yield threads


def held(gate: Gate, threads: ThreadPoolExecutor, spark: Any, statement: str) -> Future[Any]:
    session = gate.session(spark)
    future = threads.submit(lambda: session.sql(statement).collect())
    gate.await_reached(future)
    return future


def test_appends_of_many_sessions_all_arrive(
    spark: Any, server: CatalogServer, schema: str, threads: ThreadPoolExecutor
) -> None:
    spark.sql(f"CREATE TABLE {schema}.t (writer INT, turn INT)")
    begin = threading.Barrier(3)

    def append(writer: int) -> None:
        session = spark.newSession()
        begin.wait(DEADLINE_SECONDS)
        for turn in range(2):
            session.sql(f"INSERT INTO {schema}.t VALUES ({writer}, {turn})")

    for work in [threads.submit(append, writer) for writer in range(3)]:
        work.result(DEADLINE_SECONDS)

    assert sorted(rows(spark, f"SELECT * FROM {schema}.t")) == [(w, t) for w in range(3) for t in range(2)]


def test_a_conflict_is_deltas_own_and_says_to_try_again(
    spark: Any, server: CatalogServer, schema: str, gate: Gate, threads: ThreadPoolExecutor
) -> None:
    spark.sql(f"CREATE TABLE {schema}.t AS SELECT CAST(1 AS BIGINT) AS id, CAST(10 AS BIGINT) AS v")
    update = f"UPDATE {schema}.t SET v = hold(v) + 1 WHERE id = 1"
    first = held(gate, threads, spark, update)

    spark.newSession().sql(f"UPDATE {schema}.t SET v = v * 2 WHERE id = 1")
    gate.opened.touch()

    with pytest.raises(Exception, match=r"(?s)DELTA_CONCURRENT_\w+.*(Please try the operation again|retry)"):
        first.result(DEADLINE_SECONDS)
    assert rows(spark, f"SELECT v FROM {schema}.t") == [(20,)]
    gate.session(spark).sql(update)
    assert rows(spark, f"SELECT v FROM {schema}.t") == [(21,)]


REPLACING = [
    "CREATE OR REPLACE TABLE {t} AS SELECT hold(id) AS other FROM range(5, 8, 1, 1)",
    "INSERT OVERWRITE {t} SELECT hold(id) AS id FROM range(5, 8, 1, 1)",
]


@pytest.mark.parametrize("statement", REPLACING, ids=["replace", "overwrite"])
def test_a_reader_sees_the_old_table_until_the_new_one_is_whole(
    spark: Any, server: CatalogServer, schema: str, gate: Gate, threads: ThreadPoolExecutor, statement: str
) -> None:
    spark.sql(f"CREATE TABLE {schema}.t AS SELECT id FROM range(3)")
    before = server.columns(f"{schema}.t")
    writing = held(gate, threads, spark, statement.format(t=f"{schema}.t"))

    reader = spark.newSession()
    assert sorted(rows(reader, f"SELECT * FROM {schema}.t")) == [(0,), (1,), (2,)]
    assert server.columns(f"{schema}.t") == before
    gate.opened.touch()
    writing.result(DEADLINE_SECONDS)

    assert sorted(rows(reader, f"SELECT * FROM {schema}.t")) == [(5,), (6,), (7,)]


def test_a_table_whose_making_is_not_over_has_no_name(
    spark: Any, server: CatalogServer, schema: str, gate: Gate, threads: ThreadPoolExecutor
) -> None:
    making = held(gate, threads, spark, f"CREATE TABLE {schema}.t AS SELECT hold(id) AS id FROM range(0, 3, 1, 1)")

    with pytest.raises(Exception, match="TABLE_OR_VIEW_NOT_FOUND"):
        spark.newSession().sql(f"SELECT * FROM {schema}.t")
    gate.opened.touch()
    making.result(DEADLINE_SECONDS)

    assert len(rows(spark, f"SELECT * FROM {schema}.t")) == 3


def test_a_reader_of_a_table_that_is_dropped_meanwhile_reads_it_whole(
    spark: Any, server: CatalogServer, schema: str, gate: Gate, threads: ThreadPoolExecutor
) -> None:
    spark.sql(f"CREATE TABLE {schema}.t AS SELECT id FROM range(0, 3, 1, 1)")
    reading = held(gate, threads, spark, f"SELECT hold(id) FROM {schema}.t")

    spark.newSession().sql(f"DROP TABLE {schema}.t")
    gate.opened.touch()

    assert sorted(tuple(row) for row in reading.result(DEADLINE_SECONDS)) == [(0,), (1,), (2,)]
    with pytest.raises(Exception, match="TABLE_OR_VIEW_NOT_FOUND"):
        spark.sql(f"SELECT * FROM {schema}.t")


FORBIDDEN: list[Callable[[str], str]] = [
    lambda place: f"USING delta LOCATION '{place}' AS SELECT 1 AS a",
    lambda place: f"(a INT) USING parquet LOCATION '{place}'",
]


@pytest.mark.parametrize("clauses", FORBIDDEN, ids=["delta", "parquet"])
def test_nothing_is_written_where_the_server_allows_no_table(
    spark: Any, server: CatalogServer, schema: str, tmp_path: Path, clauses: Callable[[str], str]
) -> None:
    place = tmp_path / "forbidden"

    with pytest.raises(Exception, match="storage_location: .* is not allowed"):
        spark.sql(f"CREATE TABLE {schema}.t {clauses(str(place))}")

    assert not place.exists()
    assert f"{schema}.t" not in server.tables
