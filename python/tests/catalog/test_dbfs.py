"""dbfs:/ and volumes: plain files below the data root, and nothing else."""

from __future__ import annotations

import contextlib
import random
from pathlib import Path
from typing import Any

import pytest

from .catalog_server import CatalogServer
from .test_tables import rows

# Of no other file.
HIDDEN_BYTES = 4_242


def test_files_are_plain_and_without_checksums(spark: Any, data_root: Path) -> None:
    landing = data_root / "dbfs" / "landing"
    landing.mkdir(parents=True)
    (landing / "in put.csv").write_text("a\n1\n")

    frame = spark.read.option("header", "true").csv("dbfs:/landing")
    frame.write.mode("overwrite").json("dbfs:/out")

    assert frame.inputFiles() == ["dbfs:/landing/in%20put.csv"]
    written = [path.name for path in (data_root / "dbfs" / "out").iterdir()]
    assert "_SUCCESS" in written and not [name for name in written if name.endswith(".crc")]
    assert spark.read.json("dbfs:///out").count() == 1


def test_volumes_have_a_folder_of_their_own(spark: Any, data_root: Path) -> None:
    spark.range(3).write.mode("overwrite").parquet("dbfs:/Volumes/dev/default/files/x")

    assert (data_root / "volumes" / "dev" / "default" / "files" / "x" / "_SUCCESS").exists()
    assert spark.read.parquet("dbfs:/Volumes/dev/default/files/x").count() == 3


def test_delta_tables_live_on_dbfs_also_as_external_tables(
    spark: Any, server: CatalogServer, schema: str, data_root: Path
) -> None:
    spark.sql(f"CREATE TABLE {schema}.t USING delta LOCATION 'dbfs:/ext/t' AS SELECT 1 AS a")
    spark.sql(f"INSERT INTO {schema}.t VALUES (2)")
    spark.sql(f"CREATE TABLE {schema}.u (a INT) LOCATION '/Volumes/dev/default/files/u'")

    assert sorted(rows(spark, f"SELECT a FROM {schema}.t")) == [(1,), (2,)]
    assert server.table(f"{schema}.t")["storage_location"] == "dbfs:/ext/t"
    assert server.table(f"{schema}.u")["storage_location"] == "dbfs:/Volumes/dev/default/files/u"
    log = data_root / "dbfs" / "ext" / "t" / "_delta_log"
    assert [path.name for path in sorted(log.glob("*.json"))] == [
        "00000000000000000000.json",
        "00000000000000000001.json",
    ]
    assert not [path for path in log.rglob("*") if path.suffix == ".tmp"]


def test_streams_keep_their_checkpoints_on_dbfs(spark: Any, schema: str) -> None:
    spark.range(3).write.saveAsTable(f"{schema}.source")

    for _ in range(2):
        spark.readStream.table(f"{schema}.source").writeStream.option("checkpointLocation", "dbfs:/check/s").trigger(
            availableNow=True
        ).toTable(f"{schema}.target").awaitTermination(60)

    assert spark.table(f"{schema}.target").count() == 3


@pytest.mark.parametrize(
    "path", ["dbfs:/../secret", "dbfs:/a/../../secret", "dbfs:/Volumes/../../secret", "dbfs:/link/secret"]
)
def test_what_leads_outside_is_refused(spark: Any, data_root: Path, path: str) -> None:
    (data_root / "secret").mkdir(exist_ok=True)
    link = data_root / "dbfs" / "link"
    link.parent.mkdir(exist_ok=True)
    if not link.is_symlink():
        link.symlink_to(data_root)

    with pytest.raises(Exception, match="leads outside of dbfs"):
        spark.read.text(path).collect()
    with pytest.raises(Exception, match="leads outside of dbfs"):
        spark.range(1).write.mode("append").parquet(f"{path}/made")


def test_roots_cannot_be_deleted(spark: Any) -> None:
    path = spark._jvm.org.apache.hadoop.fs.Path("dbfs:/")
    files = path.getFileSystem(spark.sparkContext._jsc.hadoopConfiguration())

    with pytest.raises(Exception, match="is a root and cannot be deleted"):
        files.delete(path, True)
    with pytest.raises(Exception, match="is a root and cannot be deleted"):
        files.delete(spark._jvm.org.apache.hadoop.fs.Path("dbfs:/Volumes"), True)
    with pytest.raises(Exception, match="is a root and cannot be renamed"):
        files.rename(path, spark._jvm.org.apache.hadoop.fs.Path("dbfs:/moved"))
    with pytest.raises(Exception, match="does not exist"):
        files.getFileStatus(spark._jvm.org.apache.hadoop.fs.Path("dbfs:/none"))


def test_no_name_of_any_kind_reaches_a_file_outside(spark: Any, data_root: Path) -> None:
    outside = data_root / "outside"
    outside.mkdir(exist_ok=True)
    (outside / "hidden").write_bytes(b"x" * HIDDEN_BYTES)
    (outside / "only-outside").touch()
    for place in ("dbfs", "volumes", "volumes/main"):
        (data_root / place).mkdir(exist_ok=True)
        for name, target in (("up", ".."), ("away", str(outside)), ("file", str(outside / "hidden")), ("loop", "loop")):
            if not (data_root / place / name).is_symlink():
                (data_root / place / name).symlink_to(target)
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    parts = ["..", ".", "", "up", "away", "file", "loop", "outside", "hidden", "Volumes", "main", "%2e%2e", "a"]
    make = spark._jvm.org.apache.hadoop.fs.Path
    files = make("dbfs:/").getFileSystem(spark.sparkContext._jsc.hadoopConfiguration())

    reached = 0
    for _ in range(200):
        name = "dbfs:/" + "/".join(chance.choice(parts) for _ in range(chance.randrange(1, 7)))
        with contextlib.suppress(Exception):
            files.delete(make(name + "/hidden"), False)
        with contextlib.suppress(Exception):
            files.createNewFile(make(name + "/hidden"))
        try:
            found = files.getFileStatus(make(name))
            names = [each.getPath().getName() for each in files.listStatus(make(name))] if found.isDirectory() else []
        except Exception:
            continue
        reached += 1
        assert found.getLen() != HIDDEN_BYTES, (seed, name)
        assert "only-outside" not in names, (seed, name)

    assert reached > 0
    assert sorted(path.name for path in outside.iterdir()) == ["hidden", "only-outside"], seed
    assert (outside / "hidden").stat().st_size == HIDDEN_BYTES, seed
