"""Paths inside SQL texts, named as Python names them; and texts that only look like paths."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from .test_tables import rows

VOLUME = "/Volumes/dev/default/paths"


@pytest.fixture
def csv(data_root: Path) -> str:
    folder = data_root / "volumes" / "dev" / "default" / "paths" / "in"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "it's ü 🚰.csv").write_text("a\n1\n")
    return f"{VOLUME}/in"


def rewrite(spark: Any, text: str) -> str:
    root = spark.sparkContext._jsc.hadoopConfiguration().get("headrace.data.root")
    return str(spark._jvm.io.headrace.sql.PathRewriter(root).rewrite(text))


def test_files_are_queried_by_their_format(spark: Any, csv: str) -> None:
    assert rows(spark, f"SELECT count(*) FROM csv.`{csv}`") == [(2,)]
    assert spark.table(f"csv.`{csv}`").count() == 2
    found = spark.sql(f"SELECT '🚰' AS a, _c0 FROM csv.`{csv}` WHERE _c0 = :v", args={"v": "1"}).collect()
    assert [tuple(row) for row in found] == [("🚰", "1")]


def test_the_workspace_and_dbfs_are_found_too(spark: Any, data_root: Path) -> None:
    for folder in ("workspace/Shared", "dbfs/landing2"):
        (data_root / folder).mkdir(parents=True, exist_ok=True)
        (data_root / folder / "a.txt").write_text(f"{folder}\n")

    assert rows(spark, "SELECT * FROM text.`/Workspace/Shared/a.txt`") == [("workspace/Shared",)]
    assert rows(spark, "SELECT * FROM text.`/dbfs/landing2/a.txt`") == [("dbfs/landing2",)]
    assert rows(spark, "SELECT * FROM text.`dbfs:/landing2/a.txt`") == [("dbfs/landing2",)]


def test_views_tables_and_folders_take_paths(spark: Any, csv: str, schema: str, data_root: Path) -> None:
    spark.sql(f"CREATE OR REPLACE TEMP VIEW v USING csv OPTIONS (path '{csv}', header 'true')")
    spark.sql(f"CREATE TABLE {schema}.e (a INT) USING delta LOCATION '{VOLUME}/e'")
    spark.sql(f"INSERT INTO {schema}.e SELECT CAST(a AS INT) FROM v")
    spark.sql(f"INSERT OVERWRITE DIRECTORY '{VOLUME}/out' USING parquet SELECT * FROM v")

    assert rows(spark, f"SELECT * FROM delta.`{VOLUME}/e`") == [(1,)]
    assert rows(spark, f"SELECT * FROM parquet.`{VOLUME}/out`") == [("1",)]
    assert (data_root / "volumes" / "dev" / "default" / "paths" / "e" / "_delta_log").is_dir()


def test_commands_of_delta_take_paths(spark: Any) -> None:
    spark.range(3).write.format("delta").mode("overwrite").save(f"dbfs:{VOLUME}/d")

    spark.sql(f"UPDATE delta.`{VOLUME}/d` SET id = 9 WHERE id = 0")
    spark.sql(f"OPTIMIZE '{VOLUME}/d'")
    spark.sql(f"OPTIMIZE delta.`{VOLUME}/d`")
    spark.sql(f"VACUUM '{VOLUME}/d'")

    assert spark.sql(f"DESCRIBE DETAIL '{VOLUME}/d'").first()["location"] == f"dbfs:{VOLUME}/d"
    assert spark.sql(f"DESCRIBE HISTORY '{VOLUME}/d'").count() >= 2
    assert not Path(VOLUME).exists()


def test_values_are_left_alone(spark: Any) -> None:
    value = f"{VOLUME}/in"

    assert rows(spark, f"SELECT '{value}' AS p, path FROM VALUES ('{value}') AS t(path) WHERE path = '{value}'") == [
        (value, value)
    ]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM t WHERE location = '/Volumes/a'",
        "SELECT * FROM t WHERE path = '/Volumes/a' -- LOCATION '/Volumes/a'",
        "/* LOCATION '/Volumes/a' */ SELECT 1",
        "CREATE TABLE t (a INT COMMENT '/Volumes/a') LOCATION '/Volumesque/a'",
        "CREATE TABLE t LOCATION '/Volumes/../etc'",
        "CREATE TABLE t TBLPROPERTIES (path = '/Volumes/a')",
        "SELECT s.`/Volumes/a` FROM s",
        "SELECT * FROM main.json.`/Volumes/a`",
        "SELECT 'LOCATION ''/Volumes/a'''",
        "this is no SQL '/Volumes/a",
    ],
)
def test_what_is_no_path_stays(spark: Any, text: str) -> None:
    assert rewrite(spark, text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("create table t location \"/Volumes\"", "create table t location \"dbfs:/Volumes\""),
        ("LOAD DATA INPATH '/dbfs/a'", "LOAD DATA INPATH 'dbfs:/a'"),
        ("OPTIONS ('path' = '/Volumes/a', x '/Volumes/b')", "OPTIONS ('path' = 'dbfs:/Volumes/a', x '/Volumes/b')"),
        ("ADD JAR '/Volumes/a.jar'", "ADD JAR 'dbfs:/Volumes/a.jar'"),
        ("SELECT '🚰ßŉ' FROM CSV.`/Volumes/🚰` x JOIN Json.`/dbfs/b`", "SELECT '🚰ßŉ' FROM CSV.`dbfs:/Volumes/🚰` x JOIN Json.`dbfs:/b`"),
    ],
)  # fmt: skip
def test_places_of_paths_are_seen(spark: Any, text: str, expected: str) -> None:
    assert rewrite(spark, text) == expected


def test_a_prefix_that_is_our_own_folder_stays_ours(spark: Any, data_root: Path, tmp_path: Path) -> None:
    is_somebody_elses = spark._jvm.io.headrace.sql.PathRewriter(str(data_root)).isSomebodyElses
    file = spark._jvm.java.io.File
    (tmp_path / "link").symlink_to(data_root)

    # A mount, as the prefixes are in the namespace of a task, and as others make them.
    assert not is_somebody_elses(file("/dev"), file("/dev/."))
    assert is_somebody_elses(file("/dev"), file(str(data_root)))
    assert not is_somebody_elses(file(str(tmp_path / "link")), file(str(data_root)))


def test_many_paths_in_one_text_take_no_square_of_their_number(spark: Any) -> None:
    literals = ", ".join(f"'/Volumes/a/{number}'" for number in range(60_000))
    files = " UNION ALL ".join(f"SELECT * FROM csv.`/Volumes/🚰/{number}`" for number in range(5_000))
    text = f"SELECT * FROM t WHERE p IN ({literals}) UNION ALL {files}"

    began_at = time.monotonic()
    rewritten = rewrite(spark, text)

    assert rewritten == text.replace("`/Volumes/", "`dbfs:/Volumes/")
    # 40,000 literals took 1.5 s, and 40 s with the square (2 cores, November 2026).
    assert time.monotonic() - began_at < 30
