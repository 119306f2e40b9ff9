from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from headrace_runtime.driver_lending import DriverLending
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


class EarlyDriver:
    """Starts at once; notes why it was ended."""

    def __init__(self) -> None:
        self.state = "none"
        self.ended: list[str] = []

    async def start(self) -> None:
        """Asked for by the warm-up."""
        self.state = "ready"

    async def warm_up(self) -> None:
        """A write that takes no time."""

    async def attach(self, attempt_id: int, jars: list[str]) -> dict[str, Any]:
        """A task's session."""
        return {"port": attempt_id, "jars": jars}

    def kill(self, reason: str) -> None:
        """Noted."""
        self.ended.append(reason)


class HostOfOne:
    """A host with one live attempt, and no Spark of its own."""

    def __init__(self) -> None:
        self.config = {"runtime": None, "warm_up": True}
        attempt = SimpleNamespace(is_live=True, attach_key="k", is_attached=False, attaching=None)
        self.attempts = {1: attempt}


@pytest.mark.parametrize("is_used", [True, False])
def test_a_driver_that_was_started_early_ends_unless_a_task_uses_it(is_used: bool) -> None:
    driver = EarlyDriver()

    async def live() -> None:
        lending = DriverLending(cast(Any, HostOfOne()))
        lending.driver = cast(Driver, driver)
        await lending.warm_up(50)
        if is_used:
            await lending.attach(1, "k", [])
        await asyncio.sleep(0.3)

    asyncio.run(live())

    assert len(driver.ended) == (0 if is_used else 1)


def test_a_driver_that_was_there_before_stays() -> None:
    driver = EarlyDriver()
    driver.state = "ready"

    async def live() -> None:
        lending = DriverLending(cast(Any, HostOfOne()))
        lending.driver = cast(Driver, driver)
        await lending.warm_up(10)
        await asyncio.sleep(0.1)

    asyncio.run(live())

    assert driver.ended == []
