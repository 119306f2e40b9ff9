"""Ends attempts, and proves it: no process, no Spark job, no thread in the driver that could still act.

cancel Spark jobs → SIGTERM → grace → SIGKILL to group, session, descendants and marked processes
→ close the gateway → no thread of the attempt left → a second cancel finds nothing
"""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

from .control_groups import kill_group_members, remove_group
from .processes import kill_all, kill_group, processes_of_attempt, read_mark, read_process_table

if TYPE_CHECKING:
    from .driver_lending import DriverLending
    from .hosted import Attempt

# A cancel that takes longer than this is overtaken by SIGTERM; the proof comes later anyhow.
CANCEL_SECONDS_MAX = 1.0
# Killed processes are gone within milliseconds, unless the kernel holds them (a dead network file system): then the
# attempt has not ended, and is not said to have.
KILL_POLL_SECONDS = 0.01
KILL_POLL_SECONDS_MAX = 1.0
# Output that is still in the pipe when all writers are gone takes one read; a pipe that somebody holds is left.
DRAIN_SECONDS_MAX = 2.0


async def stop_processes(attempt: Attempt, lending: DriverLending) -> None:
    """From the request to the death of the attempt's own process; what it leaves behind is `end_leftovers`."""
    loop = asyncio.get_running_loop()
    if attempt.is_attached:
        await asyncio.wait({loop.create_task(_cancel(lending, attempt))}, timeout=CANCEL_SECONDS_MAX)
    if attempt.pid is not None:
        kill_group(attempt.pid, signal.SIGTERM)
    while not attempt.exited.is_set():
        left = attempt.kill_at - loop.time()
        if left <= 0:
            break
        # In short steps, because a later stop may bring the end forward.
        try:
            await asyncio.wait_for(attempt.exited.wait(), min(left, 0.1))
        except asyncio.TimeoutError:
            pass
    if not attempt.exited.is_set() and attempt.pid is not None:
        kill_at_once(attempt, attempt.pid)


def kill_at_once(attempt: Attempt, leader: int) -> None:
    """All processes of the attempt, while the family tree still stands."""
    family = processes_of_attempt(attempt.folder, leader)
    if attempt.group is not None:
        kill_group_members(attempt.group)
    kill_group(leader, signal.SIGKILL)
    kill_all([*family, leader])


async def _cancel(lending: DriverLending, attempt: Attempt) -> None:
    try:
        await lending.cancel(attempt)
    except Exception:
        pass  # the driver is dying: its own death is proof


async def end_leftovers(attempt: Attempt) -> None:
    """Kill what the attempt's process left running, until nothing of it is left."""
    pause = KILL_POLL_SECONDS
    while True:
        is_empty = attempt.group is None or remove_group(attempt.group)
        if attempt.group is not None and not is_empty:
            kill_group_members(attempt.group)
        if attempt.pid is not None:
            kill_group(attempt.pid, signal.SIGKILL)
        left = processes_of_attempt(attempt.folder, attempt.pid)
        if is_empty and not left:
            return
        kill_all(left)
        await asyncio.sleep(pause)
        pause = min(2 * pause, KILL_POLL_SECONDS_MAX)


def end_strangers(zygotes: set[int]) -> None:
    """Kill what a zygote took in and what has no mark: programs that shed parents, session and environment.

    Whose they were cannot be told, so this is for when no other attempt runs. The zygote's own children have marks, or
    room for one.
    """
    adopted = [pid for pid, facts in read_process_table().items() if facts.parent in zygotes]
    kill_all([pid for pid in adopted if read_mark(pid) is None])


async def drain_output(attempt: Attempt) -> None:
    """Take what is left in the pipe; then close it, whoever may still hold it."""
    pump = attempt.pump
    if pump is None or not pump.is_open:
        return
    loop = asyncio.get_running_loop()
    loop.remove_reader(pump.fd)
    deadline = loop.time() + DRAIN_SECONDS_MAX
    while pump.drain() and loop.time() < deadline:
        await asyncio.sleep(KILL_POLL_SECONDS)
    pump.close()
