"""Starts a driver JVM as Headrace's hosts do, with the catalog plug-in, for these tests alone."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import time
from pathlib import Path
from typing import Any

from headrace_runtime.java_command import SQL_EXTENSIONS

REPOSITORY = Path(__file__).resolve().parents[3]


def read_runtime() -> dict[str, Any]:
    """What scripts/setup.mjs made. Without it these tests fail: a skipped catalog test would look like a passed one."""
    path = Path(os.environ.get("HEADRACE_RUNTIME_FILE", REPOSITORY / ".runtime" / "runtime.json"))
    if not path.exists():
        raise RuntimeError(
            f"{path} is absent: run `node scripts/setup.mjs` first; it fetches Spark and compiles jvm/src."
        )
    runtime: dict[str, Any] = json.loads(path.read_text())
    return runtime


def spark_conf(folder: Path, data_root: Path, catalog_conf: dict[str, str]) -> dict[str, str]:
    return {
        "spark.master": "local[2]",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.local.dir": str(folder / "scratch"),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.sql.extensions": SQL_EXTENSIONS,
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.sources.default": "delta",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.sources.parallelPartitionDiscovery.parallelism": "4",
        "spark.sql.legacy.parameterSubstitution.constantsOnly": "true",
        "spark.databricks.delta.snapshotPartitions": "1",
        "spark.hadoop.fs.dbfs.impl": "io.headrace.fs.DbfsFileSystem",
        "spark.hadoop.headrace.data.root": str(data_root),
        "spark.delta.logStore.dbfs.impl": "io.headrace.fs.AtomicLogStore",
        "spark.delta.logStore.file.impl": "io.headrace.fs.AtomicLogStore",
        **catalog_conf,
    }


def catalog_conf(catalog: str, url: str, token: str, retry_ms: int = 10_000) -> dict[str, str]:
    prefix = f"spark.sql.catalog.{catalog}"
    return {
        prefix: "io.unitycatalog.headrace.HeadraceCatalog",
        f"{prefix}.uri": url,
        f"{prefix}.token": token,
        f"{prefix}.deltaRestApi.enabled": "false",
        f"{prefix}.retryMs": str(retry_ms),
    }


class DriverJvm:
    """One JVM; `port` and `secret` are its py4j gateway's."""

    def __init__(self, folder: Path, conf: dict[str, str]) -> None:
        runtime = read_runtime()
        folder.mkdir(parents=True, exist_ok=True)
        connection_file = folder / "connection"
        archive = runtime.get("classDataArchive")
        command = [
            runtime["java"], "-Xmx1g", *runtime["jvmOptions"],
            *([f"-XX:SharedArchiveFile={archive}", "-Xshare:auto"] if archive else []),
            "-cp", ":".join(runtime["classPath"]), "org.apache.spark.deploy.SparkSubmit",
            *[word for key, value in conf.items() for word in ("--conf", f"{key}={value}")],
            "pyspark-shell",
        ]  # fmt: skip
        self.log = folder / "jvm.log"
        environment = {
            **os.environ,
            "_PYSPARK_DRIVER_CONN_INFO_PATH": str(connection_file),
            "SPARK_LOCAL_IP": "127.0.0.1",
        }
        with self.log.open("w") as log:
            # The JVM ends when its standard input closes, so it cannot outlive these tests.
            self.process = subprocess.Popen(
                command, env=environment, cwd=folder, stdin=subprocess.PIPE, stdout=log, stderr=log
            )
        deadline = time.monotonic() + 60
        while not connection_file.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the JVM did not start: {self.log.read_text()[-2000:]}")
            time.sleep(0.02)
        content = connection_file.read_bytes()
        self.port, length = struct.unpack("!ii", content[:8])
        self.secret = content[8 : 8 + length].decode()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(30)
