"""Lends the cluster's Spark driver to attempts: who may attach, what they leave behind, and when it is warmed up."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from .executor_watch import ExecutorChange
from .java_command import conf_of_cluster
from .jvm import Driver, DriverError

if TYPE_CHECKING:
    from .host import Host
    from .hosted import Attempt

# A cancelled job's threads end within a second; a thread that is still busy after this is busy with something else.
PROOF_SECONDS_MAX = 15.0
# The JVM is killed, not asked.
DEATH_SECONDS_MAX = 30.0
DEATH_POLL_SECONDS = 0.02


class DriverLending:
    """The driver of a host, or none when the host was set up without Spark."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._is_warm = False
        self._said: dict[str, Any] | None = None
        self._unused: asyncio.TimerHandle | None = None
        self.driver: Driver | None = None
        config = host.config
        if config["runtime"] is not None:
            self.driver = Driver(
                runtime=config["runtime"],
                folder=host.folder,
                spark_conf=conf_of_cluster(config),
                data_root=config["data_root"],
                on_state=self._on_state,
                on_death=self._on_death,
                place=config.get("spark_place"),
                on_executors=self._on_executors,
            )

    @property
    def state(self) -> str:
        """For `hello`."""
        return "none" if self.driver is None else self.driver.state

    @property
    def wants_warm_up(self) -> bool:
        """Whether the driver has been used and its first Delta write is still to come."""
        return bool(self._host.config["warm_up"]) and self.state == "ready" and not self._is_warm

    async def attach(self, attempt_id: int, key: str, jars: list[str]) -> dict[str, Any]:
        """A task asks for Spark, with jars that its session shall load; its key is good for one answer."""
        attempt = self._host.attempts.get(attempt_id)
        if attempt is None or not attempt.is_live or attempt.attach_key != key:
            return {"error": "this task has no right to the cluster (any more)", "code": "CLUSTER_ERROR"}
        if self.driver is None:
            return {"error": "this host was set up without Spark", "code": "CLUSTER_ERROR"}
        attempt.attach_key = None
        attempt.is_attached = True
        self._forget_unused()
        attempt.attaching = asyncio.ensure_future(self.driver.attach(attempt_id, jars))
        try:
            return {**await attempt.attaching}
        except DriverError as error:
            return {"error": str(error), "code": "CLUSTER_ERROR"}
        except asyncio.CancelledError:
            return {"error": "the task has ended", "code": "CLUSTER_ERROR"}
        except Exception as error:
            return {"error": f"the Spark driver gave no session: {error}", "code": "DRIVER_ERROR"}

    async def cancel(self, attempt: Attempt) -> None:
        """Cancel the attempt's jobs."""
        if attempt.is_attached and self.driver is not None:
            await self.driver.cancel(attempt.attempt_id)

    async def leave(self, attempt: Attempt) -> None:
        """Until nothing of the attempt is left in the driver; at worst, because there is no driver any more."""
        if not attempt.is_attached or self.driver is None:
            return
        if attempt.attaching is not None:
            if self.state not in ("ready", "not_responding"):
                attempt.attaching.cancel()  # nothing is open yet, and the driver's start may take long
            # A gateway that opens after its task has ended would stay for ever.
            while not attempt.attaching.done():
                await asyncio.wait({attempt.attaching}, timeout=PROOF_SECONDS_MAX)
                if self.state == "not_responding":
                    await self._end_for(attempt)
        if not await self.driver.close(attempt.attempt_id, PROOF_SECONDS_MAX):
            await self._end_for(attempt)

    async def _end_for(self, attempt: Attempt) -> None:
        assert self.driver is not None
        self.driver.kill(f"Spark was restarted: attempt {attempt.attempt_id} could not be ended otherwise")
        await self._await_death()

    async def warm_up(self, unused_ms: int | None = None) -> None:
        """Start the driver, and pay for its first Delta write; it ends again if no task uses it within `unused_ms`."""
        if self.driver is None:
            return
        if unused_ms is not None and self.state in ("none", "failed"):
            self._forget_unused()
            loop = asyncio.get_running_loop()
            self._unused = loop.call_later(unused_ms / 1000, self._end_unused)
        try:
            await self.driver.start()
            if not self._is_warm:
                self._is_warm = True
                await self.driver.warm_up()
        except Exception as error:
            if not self._host.is_shutting_down:
                self._host.say({"op": "error", "message": f"warming up failed: {error}"})

    def _end_unused(self) -> None:
        self._unused = None
        if self.driver is not None:
            self.driver.kill("Spark was started early, and no task came for it")

    def _forget_unused(self) -> None:
        if self._unused is not None:
            self._unused.cancel()
            self._unused = None

    async def end(self) -> None:
        """The host is being shut down."""
        if self.driver is not None:
            self.driver.kill("the cluster was stopped")
            await self._await_death()

    async def _await_death(self) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + DEATH_SECONDS_MAX
        while self.driver is not None and self.driver.pid is not None and loop.time() < deadline:
            await asyncio.sleep(DEATH_POLL_SECONDS)

    def _on_state(self, state: str, message: str, jvm_pid: int | None) -> None:
        # It may quote the end of the driver's log.
        message = self._host.secrets.redact_text(message)
        self._said = {"op": "spark", "state": state, "message": message, "jvm_pid": jvm_pid}
        self._host.say(self._said)

    def say_again(self) -> None:
        """To a worker that came back: what is wrong with the driver, which the greeting does not tell."""
        if self._said is not None and self._said["state"] == "not_responding":
            self._host.say(self._said)

    def _on_executors(self, message: str, change: ExecutorChange) -> None:
        assert self.driver is not None
        frame = {"op": "spark", "state": self.state, "message": message, "jvm_pid": self.driver.pid}
        self._host.say({**frame, "executors": change})

    def _on_death(self, message: str) -> None:
        """Whoever used it fails with this reason, unless it succeeds without."""
        self._is_warm = False
        message = self._host.secrets.redact_text(message)
        for attempt in self._host.attempts.values():
            if attempt.is_attached and attempt.is_live:
                attempt.driver_message = message
