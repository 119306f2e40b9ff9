"""Finds and ends processes by what they cannot shed easily: session, parents, a mark in their environment."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import NamedTuple

# In the environment of each task's programs: the attempt's folder, for another Headrace of the same user on this machine
# counts its attempts from the same number. User code does not need it and has no reason to remove it.
ATTEMPT_MARK = "HEADRACE_TASK_MARK"
# Room for a folder in the environment that a zygote is started with, so that its children can put theirs in place.
MARK_BYTES_MAX = 4096
# In the environment of everything below a host: its folder.
HOST_MARK = "HEADRACE_HOST_FOLDER"

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(parent_pid: int) -> None:
    """Have the kernel kill this process when the thread that started it ends; elsewhere than on Linux, do nothing."""
    if _libc is None:
        return
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:  # it died before the kernel knew
        os._exit(1)


def adopt_orphans() -> None:
    """Become the parent of the orphans of one's descendants, so that none is lost sight of."""
    if _libc is not None:
        _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def mark_self(folder: str) -> None:
    """Put the attempt's mark where the system shows it, which is not what `os.environ` changes: so that what this
    process forks has it as well, also in a session of its own and when its parent is gone."""
    os.environ[ATTEMPT_MARK] = folder
    stat = _read_stat(os.getpid())
    if sys.platform != "linux" or stat is None:
        return
    start, end = int(stat[47]), int(stat[48])
    text = os.fsencode(folder) + b"\0"
    place = ctypes.string_at(start, end - start).find(_room())
    if place >= 0 and len(text) <= MARK_BYTES_MAX:
        ctypes.memmove(start + place + len(ATTEMPT_MARK) + 1, text, len(text))


def environment_with_room() -> dict[str, str]:
    """For a zygote: its children can mark themselves."""
    return {**os.environ, ATTEMPT_MARK: _room().decode().partition("=")[2]}


def _room() -> bytes:
    return ATTEMPT_MARK.encode() + b"=" + b"-" * MARK_BYTES_MAX


def start_time(pid: int) -> int | None:
    """When the process started, in clock ticks since boot: with the pid, its identity. None when it is gone."""
    stat = _read_stat(pid)
    return None if stat is None else int(stat[19])


def children_of_self() -> list[int] | None:
    """The pids of this process's children; None where the kernel does not tell."""
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", "rb", buffering=0) as file:
            return [int(pid) for pid in file.read().split()]
    except OSError:
        return None


def processes_of_attempt(folder: str, leader: int | None) -> list[int]:
    """Everything that still runs of an attempt: its session, its descendants, and what carries its mark."""
    if sys.platform != "linux":
        return []
    mark = b"\0%s=%s\0" % (ATTEMPT_MARK.encode(), os.fsencode(folder))
    parents: dict[int, int] = {}
    found: set[int] = set()
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        pid = int(name)
        stat = _read_stat(pid)
        if stat is None or stat[0] in ("Z", "X"):
            continue
        parents[pid] = int(stat[1])
        in_session = leader is not None and int(stat[3]) == leader
        if in_session or mark in _read_environment(pid):
            found.add(pid)
    while True:
        more = {pid for pid, parent in parents.items() if parent in found and pid not in found}
        if not more:
            return sorted(found)
        found |= more


class ProcessFacts(NamedTuple):
    """One line of the table of processes."""

    parent: int
    session: int
    start_time: int
    resident_bytes: int


def read_process_table() -> dict[int, ProcessFacts]:
    """Every process of the machine that can be seen; empty elsewhere than on Linux. 350 processes take 4–8 ms."""
    if sys.platform != "linux":
        return {}
    table: dict[int, ProcessFacts] = {}
    for name in os.listdir("/proc"):
        stat = _read_stat(int(name)) if name.isdigit() else None
        if stat is not None and stat[0] not in ("Z", "X"):
            table[int(name)] = ProcessFacts(int(stat[1]), int(stat[3]), int(stat[19]), int(stat[21]) * _PAGE_BYTES)
    return table


def read_own_bytes(pid: int) -> int | None:
    """What the process has in memory, pages that several share counted in parts. Slow: 1 ms a GB and more."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
            for line in file:
                if line.startswith(b"Pss:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return None


def read_mark(pid: int) -> str | None:
    """The folder of the attempt that the process belongs to, as its environment has it."""
    for entry in _read_environment(pid).split(b"\0"):
        name, _, value = entry.partition(b"=")
        if name.decode("ascii", "replace") == ATTEMPT_MARK:
            return os.fsdecode(value)
    return None


def prefer_to_end() -> None:
    """When the machine runs out of memory, have the kernel end this process and its children before all else of ours."""
    try:
        descriptor = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
    except OSError:
        return
    try:
        os.write(descriptor, b"500")
    except OSError:
        pass  # it was started with a higher one
    finally:
        os.close(descriptor)


def lower_priority(nice: int) -> None:
    """Of this process and all that it starts. Where the kernel groups sessions first, that of this one as a whole."""
    if nice == 0:
        return
    os.setpriority(os.PRIO_PROCESS, 0, nice)
    try:
        descriptor = os.open("/proc/self/autogroup", os.O_WRONLY)
    except OSError:
        return  # it does not
    try:
        os.write(descriptor, str(nice).encode())
    except OSError:
        pass
    finally:
        os.close(descriptor)


def kill_all(pids: list[int], number: int = signal.SIGKILL) -> None:
    """Signal each; those that are gone already are what was wanted, those of another user cannot be helped."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            pass


def kill_group(leader: int, number: int) -> None:
    """Signal a process group, if it still exists and we may."""
    try:
        os.killpg(leader, number)
    except (ProcessLookupError, PermissionError):
        pass


def _read_stat(pid: int) -> list[str] | None:
    """State, parent, group, session, … : the fields after the name, which may itself hold brackets and blanks."""
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
            return file.read(2048).rpartition(b")")[2].decode().split()
    except OSError:
        return None


def _read_environment(pid: int) -> bytes:
    try:
        with open(f"/proc/{pid}/environ", "rb", buffering=0) as file:
            return b"\0" + file.read(256 * 1024)
    except OSError:
        return b""
