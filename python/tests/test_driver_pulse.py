"""A driver that does not answer: when that is told, and when it is ended."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest
from headrace_runtime import driver_pulse
from headrace_runtime.driver_pulse import DriverPulse, PulseLimits, read_limits


class Told:
    """What the pulse has told, in order."""

    def __init__(self) -> None:
        self.all: list[str] = []
        self.is_there = True

    def say(self, word: str) -> None:
        self.all.append(word)

    def end(self, reason: str) -> None:
        self.all.append(f"ended: {reason}")
        self.is_there = False

    def pulse(self, ask: Callable[[], object], limits: PulseLimits) -> DriverPulse:
        return DriverPulse(
            1,
            limits,
            ask=ask,
            is_there=lambda: self.is_there,
            on_silent=self.say,
            on_answer=lambda: self.say("answers"),
            on_end=self.end,
        )


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver_pulse, "ASK_EVERY_SECONDS", 0.001)
    monkeypatch.setattr(driver_pulse, "LOOK_SECONDS", 0.01)


def test_a_driver_that_falls_silent_and_answers_again() -> None:
    told, released = Told(), threading.Event()
    asked = 0

    def ask() -> None:
        nonlocal asked
        asked += 1
        if asked == 2:
            released.wait(30)
        told.is_there = asked < 4

    async def run() -> None:
        watched = asyncio.create_task(told.pulse(ask, PulseLimits(0.05, 600)).run())
        while not told.all:
            await asyncio.sleep(0.01)
        released.set()
        await watched

    asyncio.run(run())
    assert [word.split(" since ")[0] for word in told.all] == [
        "the Spark driver (process 1) does not answer",
        "answers",
    ]
    assert "it is ended and replaced" in told.all[0]


def test_a_driver_that_stays_silent_is_ended() -> None:
    told, released = Told(), threading.Event()

    asyncio.run(told.pulse(lambda: released.wait(1), PulseLimits(0.05, 0.1)).run())

    released.set()
    assert len(told.all) == 2
    assert told.all[1].startswith("ended: The Spark driver (process 1) did not answer for 0.1 s and was ended.")


def test_a_broken_connection_is_no_answer() -> None:
    told = Told()

    def ask() -> None:
        raise ConnectionError

    asyncio.run(told.pulse(ask, PulseLimits(0.05, 0.1)).run())

    assert told.all[-1].startswith("ended: ")


def test_time_in_which_the_host_itself_stood_still_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    told, released = Told(), threading.Event()

    async def run() -> None:
        watched = asyncio.create_task(told.pulse(lambda: released.wait(30), PulseLimits(0.5, 600)).run())
        await asyncio.sleep(0.03)
        threading.Event().wait(1)  # the loop sleeps, as a machine does
        await asyncio.sleep(0.03)
        released.set()
        told.is_there = False
        await watched

    asyncio.run(run())
    assert told.all == []


def test_limits_are_the_clusters() -> None:
    assert read_limits({}) == (60, 600)
    conf = {"spark.headrace.driverSilence": "90s", "spark.headrace.driverTimeout": "1h"}
    assert read_limits(conf) == (90, 3600)
    assert read_limits({"spark.headrace.driverSilence": "1h"}) == (3600, 3600)
    with pytest.raises(ValueError, match="spark.headrace.driverTimeout: 'soon' is not a time such as 90s"):
        read_limits({"spark.headrace.driverTimeout": "soon"})
