from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.attempts import Workspace
from support.spark_host import SparkHost, find_runtime


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


@pytest.fixture(scope="module")
def spark_host() -> Iterator[SparkHost]:
    """One JVM for all tests of a file that need one; the last of them may end it."""
    runtime = find_runtime()
    if runtime is None:
        pytest.fail("no .runtime: run `node scripts/setup.mjs` first")
    host = SparkHost(runtime)
    yield host
    host.close()


@pytest.fixture
def spark_workspace(tmp_path: Path, spark_host: SparkHost) -> Workspace:
    """A workspace whose tasks can attach to Spark."""
    workspace = Workspace(tmp_path)
    workspace.environment = spark_host.environment()
    return workspace
