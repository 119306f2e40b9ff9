"""A driver that waits for executors: what is told, and when it is ended."""

import asyncio
import socket
import threading
from pathlib import Path
from typing import Any

import pytest
from headrace_runtime import executor_watch, jvm
from headrace_runtime.executor_watch import ExecutorFacts, ExecutorWatch, Wanted, check_master, describe_end
from headrace_runtime.executor_watch import describe_master as describe
from support.drivers import FakeProcess, a_driver

WANTED: Wanted = {
    "master": "spark://m:7077",
    "min": 1,
    "max": 2,
    "cores": 2,
    "memory": "2g",
    "wait_seconds": 0,
}


def watch(
    monkeypatch: pytest.MonkeyPatch,
    facts: list[ExecutorFacts | Exception | None],
    log: str = "",
    *,
    is_forgotten: bool = False,
    sights: list[Any] | None = None,
) -> tuple[list, list]:
    """What is told of these looks, one after the other; the driver has gone after the last."""
    monkeypatch.setattr(executor_watch, "POLL_SECONDS", 0)
    changes: list[Any] = []
    failures: list[str] = []
    looks = [*facts, None]

    async def look() -> ExecutorFacts | None:
        seen = looks.pop(0)
        if isinstance(seen, Exception):
            raise seen
        return seen

    async def ask_master() -> str:
        return "It has no workers."

    async def asked() -> bool:
        return is_forgotten

    watched = ExecutorWatch(
        WANTED,
        look=look,
        ask_master=ask_master,
        is_forgotten=asked,
        read_log=lambda: log,
        on_change=lambda message, change: changes.append((message, change)),
        on_failure=failures.append,
        on_sight=([] if sights is None else sights).append,
    )
    asyncio.run(watched.run())
    return changes, failures


def facts(executors: int, *, has_jobs: bool = False, is_stopped: bool = False) -> ExecutorFacts:
    return ExecutorFacts(executors, has_jobs, is_stopped)


def test_each_change_of_their_number_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    changes, failures = watch(monkeypatch, [facts(1), facts(1), facts(2), facts(1)])

    assert [change["running"] for _, change in changes] == [1, 2, 1]
    assert [change["before"] for _, change in changes] == [0, 1, 2]
    assert changes[0][0] == "Spark has 1 of 1 to 2 executors (2 cores and 2g each) from spark://m:7077"
    assert failures == []


def test_a_driver_without_any_is_ended_with_what_it_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    _, failures = watch(monkeypatch, [facts(0), facts(0), facts(0)])

    gave = "Spark's master spark://m:7077 gave no executor within 0 s."
    assert failures == [f"{gave} Wanted: 1 to 2 executors of 2 cores and 2g each. It has no workers."]


def test_executors_that_come_while_the_master_is_asked_save_the_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    changes, failures = watch(monkeypatch, [facts(0), facts(2), facts(2)])

    assert failures == []
    assert [change["running"] for _, change in changes] == [2]


def test_a_driver_that_goes_while_the_master_is_asked_has_not_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert watch(monkeypatch, [facts(0), None])[1] == []


def test_many_looks_that_fail_are_told_once_and_the_watch_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    sights: list[Any] = []
    blind = [ValueError("strange") for _ in range(30)]

    changes, failures = watch(monkeypatch, [facts(1), *blind, facts(2)], sights=sights)

    assert [str(sight) for sight in sights] == ["strange", "None"]
    assert [change["running"] for _, change in changes] == [1, 2]
    assert failures == []


def test_a_driver_that_may_have_none_waits_while_it_has_no_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(WANTED, "min", 0)  # type: ignore[misc]

    assert watch(monkeypatch, [facts(0), facts(0), facts(0)])[1] == []
    assert len(watch(monkeypatch, [facts(0), facts(0, has_jobs=True), facts(0, has_jobs=True)])[1]) == 1


