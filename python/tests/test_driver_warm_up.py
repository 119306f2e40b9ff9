from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest
from headrace_runtime.jvm import Driver
from headrace_runtime.spark_gateways import DriverLink

ON_PODS = {"spark.master": "k8s://https://kubernetes.default.svc"}


class Link:
    """Of a JVM; notes what it is asked to write."""

    def __init__(self) -> None:
        self.written: list[str] = []

    def warm_up(self, folder: str) -> None:
        """Asked for by the driver."""
        self.written.append(folder)


@pytest.mark.parametrize(
    ("own", "of_place", "times"),
    [
        ({}, {}, 1),
        ({"spark.master": "local[4]"}, {}, 1),
        # Its executors would write into a folder that they do not have.
        ({"spark.master": "local[2]"}, ON_PODS, 0),
        ({"spark.master": "spark://elsewhere:7077"}, {}, 0),
    ],
)
def test_only_a_driver_without_executors_is_warmed_up(
    tmp_path: Path, own: dict[str, str], of_place: dict[str, str], times: int
) -> None:
    driver = Driver(
        runtime=cast(Any, {}),
        folder=str(tmp_path),
        spark_conf=own,
        data_root=str(tmp_path),
        on_state=lambda state, message, pid: None,
        on_death=lambda message: None,
        place={"conf": of_place, "watch": None},
    )
    link = Link()
    driver._link = cast(DriverLink, link)

    asyncio.run(driver.warm_up())

    assert len(link.written) == times
