"""kill -9 of the JVM in the middle of writing statements: what remains is whole, and can be run again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .catalog_server import CatalogServer
from .conftest import TOKEN
from .spark_host import catalog_conf, spark_conf
from .test_tables import rows

# Eight tasks, of which four write their file at once and four never end.
ENDLESS_ROWS = "SELECT id, coalesce(java_method('java.lang.Thread', 'sleep', if(id < 4, 0L, 600000L)), 'new') AS v FROM range(0, 8, 1, 8)"


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not in {seconds} s: {what}"
        time.sleep(0.02)


def test_killed_statements_leave_whole_tables(
    spark: Any, server: CatalogServer, schema: str, data_root: Path, tmp_path: Path
) -> None:
    spark.sql(f"CREATE TABLE {schema}.merged AS SELECT id, 'old' AS v FROM range(3)")
    merged = Path(server.table(f"{schema}.merged")["storage_location"])
    files_before = set(merged.glob("*.parquet"))
    managed = data_root / "managed" / schema.replace(".", "/")
    conf = spark_conf(tmp_path, data_root, catalog_conf("dev", server.url, TOKEN)) | {"spark.master": "local[12]"}
    (tmp_path / "conf.json").write_text(json.dumps(conf))
    server.held_table, statements = "late", [
        f"MERGE INTO {schema}.merged t USING ({ENDLESS_ROWS}) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *",
        f"CREATE TABLE {schema}.half AS {ENDLESS_ROWS}",
        f"CREATE TABLE {schema}.late AS SELECT 1 AS a",
    ]  # fmt: skip

    command = [
        sys.executable,
        "-m",
        "catalog.killed_writer",
        str(tmp_path / "jvm"),
        str(tmp_path / "conf.json"),
        *statements,
    ]
    tests = Path(__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": str(tests.parent)}
    with (tmp_path / "writer.log").open("w") as log:
        writer = subprocess.Popen(command, cwd=tests, env=environment, stdout=log, stderr=log)
    try:
        wait_until(lambda: writer.poll() is not None or any(managed.glob("half-*/*.parquet")), "files of half")
        wait_until(lambda: writer.poll() is not None or server.hold_reached.is_set(), "the registration of late")
        os.kill(int((tmp_path / "jvm" / "jvm.pid").read_text()), signal.SIGKILL)
        writer.wait(30)
    finally:
        writer.kill()
        server.held_table = ""

    # Half-way in their data: the merged table is as it was, the created one does not exist. After its commit, but before it was
    # registered: it does not exist either. What remains of both are folders that no name points to.
    assert sorted(rows(spark, f"SELECT * FROM {schema}.merged")) == [(0, "old"), (1, "old"), (2, "old")]
    assert [t for t in server.tables if t.startswith(schema)] == [f"{schema}.merged"]
    assert sorted(path.name.partition("-")[0] for path in managed.iterdir()) == ["half", "late", "merged"]
    assert files_before <= set(merged.glob("*.parquet"))
    spark.sql(statements[0].replace("600000L", "0L"))
    assert spark.table(f"{schema}.merged").count() == 8
    spark.sql(f"CREATE TABLE {schema}.half AS SELECT 1 AS a")
    spark.sql(statements[2])
    assert rows(spark, f"SELECT half.a, late.a FROM {schema}.half CROSS JOIN {schema}.late") == [(1, 1)]
