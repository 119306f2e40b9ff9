"""Ends tasks that take more memory or disk than they may, before the machine has to.

For memory only where `control_groups.py` has raised no wall. A watch, not a wall: between two looks a task can go beyond. Limits of the address space would be exact, but Arrow and
Java reserve much more than they use. Memory is that of all processes of an attempt, pages that it shares with others
counted in parts; the cluster's JVM has a heap limit of its own.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from typing import TYPE_CHECKING

from .control_groups import memory_bytes_above
from .ending import kill_at_once
from .processes import ProcessFacts, read_mark, read_own_bytes, read_process_table

if TYPE_CHECKING:
    from .host import Host
    from .hosted import Attempt

LOOK_SECONDS = 0.5
# While some task is beyond half of its limit.
LOOK_SECONDS_NEAR = 0.1
# Folders are walked more seldom, and a task with more files than this is not measured.
DISK_LOOK_SECONDS = 5.0
ENTRIES_MAX = 20_000
# Of the machine, for a task that names no limit: one that runs away is ended while others still have room.
MEMORY_SHARE = 0.5
# A result of a task is smaller.
FULL_BELOW_BYTES = 64 * 1024
GIBIBYTE = 2**30
# Where a container has its limit in version 1 of control groups.
_CONTAINER_LIMIT = "/sys/fs/cgroup/memory/memory.limit_in_bytes"

# By device: what was taken there, and what is free.
DiskUse = dict[int, tuple[int, int]]


class LimitWatch:
    """Looks while there are tasks."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._memory_default = int(machine_bytes() * MEMORY_SHARE)
        self._is_awake = False
        self._disk_looked_at = 0.0
        # Processes without parents, by pid and start time: whose they are.
        self._marks: dict[tuple[int, int], str | None] = {}

    def wake(self) -> None:
        """A task has started."""
        if not self._is_awake and self._memory_default > 0:
            self._is_awake = True
            self._host.spawn(self._watch())

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        pause = LOOK_SECONDS
        try:
            while True:
                # First of all: most tasks are gone by then.
                await asyncio.sleep(pause)
                attempts = [each for each in self._host.attempts.values() if each.state == "started" and each.pid]
                if not attempts:
                    return
                # The others the kernel minds.
                watched = [each for each in attempts if not each.is_walled]
                used = await loop.run_in_executor(None, self._measure, watched) if watched else {}
                self._judge_memory(watched, used)
                near = any(2 * used[each.attempt_id] > self.memory_max(each) for each in watched)
                pause = LOOK_SECONDS_NEAR if near else LOOK_SECONDS
                if loop.time() - self._disk_looked_at >= DISK_LOOK_SECONDS:
                    self._judge_disk(attempts, await loop.run_in_executor(None, _measure_disk, attempts))
                    self._disk_looked_at = loop.time()
        finally:
            self._is_awake = False

    def memory_max(self, attempt: Attempt) -> int:
        """Its own, or that of all; 0 where nothing can be watched."""
        return attempt.memory_bytes_max or self._memory_default

    def _judge_memory(self, attempts: list[Attempt], used: dict[int, int]) -> None:
        for attempt in attempts:
            limit = self.memory_max(attempt)
            if used[attempt.attempt_id] > limit:
                self._end(attempt, describe_excess("memory", used[attempt.attempt_id], limit))

    def _judge_disk(self, attempts: list[Attempt], used: dict[int, DiskUse]) -> None:
        for attempt in attempts:
            disks = used.get(attempt.attempt_id, {})
            if attempt.disk_bytes_max is not None:
                disks = {0: (sum(size for size, _ in disks.values()), 0)}
            for size, free in disks.values():
                # Without a limit of its own: as much as it leaves free.
                limit = attempt.disk_bytes_max or (size + free) // 2
                if size > limit:
                    self._end(attempt, describe_excess("disk", size, limit))

    def _end(self, attempt: Attempt, message: str) -> None:
        """At once, for it may grow further; its end is proven like any other."""
        if attempt.is_ending or attempt.pid is None or attempt.state != "started":
            return
        attempt.limit_message = message
        kill_at_once(attempt, attempt.pid)

    def _measure(self, attempts: list[Attempt]) -> dict[int, int]:
        """Of each attempt: an estimate that is too high, unless that is beyond the limit."""
        table = read_process_table()
        families = self._find_families(attempts, table)
        used: dict[int, int] = {}
        for attempt in attempts:
            family = families[attempt.attempt_id]
            used[attempt.attempt_id] = sum(table[pid].resident_bytes for pid in family)
            if used[attempt.attempt_id] > self.memory_max(attempt):
                exact = {pid: read_own_bytes(pid) for pid in family}
                used[attempt.attempt_id] = sum(
                    table[pid].resident_bytes if size is None else size for pid, size in exact.items()
                )
        return used

    def _find_families(self, attempts: list[Attempt], table: dict[int, ProcessFacts]) -> dict[int, set[int]]:
        """All processes of each attempt: its session, its descendants, and those that shed both."""
        leaders = {attempt.pid: attempt.attempt_id for attempt in attempts if attempt.pid in table}
        # Whoever loses its parents is adopted by the zygote.
        zygotes = {table[pid].parent for pid in leaders if pid is not None}
        folders = {attempt.folder: attempt.attempt_id for attempt in attempts}
        owners: dict[int, int] = {pid: attempt_id for pid, attempt_id in leaders.items() if pid is not None}
        children: dict[int, list[int]] = {}
        marks: dict[tuple[int, int], str | None] = {}
        for pid, facts in table.items():
            children.setdefault(facts.parent, []).append(pid)
            if pid in owners:
                continue
            if facts.session in leaders:
                owners[pid] = leaders[facts.session]
            elif facts.parent in zygotes:
                key = (pid, facts.start_time)
                mark = marks[key] = self._marks[key] if key in self._marks else read_mark(pid)
                if mark in folders:
                    owners[pid] = folders[mark]
        self._marks = marks
        _add_descendants(owners, children)
        families: dict[int, set[int]] = {attempt.attempt_id: set() for attempt in attempts}
        for pid, attempt_id in owners.items():
            families[attempt_id].add(pid)
        return families


