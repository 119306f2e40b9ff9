"""What is said of processes that were killed: memory is blamed on evidence only."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from headrace_runtime import memory_kills
from headrace_runtime.driver_log import DriverLog
from headrace_runtime.hosted import Attempt
from headrace_runtime.jvm import describe_driver_death
from headrace_runtime.memory_kills import RecentKills, count_memory_kills, has_killed_since
from headrace_runtime.zygotes import describe_zygote_death
from support.drivers import a_driver


def counters(folder: Path, text: str) -> str:
    path = folder / "vmstat"
    path.write_text(text)
    return str(path)


def test_the_kernel_is_believed_when_it_has_counted_another_kill(tmp_path: Path) -> None:
    path = counters(tmp_path, "nr_free_pages 7\noom_kill 4\n")

    assert count_memory_kills(path) == 4
    assert has_killed_since(3, path) is True
    assert has_killed_since(4, path) is False


def test_a_kill_of_long_ago_is_not_blamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_kills, "LOOK_SECONDS", 0)
    kills = RecentKills(counters(tmp_path, "oom_kill 1\n"))

    counters(tmp_path, "oom_kill 2\n")
    at_once = kills.has_killed()
    kills.look()
    soon = kills.has_killed()
    kills.look()

    assert (at_once, soon, kills.has_killed()) == (True, True, False)


def test_a_driver_that_lives_on_forgets_the_kills_of_its_youth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_kills, "LOOK_SECONDS", 0)
    driver = a_driver(tmp_path)
    process = driver._process
    assert process is not None
    driver._memory_kills = RecentKills(counters(tmp_path, "oom_kill 1\n"))
    counters(tmp_path, "oom_kill 2\n")

    async def forget() -> None:
        while driver._memory_kills.has_killed():
            await asyncio.sleep(0.05)

    async def live() -> None:
        watched = asyncio.create_task(driver._watch(process))
        await asyncio.wait_for(forget(), 60)
        process.kill()
        await watched

    asyncio.run(live())


@pytest.mark.parametrize("text", ["nr_free_pages 7\n", "oom_kill many\n"])
def test_a_kernel_that_does_not_count_leaves_it_open(tmp_path: Path, text: str) -> None:
    path = counters(tmp_path, text)

    assert has_killed_since(0, path) is None
    assert has_killed_since(None, counters(tmp_path, "oom_kill 1\n")) is None
    assert count_memory_kills(str(tmp_path / "none")) is None


@pytest.mark.parametrize(
    ("was_memory", "words", "others"),
    [
        (True, "for lack of memory", "pkill"),
        (False, "pkill", "for lack of memory"),
        (None, "was killed (SIGKILL)", "memory"),
    ],
)
def test_the_death_of_a_zygote_names_memory_on_evidence_only(was_memory: bool | None, words: str, others: str) -> None:
    message = describe_zygote_death(-9, was_memory=was_memory)

    assert words in message
    assert others not in message


@pytest.mark.parametrize(
    ("was_memory", "words"),
    [
        (True, "the kernel killed for lack of memory"),
        (False, "and not by the kernel"),
        (None, "perhaps for lack of memory"),
    ],
)
def test_the_death_of_a_driver_names_memory_on_evidence_only(
    tmp_path: Path, was_memory: bool | None, words: str
) -> None:
    message = describe_driver_death(-9, DriverLog(str(tmp_path / "driver.log")), was_memory=was_memory)

    assert words in message


def test_a_zygote_that_crashed_was_not_killed() -> None:
    assert "was ended by signal 11" in describe_zygote_death(-11, was_memory=False)
    assert "ended with code 1" in describe_zygote_death(1, was_memory=None)


def test_only_a_killed_attempt_says_whether_it_was_memory() -> None:
    attempt = Attempt(1, 1, folder="", log_bytes_max=0)
    attempt.memory_kills = 0

    attempt.exit_code = -9
    killed = attempt.make_end(stopped=False)
    attempt.exit_code = 3
    exited = attempt.make_end(stopped=False)

    assert killed["memory_killed"] is (count_memory_kills() != 0)
    assert "memory_killed" not in exited
