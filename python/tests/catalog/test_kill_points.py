"""kill -9 of the JVM at a seeded moment of all kinds of writing statements at once.

One point by default; `HEADRACE_KILL_POINTS=20` runs twenty, `HEADRACE_KILL_SEED` begins at another one.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from .catalog_server import CatalogServer
from .conftest import TOKEN
from .spark_host import catalog_conf, spark_conf
from .test_kill import wait_until
from .test_tables import rows

FIRST_SEED = int(os.environ.get("HEADRACE_KILL_SEED", "1"))
SEEDS = range(FIRST_SEED, FIRST_SEED + int(os.environ.get("HEADRACE_KILL_POINTS", "1")))
DELAY_SECONDS_MAX = 8.0  # the statements of a cold JVM end between one and eight seconds after its start

OLD, NEW = (3, "old"), (100, "new")
WRITES = {
    "made": "CREATE TABLE {s}.made AS SELECT id, 'new' AS v FROM range(100)",
    "replaced": "CREATE OR REPLACE TABLE {s}.replaced AS SELECT id, 'new' AS v, 1 AS more FROM range(100)",
    "overwritten": "INSERT OVERWRITE {s}.overwritten SELECT id, 'new' FROM range(100)",
    "merged": "MERGE INTO {s}.merged t USING (SELECT id, 'new' AS v FROM range(100)) s ON t.id = s.id "
    "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *",
    "dropped": "DROP TABLE {s}.dropped",
    "renamed": "ALTER TABLE {s}.renamed RENAME TO after",
}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_kill_at_any_moment_leaves_whole_tables_and_true_metadata(
    spark: Any, server: CatalogServer, schema: str, data_root: Path, tmp_path: Path, seed: int
) -> None:
    for name in WRITES.keys() - {"made"}:
        spark.sql(f"CREATE TABLE {schema}.{name} AS SELECT id, 'old' AS v FROM range(3)")
    statements = {name: statement.format(s=schema) for name, statement in WRITES.items()}

    kill_while_running(list(statements.values()), server, data_root, tmp_path, seed)

    left = {table.rpartition(".")[2] for table in server.tables if table.startswith(schema)}
    assert {"replaced", "overwritten", "merged"} <= left
    assert len(left & {"renamed", "after"}) == 1, f"seed {seed}: {left}"
    for name in left:
        count, values = rows(spark, f"SELECT count(*), array_join(collect_set(v), ',') FROM {schema}.{name}")[0]
        assert (count, values) in (OLD, NEW), f"seed {seed}: {name} holds {count} rows of {values}"
        columns = [f"{c.name} {c.dataType.simpleString()}" for c in spark.table(f"{schema}.{name}").schema]
        assert server.columns(f"{schema}.{name}") == columns, f"seed {seed}: {name}"
    for name, statement in statements.items():
        if {"made": "made" not in left, "dropped": "dropped" in left, "renamed": "renamed" in left}.get(name, True):
            spark.sql(statement)


def kill_while_running(statements: list[str], server: CatalogServer, data_root: Path, folder: Path, seed: int) -> None:
    conf = spark_conf(folder, data_root, catalog_conf("dev", server.url, TOKEN))
    (folder / "conf.json").write_text(json.dumps(conf))
    tests = Path(__file__).parents[1]
    command = [
        sys.executable,
        "-m",
        "catalog.killed_writer",
        str(folder / "jvm"),
        str(folder / "conf.json"),
        *statements,
    ]
    environment = {**os.environ, "PYTHONPATH": str(tests.parent)}
    with (folder / "writer.log").open("w") as log:
        writer = subprocess.Popen(command, cwd=tests, env=environment, stdout=log, stderr=log)
    pid_file = folder / "jvm" / "jvm.pid"
    try:
        wait_until(lambda: writer.poll() is not None or pid_file.exists(), "the start of the writer")
        time.sleep(random.Random(seed).uniform(0, DELAY_SECONDS_MAX))  # not a wait: the moment of the kill
        os.kill(int(pid_file.read_text()), signal.SIGKILL)
        writer.wait(30)
    finally:
        writer.kill()
