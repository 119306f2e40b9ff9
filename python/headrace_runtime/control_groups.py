"""Walls around attempts, where the kernel's control groups (version 2) are ours to use; else `limits.py` watches.

    delegated group ─┬─ headrace                     all that was there: server, database, hosts, zygotes, JVMs
                     └─ headrace-<host>.<process>    one of each attempt

A group whose controllers are passed on may hold no process itself: hence the first. An attempt's process makes its group
and enters it as soon as it is forked, which is before its order: the kernel takes 0.1–15 ms for the move.
"""

from __future__ import annotations

import errno
import os
import re
import signal
import sys
import time
from dataclasses import dataclass

from .processes import kill_all, start_time

NAME = "headrace"
# Each is used on its own: some are delegated one without the other.
CONTROLLERS = ("memory", "cpu")
# A task without a weight has 100. Server, database and JVMs are behind many tasks, but have one group.
SHARED_WEIGHT = 1000
# Processes may be forked while the others are moved.
MOVES_MAX = 20
# Killed processes are gone within milliseconds; what is not stays for the next host.
LEFTOVER_SECONDS_MAX = 1.0

_GROUP = re.compile(rf"{NAME}-(\d+)-(\d+)\.(\d+)")


@dataclass(frozen=True)
class ControlGroups:
    """Below `folder` this host makes groups, in which the kernel minds `controllers`."""

    folder: str
    controllers: tuple[str, ...]
    owner: str

    @property
    def prefix(self) -> str:
        """The process's number follows."""
        return os.path.join(self.folder, f"{NAME}-{self.owner}.")

    def remove_empty(self, kept: set[str | None]) -> bool:
        """Those of processes that went without an attempt. Whether others are left."""
        mine = [os.path.join(self.folder, name) for name in _list_folders(self.folder) if _GROUP.fullmatch(name)]
        left = [path for path in mine if path.startswith(self.prefix) and path not in kept]
        # Who has just been forked has not entered its group yet.
        gone = [path for path in left if start_time(int(path.removeprefix(self.prefix))) is None and remove_group(path)]
        return len(gone) < len(left)


def open_control_groups(proc: str = "/proc", systemd: str = "/run/systemd/system") -> ControlGroups | str:
    """Or why there are none. What hosts that died have left in theirs is ended."""
    if sys.platform != "linux":
        return "only Linux has them"
    try:
        folder = _find_own_group(proc)
        reason = _find_obstacle(folder, systemd)
        if reason is not None:
            return reason
        present = _read(folder, "cgroup.controllers").split()
        wanted = [name for name in CONTROLLERS if name in present]
        if not wanted:
            return f"{folder} has no controller for memory or cpu (it has: {' '.join(present) or 'none'})"
        controllers = _enable(folder, wanted)
    except (OSError, ValueError) as error:
        return str(error)
    if not controllers:
        return f"the kernel passes on no controller of {folder}"
    _end_leftovers(folder)
    return ControlGroups(folder, tuple(controllers), f"{os.getpid()}-{start_time(os.getpid()) or 0}")


def enter_group(prefix: str) -> str | None:
    """Put this process into a group of its own; None where that fails, and others have to do."""
    path = f"{prefix}{os.getpid()}"
    try:
        try:
            os.mkdir(path)
        except FileExistsError:  # of a process that had this number and went without an attempt
            os.rmdir(path)
            os.mkdir(path)
        _write(path, "cgroup.procs", "0")
    except OSError:
        return None
    return path


def limit_group(path: str, *, memory_bytes_max: int, cpu_weight: int | None) -> bool:
    """Raise the walls; whether there is one for memory."""
    if cpu_weight is not None:
        _try_write(path, "cpu.weight", str(cpu_weight))
    if memory_bytes_max <= 0:
        return False
    # Neither is there in each kernel. All of a task's processes end together: none is left with half of a task.
    _try_write(path, "memory.swap.max", "0")
    _try_write(path, "memory.oom.group", "1")
    return _try_write(path, "memory.max", str(memory_bytes_max))


def find_memory_hit(path: str) -> int | None:
    """How much memory the group had when the kernel ended it for its own limit; None when it did not."""
    try:
        # Of the group itself: that of a group above is the machine's or the container's want.
        was_full = _read_events(path, "memory.events.local").get("oom", 0) > 0
        if not was_full or _read_events(path, "memory.events").get("oom_kill", 0) == 0:
            return None
        limit = int(_read(path, "memory.max"))
    except (OSError, ValueError):
        return None
    try:
        return max(limit, int(_read(path, "memory.peak")))
    except (OSError, ValueError):
        return limit  # older than Linux 5.19


def kill_group_members(path: str) -> None:
    """All that is in it, whatever it did to hide."""
    if _try_write(path, "cgroup.kill", "1"):
        return
    # Older than Linux 5.14.
    for folder, _, _ in os.walk(path):
        try:
            kill_all([int(pid) for pid in _read(folder, "cgroup.procs").split()], signal.SIGKILL)
        except OSError:
            pass  # it has gone


