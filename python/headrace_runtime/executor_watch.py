"""Watches the executors that a Spark master gives to a driver, which by itself would wait for them for ever."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import urllib.request
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, TypedDict

POLL_SECONDS = 1.0
# Between two questions to a master whether it knows a driver that has no executor.
ASK_SECONDS = 5.0
# Looks that fail one after the other before it is told: a context that is just ending answers strangely, and then tells
# that it has.
FAILURES_MAX = 10
# A machine that does not answer within this is off, or behind a wall.
CONNECT_SECONDS_MAX = 10.0
MASTER_PAGE_SECONDS_MAX = 5.0
APPLICATIONS_SHOWN_MAX = 5
_ENDED = re.compile(r"Application has been killed\. Reason: (.*)")


class Wanted(TypedDict):
    """What the cluster asks for; the worker writes it into `config.json`."""

    master: str
    min: int
    max: int
    cores: int
    memory: str
    wait_seconds: int


class SparkPlace(TypedDict):
    """Where the driver works: settings on top of the cluster's own, and what to watch over."""

    conf: dict[str, str]
    watch: Wanted | None


class ExecutorFacts(NamedTuple):
    """How a driver is at the moment."""

    executors: int
    has_jobs: bool
    is_stopped: bool


class ExecutorChange(TypedDict):
    """For the worker: so many executors there are, and so many there were."""

    master: str
    running: int
    before: int
    min: int
    max: int


class ExecutorWatch:
    """Of one driver, from the moment at which it is ready until it is gone."""

    def __init__(
        self,
        wanted: Wanted,
        *,
        look: Callable[[], Awaitable[ExecutorFacts | None]],
        ask_master: Callable[[], Awaitable[str]],
        is_forgotten: Callable[[], Awaitable[bool]],
        read_log: Callable[[], str],
        on_change: Callable[[str, ExecutorChange], None],
        on_failure: Callable[[str], None],
        on_sight: Callable[[Exception | None], None] = lambda error: None,
    ) -> None:
        self._wanted = wanted
        self._look = look
        self._ask_master = ask_master
        self._is_forgotten = is_forgotten
        self._read_log = read_log
        self._on_change = on_change
        self._on_failure = on_failure
        # Told when many looks have failed, with the last error, and when one succeeds again.
        self._on_sight = on_sight
        self._running = 0
        self._failures = 0
        self._served_at = self._asked_at = 0.0

    async def run(self) -> None:
        """Until the driver is gone, or has failed."""
        loop = asyncio.get_running_loop()
        self._served_at = self._asked_at = loop.time()
        while True:
            try:
                facts = await self._look()
                if facts is not None and self._is_short(facts):
                    facts = await self._ask(facts)
            except Exception as error:
                self._note_failure(error)
                await asyncio.sleep(POLL_SECONDS)
                continue
            self._note_sight()
            if facts is None or self._has_failed(facts):
                return
            self._tell(facts.executors)
            if not self._is_short(facts):
                self._served_at = self._asked_at = loop.time()
            await asyncio.sleep(POLL_SECONDS)

    async def has_ended(self) -> bool:
        """Whether Spark has given up by now; what it did with the driver is then done."""
        try:
            facts = await self._look()
        except Exception:
            return False  # the watch looks again
        return facts is not None and self._has_failed(facts)

    def _note_failure(self, error: Exception) -> None:
        self._failures += 1
        if self._failures == FAILURES_MAX:
            self._on_sight(error)

    def _note_sight(self) -> None:
        if self._failures >= FAILURES_MAX:
            self._on_sight(None)
        self._failures = 0

    def _is_short(self, facts: ExecutorFacts) -> bool:
        """One that has given up waits for none."""
        return not facts.is_stopped and facts.executors == 0 and (self._wanted["min"] > 0 or facts.has_jobs)

    async def _ask(self, facts: ExecutorFacts) -> ExecutorFacts | None:
        """How the driver is after the master has been asked, if it was time to; None when it has failed, or is gone."""
        now = asyncio.get_running_loop().time()
        failure = None
        if now - self._asked_at > ASK_SECONDS:
            self._asked_at = now
            if await self._is_forgotten():
                failure = describe_forgotten(self._wanted["master"])
        if failure is None and now - self._served_at > self._wanted["wait_seconds"]:
            failure = describe_shortage(self._wanted, await self._ask_master())
        if failure is None:
            return facts
        # An answer takes seconds: executors may have come meanwhile.
        latest = await self._look()
        if latest is None or not self._is_short(latest):
            return latest
        self._on_failure(failure)
        return None

    def _has_failed(self, facts: ExecutorFacts) -> bool:
        """Whether Spark has given up; the JVM stays behind, and would never run a job again."""
        if facts.is_stopped:
            self._on_failure(describe_end(self._wanted["master"], self._read_log()))
        return facts.is_stopped

    def _tell(self, running: int) -> None:
        if running == self._running:
            return
        wanted, before = self._wanted, self._running
        self._running = running
        message = f"Spark has {running} of {_range(wanted)} executors ({_size(wanted)}) from {wanted['master']}"
        change: ExecutorChange = {
            "master": wanted["master"],
            "running": running,
            "before": before,
            "min": wanted["min"],
            "max": wanted["max"],
        }
        self._on_change(message, change)


