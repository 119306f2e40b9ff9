"""Imports what tasks need once, then forks one child for each task. One thread, for fork copies no other.

The host sends orders as JSON lines, each with two descriptors: the child's control socket and its output pipe. The
zygote answers `ready`, and `ended` for each child, together with the pids of processes that lost their parents.
"""

from __future__ import annotations

import array
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import warnings
from typing import Any

from .child import run_child
from .processes import adopt_orphans, children_of_self, die_with_parent

ORDER_DESCRIPTORS = 2
GROUPS_OPTION = "--groups="
# Children forked ahead. One serves a chain, a second the branches beside it; each costs about 1 MB.
SPARES = 2
# Their threads would break the rule of one thread; a task's own programs get the variables as they were.
SINGLE_THREAD_VARIABLES = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}


class Zygote:
    """The loop; `children` are the attempts that were forked and not yet reaped."""

    def __init__(self, host: socket.socket, groups: str | None = None) -> None:
        self.host = host
        self.groups = groups
        self.children: dict[int, dict[str, Any]] = {}
        self.spares: dict[int, socket.socket] = {}
        self._buffer = bytearray()
        self._descriptors: list[int] = []

    def serve(self) -> None:
        """Until the host hangs up."""
        woken, wake = os.pipe()
        os.set_blocking(woken, False)
        os.set_blocking(wake, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        self._refill()
        self._say({"op": "ready"})
        poll = select.poll()
        poll.register(self.host.fileno(), select.POLLIN)
        poll.register(woken, select.POLLIN)
        while True:
            ready = {fd for fd, _ in poll.poll()}
            if woken in ready:
                os.read(woken, 4096)
                self._reap()
            if self.host.fileno() in ready and not self._receive():
                return

    def _receive(self) -> bool:
        size = array.array("i").itemsize
        received, ancillary, _, _ = self.host.recvmsg(1 << 16, socket.CMSG_SPACE(64 * size))
        for level, kind, payload in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                descriptors = array.array("i")
                descriptors.frombytes(payload[: len(payload) - len(payload) % size])
                self._descriptors.extend(descriptors)
        if not received:
            return False
        self._buffer += received
        *lines, rest = self._buffer.split(b"\n")
        self._buffer = bytearray(rest)
        for line in lines:
            self._dispatch(bytes(line) + b"\n")
        self._refill()
        return True

    def _dispatch(self, line: bytes) -> None:
        descriptors = self._descriptors[:ORDER_DESCRIPTORS]
        del self._descriptors[:ORDER_DESCRIPTORS]
        while True:
            if not self.spares:
                self._fork()
            pid, orders = self.spares.popitem()
            with orders:
                try:
                    socket.send_fds(orders, [line], descriptors)
                except OSError:
                    continue  # killed while it waited
            break
        for fd in descriptors:
            os.close(fd)
        self.children[pid] = json.loads(line)

    def _refill(self) -> None:
        while len(self.spares) < SPARES:
            self._fork()

    def _fork(self) -> None:
        ours, theirs = socket.socketpair()
        zygote_pid = os.getpid()
        pid = os.fork()
        if pid == 0:
            run_child(theirs, zygote_pid, self.groups)
        theirs.close()
        self.spares[pid] = ours

    def _reap(self) -> None:
        ended: list[tuple[int, dict[str, Any], int]] = []
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            order = self.children.pop(pid, None)
            if order is not None:
                ended.append((pid, order, status))
            elif pid in self.spares:
                self.spares.pop(pid).close()
            # Else an orphan that we took in.
        if not ended:
            return
        left = children_of_self()
        orphans = None if left is None else [pid for pid in left if pid not in self.children and pid not in self.spares]
        for pid, order, status in ended:
            self._say(
                {
                    "op": "ended",
                    "attempt_id": order["attempt_id"],
                    "epoch": order["epoch"],
                    "pid": pid,
                    "code": os.waitstatus_to_exitcode(status),
                    "orphans": orphans,
                }
            )

    def _say(self, message: dict[str, Any]) -> None:
        self.host.sendall(json.dumps(message, separators=(",", ":")).encode() + b"\n")


def _import_modules(names: list[str]) -> None:
    before = {name: os.environ.get(name) for name in SINGLE_THREAD_VARIABLES}
    os.environ.update(SINGLE_THREAD_VARIABLES)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in names:
            try:
                importlib.import_module(name)
            except Exception as error:  # whatever it is, only the tasks that import the module shall meet it
                print(f"zygote: cannot import {name}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
    for name, value in before.items():
        if value is None:
            del os.environ[name]
        else:
            os.environ[name] = value


def _count_threads() -> int:
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return 1


def _settle() -> None:
    """The first compile of a process costs 1.5 ms: pay it once. Then keep collection from touching shared pages."""
    exec(compile("def f(n):\n    return n\ntry: f(1)\nexcept ValueError: pass", "warm", "exec"), {})
    gc.collect()
    gc.disable()
    gc.freeze()


def main() -> None:
    """Started by the host: `python -m headrace_runtime.zygote FD PARENT_PID [--groups=PREFIX] MODULE…`."""
    fd, parent_pid, *modules = sys.argv[1:]
    # Hosts of earlier releases give none.
    groups = modules.pop(0)[len(GROUPS_OPTION) :] if modules and modules[0].startswith(GROUPS_OPTION) else None
    die_with_parent(int(parent_pid))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    adopt_orphans()
    # `-m` puts the current folder first; a task must not find modules there by accident.
    if sys.path and sys.path[0] in ("", os.getcwd()):
        del sys.path[0]
    # It led here; in a task's environment it would lead the task's own programs here too.
    os.environ.pop("PYTHONPATH", None)
    _import_modules(modules)
    if _count_threads() > 1:
        print("zygote: an import started threads; its children lack them", file=sys.stderr, flush=True)
    _settle()
    sys.argv = [""]
    Zygote(socket.socket(fileno=int(fd)), groups).serve()


if __name__ == "__main__":
    main()