def remove_group(path: str) -> bool:
    """False while a process is in it, or in one that it made below."""
    try:
        os.rmdir(path)
    except FileNotFoundError:
        return True
    except OSError:
        below = [folder for folder, _, _ in os.walk(path, topdown=False)]
        try:
            for folder in below if len(below) > 1 else ():
                os.rmdir(folder)
        except OSError:
            pass
        return not os.path.isdir(path)
    return True


def memory_bytes_above(proc: str = "/proc") -> list[int]:
    """The limits that this process's groups have."""
    limits = []
    try:
        folder = _find_own_group(proc)
        while os.path.exists(os.path.join(folder, "cgroup.controllers")):
            try:
                limits.append(int(_read(folder, "memory.max")))
            except (OSError, ValueError):
                pass  # there is none, or it says `max`
            folder = os.path.dirname(folder)
    except (OSError, ValueError):
        pass
    return limits


def _find_own_group(proc: str) -> str:
    """Where others of ours were moved to is not where attempts belong: the folder above."""
    mount = _find_mount(os.path.join(proc, "self"))
    with open(os.path.join(proc, "self", "cgroup"), encoding="utf-8", errors="surrogateescape") as file:
        own = next((line[3:].rstrip("\n") for line in file if line.startswith("0::")), None)
    if mount is None or own is None:
        raise ValueError("control groups of version 2 are not mounted")
    root, place = mount
    within = os.path.relpath(own, root)
    if own.startswith("/..") or root.startswith("/..") or within.startswith(".."):
        raise ValueError("the control group of this process is outside of what is mounted here")
    folder = os.path.normpath(os.path.join(place, within))
    return os.path.dirname(folder) if os.path.basename(own) == NAME else folder


def _find_mount(process: str) -> tuple[str, str] | None:
    """Which group is shown, and where."""
    with open(os.path.join(process, "mountinfo"), encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            fields, _, kind = line.partition(" - ")
            if kind.startswith("cgroup2 "):
                _, _, _, root, place, *_ = fields.split(" ")
                return root, re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), place)
    return None


def _find_obstacle(folder: str, systemd: str) -> str | None:
    for name in (".", "cgroup.procs", "cgroup.subtree_control"):
        if not os.access(os.path.join(folder, name), os.W_OK):
            return f"{os.path.normpath(os.path.join(folder, name))} may not be written"
    if os.path.exists(os.path.join(folder, "cgroup.type")) and _read(folder, "cgroup.type").strip() != "domain":
        return f"{folder} is a group of threads"
    # Who runs as root may write everywhere; what systemd has not given away it manages itself.
    if os.path.isdir(systemd) and not _is_delegated(folder):
        return f"systemd has not delegated {folder} (Delegate=yes)"
    return None


def _is_delegated(folder: str) -> bool:
    # systemd 251 and later sets the second as well, which everyone may read.
    for name in ("trusted.delegate", "user.delegate"):
        try:
            if os.getxattr(folder, name) == b"1":
                return True
        except OSError:
            pass
    return False


def _enable(folder: str, wanted: list[str]) -> list[str]:
    """Of the wanted controllers those that groups below have from now on."""
    shared = os.path.join(folder, NAME)
    # The first group of all is free of the rule, and has no type.
    is_first = not os.path.exists(os.path.join(folder, "cgroup.type"))
    if not is_first:
        os.makedirs(shared, exist_ok=True)
        _move_all(folder, shared)
    enabled = [name for name in wanted if _enable_one(folder, name, None if is_first else shared)]
    if "cpu" in enabled and not is_first:
        _try_write(shared, "cpu.weight", str(SHARED_WEIGHT))
    return enabled


def _enable_one(folder: str, name: str, shared: str | None) -> bool:
    for _ in range(MOVES_MAX):
        try:
            _write(folder, "cgroup.subtree_control", f"+{name}")
            return True
        except OSError as error:
            if error.errno != errno.EBUSY or shared is None:
                return False
        _move_all(folder, shared)
    return False


def _move_all(source: str, target: str) -> None:
    for pid in _read(source, "cgroup.procs").split():
        _try_write(target, "cgroup.procs", pid)


def _end_leftovers(folder: str) -> None:
    """Their host has died: nobody else knows of them."""
    left = []
    for name in _list_folders(folder):
        found = _GROUP.fullmatch(name)
        if found and start_time(int(found[1])) != int(found[2]):
            left.append(os.path.join(folder, name))
    deadline = time.monotonic() + LEFTOVER_SECONDS_MAX
    for path in left:
        kill_group_members(path)
        while not remove_group(path) and time.monotonic() < deadline:
            time.sleep(0.01)


def _list_folders(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []


def _read_events(path: str, name: str) -> dict[str, int]:
    try:
        text = _read(path, name)
    except FileNotFoundError:  # older than Linux 5.2
        text = _read(path, "memory.events")
    return {key: int(count) for key, count in (line.split() for line in text.splitlines())}


def _read(folder: str, name: str) -> str:
    with open(os.path.join(folder, name), encoding="ascii") as file:
        return file.read()


def _write(folder: str, name: str, text: str) -> None:
    # One write: the kernel takes each as a whole.
    descriptor = os.open(os.path.join(folder, name), os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def _try_write(folder: str, name: str, text: str) -> bool:
    try:
        _write(folder, name, text)
    except OSError:
        return False
    return True