def describe_shortage(wanted: Wanted, state: str) -> str:
    """What was wanted, and what there is."""
    return (
        f"Spark's master {wanted['master']} gave no executor within {wanted['wait_seconds']} s. "
        f"Wanted: {_range(wanted)} executors of {_size(wanted)}. {state}"
    )


def describe_forgotten(master: str) -> str:
    """A master that lost its memory."""
    return f"Spark's master {master} does not know this driver any more: it was started again. The next task is known to it"


def describe_end(master: str, log: str) -> str:
    """Why Spark has given up, from what the driver logged."""
    reasons = _ENDED.findall(log)
    reason = reasons[-1].strip() if reasons else "the driver's log does not say why"
    cure = ""
    if "FAILED" in reason:
        cure = ": its executors do not start; why is in the work folders of Spark's workers"
    elif "unresponsive" in reason:
        cure = "; does it run the same version of Spark, and can it reach this machine?"
    return f"Spark gave up with master {master}: {reason}{cure}"


def ask_master(wanted: Wanted, find_page: Callable[[str, int], tuple[int, str]]) -> str:
    """What the master has, in a sentence; `find_page` tells the port of its page, and who asks. Blocks."""
    failure = check_master(wanted["master"])
    if failure is not None:
        return failure
    try:
        found = _find_leader(wanted["master"], find_page)
        if found is not None:
            return describe_master(found[0], wanted, found[1])
    except (AttributeError, KeyError, TypeError, ValueError):
        pass  # the page of another version
    return "What it has could not be read."


def is_forgotten(master: str, find_page: Callable[[str, int], tuple[int, str]]) -> bool:
    """Whether the master answers, and does not know who asks. Blocks."""
    found = _find_leader(master, find_page)
    return found is not None and all(app.get("id") != found[1] for app in found[0].get("activeapps", []))


def _find_leader(master: str, find_page: Callable[[str, int], tuple[int, str]]) -> tuple[dict[str, Any], str] | None:
    for host, port in split_master(master):
        try:
            page_port, application_id = find_page(host, port)
            page = read_master_page(host, page_port)
        except Exception:
            continue  # it stands by, is of another version, or shows its page to few
        if page.get("status") == "ALIVE":
            return page, application_id
    return None


def describe_master(page: dict[str, Any], wanted: Wanted, application_id: str) -> str:
    """What a master has, from the JSON text of its page."""
    apps = [app for app in page.get("activeapps", []) if app.get("cores", 0) > 0]
    if any(app.get("id") == application_id for app in apps):
        # It gives some: they end at once, or cannot reach the driver.
        return "It starts executors that do not come to the driver: why is in the work folders of Spark's workers."
    workers = [worker for worker in page.get("workers", []) if worker.get("state") == "ALIVE"]
    if not workers:
        return "It has no workers."
    free, cores = sum(worker["coresfree"] for worker in workers), sum(worker["cores"] for worker in workers)
    free_mb, memory_mb = sum(worker["memoryfree"] for worker in workers), sum(worker["memory"] for worker in workers)
    needed_mb = _to_mb(wanted["memory"])
    fits = any(worker["cores"] >= wanted["cores"] and worker["memory"] >= needed_mb for worker in workers)
    large = "" if fits else " None of them is large enough for one."
    holders = [f"{app.get('name')} ({app['cores']} cores)" for app in apps[:APPLICATIONS_SHOWN_MAX]]
    held = f" Held by: {', '.join(holders)}." if holders else ""
    return f"It has {len(workers)} workers, with {free} of {cores} cores and {free_mb} of {memory_mb} MiB free.{large}{held}"


def split_master(master: str) -> list[tuple[str, int]]:
    """Of `spark://a:7077,b:7077`; one of them leads."""
    places = (place.rpartition(":") for place in master.removeprefix("spark://").split(","))
    return [(host, int(port)) for host, _, port in places]


def check_master(master: str) -> str | None:
    """None when it can be reached, else why not."""
    failures: list[str] = []
    for place in split_master(master):
        try:
            socket.create_connection(place, CONNECT_SECONDS_MAX).close()
            return None
        except OSError as error:
            failures.append(str(error))
    reasons = "; ".join(dict.fromkeys(failures))
    return f"Spark's master {master} cannot be reached ({reasons}): is it running, and its port open?"


def read_master_page(host: str, port: int) -> dict[str, Any]:
    """What a master tells of itself in JSON. Raises OSError and ValueError."""
    # Not through a proxy: the master is on the network of the driver.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://{host}:{port}/json/", timeout=MASTER_PAGE_SECONDS_MAX) as answer:
        page: dict[str, Any] = json.load(answer)
    return page


def _range(wanted: Wanted) -> str:
    return str(wanted["max"]) if wanted["min"] == wanted["max"] else f"{wanted['min']} to {wanted['max']}"


def _size(wanted: Wanted) -> str:
    return f"{wanted['cores']} {'core' if wanted['cores'] == 1 else 'cores'} and {wanted['memory']} each"


def _to_mb(memory: str) -> int:
    match = re.fullmatch(r"(\d+)([kmgt]?)b?", memory.strip().lower())
    if match is None:
        return 0
    count, unit = int(match[1]), match[2]
    return {"k": count // 1024, "": count // 1024**2, "m": count, "g": count * 1024, "t": count * 1024**2}[unit]
