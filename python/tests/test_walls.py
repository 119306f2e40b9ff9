"""What host and zygote do with control groups; where the kernel lets us, with its own, if without controllers."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from headrace_runtime import walls
from headrace_runtime.control_groups import ControlGroups, enter_group
from headrace_runtime.ending import end_leftovers
from headrace_runtime.hosted import Attempt
from headrace_runtime.walls import Walls
from headrace_runtime.zygote_link import ZygoteLink
from support.groups import group_names

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="control groups are Linux's")


@pytest.fixture
def fake_walls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Walls:
    found = ControlGroups(str(tmp_path), ("memory", "cpu"), "1-2")
    monkeypatch.setattr(walls, "open_control_groups", lambda: found)
    limits = SimpleNamespace(memory_max=lambda attempt: attempt.memory_bytes_max or 4096 * 2**20)
    return Walls(SimpleNamespace(limits=limits, attempts={}))  # type: ignore[arg-type]


def _an_ended_attempt(fake_walls: Walls, folder: Path, *, exit_code: int, hits: int) -> Attempt:
    attempt = Attempt(7, 1, str(folder), 0, memory_bytes_max=300 * 2**20, exit_code=exit_code)
    fake_walls.note_process(attempt, 77, is_walled=True)
    group = Path(attempt.group or "")
    group.mkdir()
    for name in ("memory.events", "memory.events.local"):
        (group / name).write_text(f"oom {hits}\noom_kill {hits}\n")
    (group / "memory.max").write_text(str(300 * 2**20))
    return attempt


def test_an_attempt_that_the_kernel_ended_for_its_memory_says_so_as_with_the_watch(
    fake_walls: Walls, tmp_path: Path
) -> None:
    attempt = _an_ended_attempt(fake_walls, tmp_path, exit_code=-signal.SIGKILL, hits=1)

    fake_walls.leave(attempt)

    assert attempt.limit_message == (
        "The task used 300 MB of memory, its limit is 300 MB, so it was ended. "
        "The task's headrace.memory_mb sets another limit."
    )


@pytest.mark.parametrize(
    ("exit_code", "hits", "is_stopping"),
    [(-signal.SIGKILL, 0, False), (0, 1, False), (-signal.SIGKILL, 1, True)],
    ids=["killed by something else", "not harmed", "stopped"],
)
def test_no_other_end_is_blamed_on_memory(
    fake_walls: Walls, tmp_path: Path, exit_code: int, hits: int, is_stopping: bool
) -> None:
    attempt = _an_ended_attempt(fake_walls, tmp_path, exit_code=exit_code, hits=hits)
    attempt.is_stopping = is_stopping

    fake_walls.leave(attempt)

    assert attempt.limit_message is None


def test_an_order_names_the_limit_of_all_where_the_task_has_none(fake_walls: Walls) -> None:
    facts = fake_walls.order_facts(Attempt(7, 1, "", 0, cpu_weight=25))

    assert facts == {"memory_bytes_max": 4096 * 2**20, "cpu_weight": 25}


# The kernel's own groups, from here on.


@pytest.fixture
def prefix() -> Iterator[str]:
    with group_names() as prefix:
        yield prefix


def test_what_an_attempt_left_running_ends_with_it_whatever_it_shed(prefix: str, tmp_path: Path) -> None:
    ready, told = os.pipe()
    pid = os.fork()
    if pid == 0:
        enter_group(prefix)
        program = [sys.executable, "-I", "-S", "-c", "import os, time; os.write(1, b'up'); time.sleep(600)"]
        subprocess.Popen(program, env={}, start_new_session=True, stdout=told)
        os._exit(0)
    os.waitpid(pid, 0)
    os.close(told)
    assert os.read(ready, 2) == b"up"
    attempt = Attempt(7, 1, str(tmp_path), 0, pid=pid, group=f"{prefix}{pid}")

    asyncio.run(end_leftovers(attempt))

    assert not os.path.exists(f"{prefix}{pid}")
    assert os.read(ready, 1) == b""  # nobody has the other end
    os.close(ready)


def test_a_child_of_a_zygote_is_in_a_group_of_its_own_before_it_is_held(prefix: str, tmp_path: Path) -> None:
    async def hold() -> list[bytes]:
        ended = asyncio.Event()
        link = ZygoteLink([], groups=prefix, on_ended=lambda _: ended.set(), on_death=ended.set)
        control, theirs = socket.socketpair()
        control.settimeout(60)
        (tmp_path / "journal").touch()
        order: dict[str, Any] = {"attempt_id": 7, "epoch": 1, "folder": str(tmp_path), "env": {}}
        order |= {"journal": str(tmp_path / "journal"), "memory_bytes_max": 2**30, "cpu_weight": 25}
        try:
            link.send_order(order, (theirs.detach(), os.open(os.devnull, os.O_WRONLY)))
            loop = asyncio.get_running_loop()
            held = (await loop.run_in_executor(None, control.recv, 100)).split()
            members = Path(f"{prefix}{int(held[1])}", "cgroup.procs").read_text().split()
            assert members == [str(int(held[1]))]
            control.close()
            await asyncio.wait_for(ended.wait(), 60)
        finally:
            link.close()
        return held

    held = asyncio.run(hold())

    # Without the controllers nobody minds its memory but the watch.
    above = Path(os.path.dirname(prefix), "cgroup.subtree_control").read_text().split()
    assert held[0] == b"held"
    assert held[3] == (b"1" if "memory" in above else b"0")
