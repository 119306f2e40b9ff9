"""Asks the driver JVM again and again whether it is there: a JVM that is stopped, or stuck, does not say so.

The question is one call over a connection of its own, so nothing that tasks do holds it up. A collection of the heap, or
a machine under heavy load, delays an answer by seconds; the limits are far beyond. Time counts only while the host itself
runs: a machine that slept has asked nothing meanwhile.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from typing import NamedTuple

ASK_EVERY_SECONDS = 5.0
LOOK_SECONDS = 0.5
# Without an answer for so long, people are told; then, that it is ended.
TOLD_CONF, TOLD_SECONDS = "spark.headrace.driverSilence", 60.0
ENDED_CONF, ENDED_SECONDS = "spark.headrace.driverTimeout", 600.0
_UNITS = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}


class PulseLimits(NamedTuple):
    """In seconds without an answer."""

    told: float
    ended: float


def read_limits(conf: dict[str, str]) -> PulseLimits:
    """As the cluster sets them; raises ValueError with a sentence."""
    told = _read_seconds(conf, TOLD_CONF, TOLD_SECONDS)
    return PulseLimits(told, max(told, _read_seconds(conf, ENDED_CONF, ENDED_SECONDS)))


def _read_seconds(conf: dict[str, str], name: str, default: float) -> float:
    written = conf.get(name)
    if written is None:
        return default
    found = re.fullmatch(r"(\d+)\s*([a-z]*)", written.strip())
    if found is None or found[2] not in _UNITS or int(found[1]) == 0:
        raise ValueError(f"{name}: '{written}' is not a time such as 90s, 10m or 1h")
    return float(int(found[1]) * _UNITS[found[2]])


def open_question(port: int, secret: str) -> Callable[[], object]:
    """The call that any JVM answers which runs; it blocks until then."""
    from py4j.clientserver import ClientServer, JavaParameters, PythonParameters

    client = ClientServer(
        java_parameters=JavaParameters(port=port, auth_token=secret),
        python_parameters=PythonParameters(port=0, eager_load=False),
    )

    def ask() -> object:
        return client.jvm.java.lang.System.nanoTime()

    return ask


class DriverPulse:
    """Of one driver, from the moment at which it is ready until it is gone."""

    def __init__(
        self,
        pid: int,
        limits: PulseLimits,
        *,
        ask: Callable[[], object],
        is_there: Callable[[], bool],
        on_silent: Callable[[str], None],
        on_answer: Callable[[], None],
        on_end: Callable[[str], None],
    ) -> None:
        self._pid = pid
        self._limits = limits
        self._ask = ask
        self._is_there = is_there
        self._on_silent = on_silent
        self._on_answer = on_answer
        self._on_end = on_end
        # Of its own: all of the driver's may wait for an answer themselves.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="driver-pulse")

    async def run(self) -> None:
        """Until the driver is gone."""
        try:
            while self._is_there():
                await self._ask_once()
                await asyncio.sleep(min(ASK_EVERY_SECONDS, self._limits.told / 2))
        finally:
            self._thread.shutdown(wait=False)

    async def _ask_once(self) -> None:
        loop = asyncio.get_running_loop()
        asked_at = datetime.now(timezone.utc)
        silent, is_told = 0.0, False
        answer = self._begin()
        while self._is_there():
            looked_at = loop.time()
            await asyncio.wait({answer}, timeout=LOOK_SECONDS)
            if answer.done():
                if answer.exception() is None:
                    if is_told:
                        self._on_answer()
                    return
                # A broken connection is no answer; that the JVM has gone shows otherwise.
                await asyncio.sleep(LOOK_SECONDS)
                answer = self._begin()
            silent += min(loop.time() - looked_at, 2 * LOOK_SECONDS)
            if not is_told and silent >= self._limits.told:
                is_told = True
                self._on_silent(self._describe_silence(asked_at))
            if silent >= self._limits.ended:
                self._on_end(self._describe_end())
                return

    def _begin(self) -> asyncio.Future[object]:
        answer = asyncio.get_running_loop().run_in_executor(self._thread, self._ask)
        # One that comes when nobody waits for it any more, because the driver has gone.
        answer.add_done_callback(lambda done: done.cancelled() or done.exception())
        return answer

    def _describe_silence(self, since: datetime) -> str:
        how = ", for it is stopped (SIGSTOP)" if _is_stopped(self._pid) else ""
        return (
            f"the Spark driver (process {self._pid}) does not answer since {since:%Y-%m-%dT%H:%M:%SZ}{how}: what uses "
            f"Spark waits, and without an answer within {_in_words(self._limits.ended)} it is ended and replaced"
        )

    def _describe_end(self) -> str:
        return (
            f"The Spark driver (process {self._pid}) did not answer for {_in_words(self._limits.ended)} and was ended. "
            f"The next task that uses Spark gets another; {ENDED_CONF} sets another time."
        )


def _is_stopped(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b") ")[2][:1] == b"T"
    except OSError:
        return False


def _in_words(seconds: float) -> str:
    return f"{seconds / 60:g} min" if seconds >= 120 else f"{seconds:g} s"
