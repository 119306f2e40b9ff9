"""How many requests a statement makes, and what happens when the server is away."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from .catalog_server import CatalogServer
from .test_tables import rows

MEMORY_SECONDS = 1.0  # CatalogApi.PresentMs


# Statement → requests that write, and how many GETs at most: one per name looked up. Where a commit lies between two looks at a
# table, the second may come after MEMORY_SECONDS.
REQUESTS = {
    "CREATE TABLE {s}.t (a INT, b STRING)": ("POST POST", 2),
    "INSERT INTO {s}.t VALUES (1, 'x')": ("", 1),
    "SELECT * FROM {s}.t": ("", 1),
    "SELECT * FROM {s}.t x JOIN {s}.t y ON x.a = y.a": ("", 1),
    "DELETE FROM {s}.t WHERE a = 2": ("", 2),
    "MERGE INTO {s}.t USING (SELECT 1 AS a, 'y' AS b) s ON t.a = s.a WHEN MATCHED THEN UPDATE SET *": ("", 2),
    "ALTER TABLE {s}.t ADD COLUMNS (c INT)": ("PATCH", 2),
    "CREATE OR REPLACE TABLE {s}.t AS SELECT 1 AS a": ("PATCH", 3),
    "CREATE TABLE {s}.u AS SELECT 1 AS a": ("POST POST", 2),
    "CREATE VIEW {s}.v AS SELECT * FROM {s}.t": ("POST", 2),
    "SELECT * FROM {s}.v": ("", 2),
    "DESCRIBE EXTENDED {s}.t": ("", 1),
    "DROP TABLE {s}.u": ("DELETE", 1),
    "DROP VIEW {s}.v": ("DELETE", 1),
}


def test_requests_per_statement(spark: Any, server: CatalogServer, schema: str) -> None:
    too_many = {}
    for template, (writes, gets_max) in REQUESTS.items():
        statement = template.format(s=schema)
        time.sleep(MEMORY_SECONDS)  # so that nothing is remembered: the worst case
        started = time.monotonic()
        requests = server.count(lambda statement=statement: spark.sql(statement).collect())
        # On a machine so slow that the statement outlasts the memory, it may ask again each time that has passed.
        times = 1 + int((time.monotonic() - started) / MEMORY_SECONDS)
        verbs = [request.split(" ")[0] for request in requests]
        if " ".join(v for v in verbs if v != "GET") != writes or verbs.count("GET") > gets_max * times:
            too_many[template] = requests

    assert too_many == {}


def test_a_restart_of_the_server_is_waited_for_and_nothing_is_done_twice(
    spark: Any, server: CatalogServer, schema: str
) -> None:
    server.faults[:] = ["503", "drop", "lose"]
    spark.sql(f"CREATE TABLE {schema}.t AS SELECT 1 AS a")  # GET: 503, dropped, lost, answered
    server.faults[:] = ["", "", "lose"]
    spark.sql(f"CREATE TABLE {schema}.u AS SELECT 1 AS a")  # POST tables is lost, and answered 409 when it comes again
    server.faults[:] = ["", "lose"]
    spark.sql(f"ALTER TABLE {schema}.u RENAME TO w")
    server.faults[:] = ["", "lose"]
    spark.sql(f"CREATE VIEW {schema}.v AS SELECT * FROM {schema}.t")
    time.sleep(MEMORY_SECONDS)
    server.faults[:] = ["", "lose"]
    spark.sql(f"DROP TABLE {schema}.w")

    assert not server.faults
    assert sorted(t for t in server.tables if t.startswith(schema)) == [f"{schema}.t", f"{schema}.v"]
    server.faults[:] = ["", "lose"]
    spark.sql(f"CREATE SCHEMA {schema}_more")
    server.faults[:] = ["", "lose"]
    spark.sql(f"DROP SCHEMA {schema}_more")
    assert f"{schema}_more" not in server.schemas


def test_columns_missed_while_the_server_was_away_follow_at_the_next_load(
    spark: Any, server: CatalogServer, schema: str
) -> None:
    spark.sql(f"CREATE TABLE {schema}.t AS SELECT 1 AS a")
    other = spark.newSession()
    other.sql("SET spark.databricks.delta.schema.autoMerge.enabled = true")
    other.table(f"{schema}.t")
    longer = other.sql("SELECT 2 AS a, 'x' AS b")

    with server.refusing("PATCH"):
        longer.write.mode("append").saveAsTable(f"{schema}.t")

    assert server.columns(f"{schema}.t") == ["a int"]
    assert len(rows(spark, f"SELECT b FROM {schema}.t")) == 2
    assert server.columns(f"{schema}.t") == ["a int", "b string"]


def test_a_server_that_stays_away_fails_the_statement_with_a_cure(
    spark: Any, server: CatalogServer, schema: str
) -> None:
    other = spark.newSession()
    other.conf.set("spark.sql.catalog.dev.retryMs", "700")
    server.faults[:] = ["503"] * 50

    with pytest.raises(
        Exception, match=r"cannot be reached \(answered 503; \d+ attempts.*Check that the server is running"
    ):
        other.sql(f"SELECT * FROM {schema}.t").collect()

    server.faults.clear()


def test_a_wrong_token_is_not_retried_and_says_so(spark: Any, server: CatalogServer, schema: str) -> None:
    other = spark.newSession()
    other.conf.set("spark.sql.catalog.dev.token", "wrong")

    with pytest.raises(Exception, match="UNAUTHENTICATED: wrong token"):
        other.sql(f"SELECT * FROM {schema}.t").collect()


def test_a_table_taken_meanwhile_leaves_the_other_one_whole(spark: Any, server: CatalogServer, schema: str) -> None:
    catalog, _, name = schema.partition(".")

    def take_the_name() -> None:
        while not any(r.startswith("POST /api/headrace/table-locations") for r in server.requests):
            time.sleep(0.001)
        server.add_table(
            {
                "catalog_name": catalog,
                "schema_name": name,
                "name": "t",
                "table_type": "EXTERNAL",
                "storage_location": "/elsewhere",
            }
        )

    server.requests.clear()
    thread = threading.Thread(target=take_the_name)
    thread.start()
    with pytest.raises(Exception, match="TABLE_OR_VIEW_ALREADY_EXISTS"):
        spark.sql(f"CREATE TABLE {schema}.t AS SELECT 1 AS a")
    thread.join()

    assert server.table(f"{schema}.t")["storage_location"] == "/elsewhere"


def test_two_jvms_share_a_log_through_link(spark: Any, data_root: Path) -> None:
    store = spark._jvm.io.headrace.fs.AtomicLogStore(spark.sparkContext._jsc.hadoopConfiguration())
    conf = spark.sparkContext._jsc.hadoopConfiguration()
    commit = spark._jvm.org.apache.hadoop.fs.Path(f"file:{data_root}/log/00000000000000000000.json")
    lines = spark._jvm.java.util.ArrayList()
    lines.add("{}")

    store.write(commit, lines.iterator(), False, conf)

    with pytest.raises(Exception, match="FileAlreadyExistsException"):
        store.write(commit, lines.iterator(), False, conf)
    assert [path.name for path in (data_root / "log").iterdir()] == ["00000000000000000000.json"]
