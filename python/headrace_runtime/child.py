"""The forked child of the zygote: waits for an order, gets ready, waits for "go", proves its start, runs the task.

It is forked ahead of its order, for the fork of a process with pandas inside takes longer than all the rest. It says two lines to the host on its control socket, `held <pid> <start time> <1: the kernel minds its memory>` and `started <ms>`, and hears one:
`go`. When the host hangs up instead, no user line has run and none will.
"""

from __future__ import annotations

import gc
import io
import json
import os
import random
import signal
import socket
import sys
import time
from typing import Any

from .control_groups import enter_group, limit_group
from .journal import format_record
from .processes import die_with_parent, lower_priority, mark_self, prefer_to_end, start_time

GO = b"go\n"
EXIT_DROPPED = 0
ORDER_BYTES_MAX = 64 * 1024


def run_child(orders: socket.socket, zygote_pid: int, groups: str | None = None) -> None:
    """Never returns."""
    code = 1
    try:
        _shed_zygote(orders.fileno(), zygote_pid)
        group = None if groups is None else enter_group(groups)
        order, control_fd, output_fd = _await_order(orders)
        walled = _limit_self(order, group)
        _enter_folder(order, output_fd)
        journal = os.open(order["journal"], os.O_WRONLY | os.O_APPEND)
        control = socket.socket(fileno=control_fd)
        control.sendall(b"held %d %d %d\n" % (os.getpid(), start_time(os.getpid()) or 0, walled))
        if control.recv(len(GO), socket.MSG_WAITALL) != GO:
            os._exit(EXIT_DROPPED)
        at_ms = time.time_ns() // 1_000_000
        proof = {"kind": "started", "attempt_id": order["attempt_id"], "epoch": order["epoch"]}
        os.write(journal, format_record({**proof, "pid": os.getpid(), "at_ms": at_ms}))
        os.close(journal)
        control.sendall(b"started %d\n" % at_ms)
        control.close()
        code = _run_task(order["folder"])
    except BaseException:
        _print_failure()
    finally:
        os._exit(code & 0xFF)


def _shed_zygote(orders_fd: int, zygote_pid: int) -> None:
    """Above all the other children's descriptors: an end of file must mean the end."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    die_with_parent(zygote_pid)
    os.setsid()
    os.closerange(3, orders_fd)
    os.closerange(orders_fd + 1, 4096)
    # The zygote froze its heap and collects nothing; user code wants collection.
    gc.enable()
    _reseed()


def _await_order(orders: socket.socket) -> tuple[dict[str, Any], int, int]:
    line, descriptors, _, _ = socket.recv_fds(orders, ORDER_BYTES_MAX, 2)
    if not line:
        os._exit(EXIT_DROPPED)  # the zygote has no use for us
    while not line.endswith(b"\n"):
        line += orders.recv(ORDER_BYTES_MAX)
    orders.close()
    control_fd, output_fd = descriptors
    return json.loads(line), control_fd, output_fd


def _limit_self(order: dict[str, Any], group: str | None) -> bool:
    if group is None:
        return False
    memory_bytes_max, cpu_weight = order.get("memory_bytes_max", 0), order.get("cpu_weight")
    return limit_group(group, memory_bytes_max=memory_bytes_max, cpu_weight=cpu_weight)


def _reseed() -> None:
    """Children of one zygote must not draw the same numbers."""
    random.seed()
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()


def _enter_folder(order: dict[str, Any], output_fd: int) -> None:
    work = os.path.join(order["folder"], "work")
    os.makedirs(work, exist_ok=True)
    os.chdir(work)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(output_fd, 1)
    os.dup2(output_fd, 2)
    os.close(null)
    os.close(output_fd)
    # Lines show in the log as they are printed.
    sys.stdout, sys.stderr = _open_text(1), _open_text(2)
    sys.__stdout__, sys.__stderr__ = sys.stdout, sys.stderr  # type: ignore[misc]
    os.environ.update(order["env"])
    tempfile: Any = sys.modules.get("tempfile")
    if tempfile is not None:
        tempfile.tempdir = None  # that of the zygote, if it has asked
    # A host of an earlier release names none.
    lower_priority(order.get("nice", 0))
    mark_self(order["folder"])
    prefer_to_end()


def _open_text(fd: int) -> io.TextIOWrapper:
    raw = io.FileIO(fd, "w", closefd=False)
    return io.TextIOWrapper(io.BufferedWriter(raw), "utf-8", "backslashreplace", line_buffering=True)


def _run_task(folder: str) -> int:
    from .launch import main

    return main(folder)


def _print_failure() -> None:
    import traceback

    try:
        traceback.print_exc()
    except (OSError, ValueError):
        pass  # nobody can hear it
