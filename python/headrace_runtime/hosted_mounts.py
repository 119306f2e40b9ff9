"""Makes `/Volumes`, `/dbfs` and `/Workspace` folders that every program of a task finds, C code and child processes too.

Three ways, the first that the machine allows: links that somebody made at `/`; mounts in a namespace of the task's own,
which no other process sees; else nothing, and the functions of Python rewrite names (paths.py).
"""

from __future__ import annotations

import ctypes
import os
import sys

from . import paths

CLONE_NEWNS = 0x0002_0000
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 1 << 18
CAP_SYS_ADMIN = 21


def make_hosted_folders(data_root: str) -> None:
    """In a process of one thread, before it knows its paths. What cannot be had is left to rewriting."""
    missing = {prefix: root for prefix, root in paths.hosted_roots(data_root).items() if not os.path.lexists(prefix)}
    present = {prefix: root for prefix, root in paths.hosted_roots(data_root).items() if _is_mount_point(prefix)}
    if not (missing or present) or not _may_mount():
        return
    libc = ctypes.CDLL(None, use_errno=True)
    # Only root may mount, and root can make the points to mount at; empty folders mean nothing to anybody else.
    try:
        for prefix in missing:
            os.makedirs(prefix, exist_ok=True)
    except OSError:  # a root that is read-only
        return
    if libc.unshare(CLONE_NEWNS) or libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None):
        return
    for prefix, root in {**missing, **present}.items():
        os.makedirs(root, exist_ok=True)
        libc.mount(os.fsencode(root), os.fsencode(prefix), None, MS_BIND | MS_REC, None)


def _is_mount_point(prefix: str) -> bool:
    """An empty folder that nobody uses: a mount or link of somebody else's is theirs, and so are files in a folder."""
    if os.path.islink(prefix) or os.path.ismount(prefix):
        return False
    try:
        return not os.listdir(prefix)
    except OSError:
        return False


def _may_mount() -> bool:
    """Whether the kernel lets this process, without a look at every rule that may forbid it."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return False
    try:
        with open("/proc/self/status") as status:
            effective = next(line.split()[1] for line in status if line.startswith("CapEff:"))
    except (OSError, StopIteration):
        return False
    return bool(int(effective, 16) & 1 << CAP_SYS_ADMIN)