def _add_descendants(owners: dict[int, int], children: dict[int, list[int]]) -> None:
    pending = list(owners)
    while pending:
        parent = pending.pop()
        for pid in children.get(parent, ()):
            if pid not in owners:
                owners[pid] = owners[parent]
                pending.append(pid)


def describe_excess(what: str, used: int, limit: int) -> str:
    """For whoever wrote the job."""
    if limit < GIBIBYTE or round(used / GIBIBYTE, 1) == round(limit / GIBIBYTE, 1):
        amounts = f"used {used / 2**20:.0f} MB of {what}, its limit is {limit / 2**20:.0f} MB"
    else:
        amounts = f"used {used / GIBIBYTE:.1f} GB of {what}, its limit is {limit / GIBIBYTE:.1f} GB"
    return f"The task {amounts}, so it was ended. The task's headrace.{what}_mb sets another limit."


def find_full_disk(attempt: Attempt) -> str | None:
    """Why a failed task has left no result: it could not be written."""
    if attempt.exit_code == 0 or attempt.is_stopping:
        return None
    try:
        has_result = os.path.getsize(os.path.join(attempt.folder, "result.json")) > 0
    except OSError:
        has_result = False
    try:
        is_full = shutil.disk_usage(attempt.folder).free < FULL_BELOW_BYTES
    except OSError:
        return None
    return (
        None
        if has_result or not is_full
        else "The disk that holds the task's folder is full: it could write no result."
    )


def machine_bytes() -> int:
    """The memory of the machine, or of the container; 0 where nothing can be watched."""
    if not os.path.exists("/proc/self/stat"):
        return 0
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        with open(_CONTAINER_LIMIT, encoding="ascii") as file:
            total = min(total, int(file.read()))
    except (OSError, ValueError):
        pass  # there is none
    return min(total, *memory_bytes_above(), total)


def _measure_disk(attempts: list[Attempt]) -> dict[int, DiskUse]:
    """Of each attempt: what its folders take."""
    return {attempt.attempt_id: _measure_folders([attempt.folder, attempt.temporary]) for attempt in attempts}


def _measure_folders(folders: list[str | None]) -> DiskUse:
    disks: DiskUse = {}
    for folder in folders:
        if folder is None:
            continue
        try:
            device = os.stat(folder).st_dev
            size = _folder_bytes(folder) + disks.get(device, (0, 0))[0]
            disks[device] = size, shutil.disk_usage(folder).free
        except OSError:
            pass  # it goes, or changes while we look
    return disks


def _folder_bytes(folder: str) -> int:
    """What its files take on the disk; nothing is followed."""
    total = seen = 0
    pending = [folder]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                seen += 1
                if seen > ENTRIES_MAX:
                    return 0
                if entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)
                else:
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
    return total