def test_a_driver_that_its_master_does_not_know_is_ended_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor_watch, "ASK_SECONDS", -1)
    monkeypatch.setitem(WANTED, "wait_seconds", 600)  # type: ignore[misc]

    _, failures = watch(monkeypatch, [facts(1), facts(0), facts(0)], is_forgotten=True)

    assert ["does not know this driver any more" in failure for failure in failures] == [True]


def test_a_context_that_has_given_up_is_ended_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    log = (
        "ERROR StandaloneSchedulerBackend: Application has been killed. Reason: Master removed our application: KILLED"
    )

    _, failures = watch(monkeypatch, [facts(1), facts(0, is_stopped=True)], log)

    assert failures == ["Spark gave up with master spark://m:7077: Master removed our application: KILLED"]


def test_an_end_says_what_to_look_at() -> None:
    failed = "Application has been killed. Reason: Master removed our application: FAILED\n"
    silent = "Application has been killed. Reason: All masters are unresponsive! Giving up.\n"

    assert describe_end("spark://m:1", failed).endswith("why is in the work folders of Spark's workers")
    assert "same version of Spark" in describe_end("spark://m:1", failed + silent)
    assert "does not say why" in describe_end("spark://m:1", "")


def page(**changes: Any) -> dict[str, Any]:
    worker = {"state": "ALIVE", "cores": 4, "coresfree": 1, "memory": 4096, "memoryfree": 512}
    return {"workers": [worker, {**worker, "state": "DEAD"}], "activeapps": [], **changes}


def test_a_master_says_what_it_has_and_who_holds_it() -> None:
    other = {"id": "a", "name": "other", "cores": 3}

    assert describe(page(), WANTED, "me") == "It has 1 workers, with 1 of 4 cores and 512 of 4096 MiB free."
    assert describe(page(activeapps=[other]), WANTED, "me").endswith("Held by: other (3 cores).")
    assert "None of them is large enough" in describe(page(), {**WANTED, "memory": "8g"}, "me")
    assert describe(page(workers=[]), WANTED, "me") == "It has no workers."
    assert "do not come to the driver" in describe(page(activeapps=[other]), WANTED, "a")


def test_a_master_of_another_version_could_not_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor_watch, "check_master", lambda master: None)
    monkeypatch.setattr(
        executor_watch,
        "read_master_page",
        lambda host, port: {"status": "ALIVE", "workers": [{"state": "ALIVE"}]},
    )

    assert executor_watch.ask_master(WANTED, lambda host, port: (1, "me")) == "What it has could not be read."


def test_a_watch_does_not_end_the_driver_that_came_after_its_own(tmp_path: Path) -> None:
    driver = a_driver(tmp_path, WANTED)
    first, second = driver._process, FakeProcess()

    class Link:
        def executor_facts(self) -> ExecutorFacts:
            driver._process = second  # type: ignore[assignment]
            return facts(0, is_stopped=True)

    async def run() -> None:
        driver._link = Link()  # type: ignore[assignment]
        assert first is not None
        driver._watch_executors(first)
        assert driver._executors is not None
        assert await driver._executors.has_ended()

    asyncio.run(run())
    assert not second.killed


def test_a_frozen_driver_does_not_hold_up_the_end_of_an_attempt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jvm, "CLOSE_SECONDS_MORE", 0.05)
    monkeypatch.setattr(jvm, "DYING_SECONDS_MAX", 0.05)
    driver, thawed = a_driver(tmp_path, WANTED), threading.Event()

    class Link:
        def executor_facts(self) -> ExecutorFacts:
            thawed.wait(60)
            return facts(1)

    async def run() -> bool:
        driver._link = Link()  # type: ignore[assignment]
        assert driver._process is not None
        driver._watch_executors(driver._process)
        try:
            return await asyncio.wait_for(driver.close(1, 0), 30)
        finally:
            thawed.set()

    assert asyncio.run(run()) is False


def test_one_master_of_several_that_answers_is_enough() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert check_master(f"spark://127.0.0.1:1,127.0.0.1:{port}") is None
    assert "cannot be reached" in (check_master("spark://127.0.0.1:1") or "")
