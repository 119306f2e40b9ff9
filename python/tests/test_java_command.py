"""Where the JVMs of a host put their temporary files."""

from __future__ import annotations

from pathlib import Path

import pytest
from headrace_runtime import java_command
from headrace_runtime.java_command import Runtime, conf_of_cluster, java_options, make_temporary

RUNTIME: Runtime = {"java": "java", "sparkHome": "", "classPath": [], "jvmOptions": [], "classDataArchive": None}


def test_they_are_below_the_folder_of_the_host_whatever_disks_spark_has(tmp_path: Path) -> None:
    assert make_temporary(str(tmp_path), "/disk1,/disk2") == str(tmp_path / "java-tmp")
    assert (tmp_path / "java-tmp").is_dir()


def test_in_a_pod_each_host_has_its_own_on_the_disk_of_the_pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = tmp_path / "spark-local"
    monkeypatch.setattr(java_command, "POD_LOCAL_DIR", str(disk))

    assert make_temporary("/claim/hosts/7", str(disk)) == str(disk / "java-tmp" / "7")


def test_a_folder_that_cannot_be_made_leaves_java_its_own_choice(tmp_path: Path) -> None:
    (tmp_path / "java-tmp").write_text("no folder")

    temporary = make_temporary(str(tmp_path), "")

    assert temporary is None
    assert "tmpdir" not in " ".join(java_options(RUNTIME, heap="1g", temporary=temporary, options=[]))


def test_a_cluster_cannot_allow_itself_folders_outside_of_the_data_root() -> None:
    key = "spark.hadoop.headrace.external.locations"
    config = {"spark_conf": {key: "/", "spark.master": "local[2]"}, "external_locations": ["/a", "/b c"]}

    assert conf_of_cluster(config) == {key: "/a,/b c", "spark.master": "local[2]"}
    assert conf_of_cluster({"spark_conf": {key: "/"}}) == {key: ""}


def test_a_cluster_that_runs_sql_alone_cannot_replace_the_guard_of_its_files() -> None:
    wanted = {java_command.GUARDED: "true", "spark.hadoop.fs.file.impl": "org.apache.hadoop.fs.RawLocalFileSystem"}

    conf = java_command.base_conf("/state/hosts/one", "/state/data", wanted)

    assert conf["spark.hadoop.fs.file.impl"] == "io.headrace.fs.GuardedFileSystem"
    assert conf["spark.hadoop.headrace.guard.closed"] == "/state"
    assert "spark.hadoop.fs.file.impl" not in java_command.base_conf("/state/hosts/one", "/state/data", {})
