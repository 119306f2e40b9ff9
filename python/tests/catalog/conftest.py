"""One stand-in server and one Spark session for all catalog tests: a session costs as much as twenty of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .catalog_server import CatalogServer
from .spark_host import DriverJvm, catalog_conf, spark_conf

TOKEN = "hrt_test"


@pytest.fixture(scope="session")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "root"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def external_location(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What HEADRACE_EXTERNAL_LOCATIONS names."""
    return tmp_path_factory.mktemp("share")


@pytest.fixture(scope="session")
def server(data_root: Path) -> Iterator[CatalogServer]:
    server = CatalogServer(data_root, TOKEN, ("dev", "main"))
    yield server
    server.http.shutdown()


@pytest.fixture(scope="session")
def spark(
    server: CatalogServer, data_root: Path, external_location: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("jvm")
    catalogs = catalog_conf("dev", server.url, TOKEN) | catalog_conf("main", server.url, TOKEN)
    # One that is not there, one around the data root, one that a volume may be in.
    locations = {"spark.hadoop.headrace.external.locations": f"/none, {data_root.parent}, {external_location}"}
    jvm = DriverJvm(folder, spark_conf(folder, data_root, {**catalogs, **locations}))
    os.environ["PYSPARK_GATEWAY_PORT"] = str(jvm.port)
    os.environ["PYSPARK_GATEWAY_SECRET"] = jvm.secret
    try:
        from pyspark.sql import SparkSession

        session = SparkSession.builder.getOrCreate()
        session.sparkContext.setLogLevel("ERROR")
        yield session
        session.stop()
    finally:
        jvm.kill()
        forget_gateway()


def forget_gateway() -> None:
    """So that other tests of this process may start a Spark of their own."""
    from pyspark import SparkContext

    os.environ.pop("PYSPARK_GATEWAY_PORT", None)
    os.environ.pop("PYSPARK_GATEWAY_SECRET", None)
    SparkContext._gateway = SparkContext._jvm = None


@pytest.fixture
def schema(server: CatalogServer, request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty schema of catalog dev, per test: `dev.<name of the test>`."""
    name = request.node.name.lower().replace("[", "_").replace("]", "")[:60]
    server.faults.clear()
    server.add_schema({"catalog_name": "dev", "name": name})
    yield f"dev.{name}"
    server.faults.clear()
    server.drop_schema(f"dev.{name}", force=True)
