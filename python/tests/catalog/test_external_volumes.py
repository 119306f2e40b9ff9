"""External volumes in Spark: links out of the data root, of which only some are followed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .test_tables import rows


def make_volume(data_root: Path, name: str, target: Path) -> str:
    """As the server makes them, and as a task could."""
    link = data_root / "volumes" / "dev" / "external" / name
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.is_symlink():
        link.symlink_to(target)
    return f"/Volumes/dev/external/{name}"


@pytest.fixture
def share(external_location: Path) -> Path:
    folder = external_location / "share"
    folder.mkdir(exist_ok=True)
    return folder


def test_sql_texts_readers_and_delta_find_the_files_behind(
    spark: Any, data_root: Path, share: Path, schema: str
) -> None:
    volume = make_volume(data_root, "found", share)
    (share / "in.csv").write_text("a\n1\n")

    spark.sql(f"CREATE TABLE {schema}.t (a INT) LOCATION '{volume}/t'")
    spark.sql(f"INSERT INTO {schema}.t SELECT CAST(_c0 AS INT) FROM csv.`{volume}/in.csv` WHERE _c0 = '1'")
    spark.sql(f"INSERT INTO {schema}.t VALUES (2)")

    assert sorted(rows(spark, f"SELECT * FROM delta.`{volume}/t`")) == [(1,), (2,)]
    assert spark.read.text(f"dbfs:{volume}/in.csv").inputFiles() == [f"dbfs:{volume}/in.csv"]
    assert len(list((share / "t" / "_delta_log").glob("*.json"))) == 3


def test_a_volume_may_be_overwritten_whole_and_stays(spark: Any, data_root: Path, external_location: Path) -> None:
    whole = external_location / "whole"
    whole.mkdir()
    (whole / "old").touch()
    volume = make_volume(data_root, "whole", whole)

    spark.range(3).coalesce(1).write.mode("overwrite").parquet(f"dbfs:{volume}")

    assert spark.read.parquet(f"dbfs:{volume}").count() == 3
    assert whole.is_dir() and not (whole / "old").exists()
    assert (data_root / f"volumes/{volume.removeprefix('/Volumes/')}").is_symlink()


def test_links_to_elsewhere_are_refused(
    spark: Any, data_root: Path, external_location: Path, share: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("x")
    (share / "away").symlink_to(outside)
    (share / "beside").symlink_to(external_location)
    (data_root / "workspace").mkdir(exist_ok=True)
    deep = data_root / "volumes" / "dev" / "external" / "managed" / "link"
    deep.parent.mkdir(parents=True)
    deep.symlink_to(share)
    (data_root / "volumes" / "dev" / "away").symlink_to(outside)
    (outside / "v").symlink_to(share)
    (data_root / "dbfs").mkdir(exist_ok=True)
    (data_root / "dbfs" / "share").symlink_to(share)
    volume = make_volume(data_root, "guarded", share)
    names = [
        make_volume(data_root, "planted", outside),
        make_volume(data_root, "namesake", Path(f"{external_location}-2")),
        make_volume(data_root, "within", data_root / "workspace"),
        make_volume(data_root, "above", data_root.parent),
        make_volume(data_root, "dangling", external_location / "none"),
        f"{volume}/away/secret",
        f"{volume}/beside",
        "/Volumes/dev/external/managed/link",
        "/Volumes/dev/away/v",
        "/share",
    ]
    Path(f"{external_location}-2").mkdir()
    make = spark._jvm.org.apache.hadoop.fs.Path
    files = make("dbfs:/").getFileSystem(spark.sparkContext._jsc.hadoopConfiguration())

    for name in names:
        for reach in (files.listStatus, files.exists, files.mkdirs):
            with pytest.raises(Exception, match="leads outside of dbfs"):
                reach(make(f"dbfs:{name}"))
    assert files.exists(make(f"dbfs:{volume}"))
    with pytest.raises(Exception, match="is an external volume and cannot be renamed"):
        files.rename(make(f"dbfs:{volume}"), make("dbfs:/moved"))
