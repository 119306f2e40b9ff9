"""The host of one cluster: `python -m headrace_runtime.host --folder FOLDER`.

One event loop owns the journal, the worker's socket, the tasks' socket and the log pumps. Tasks are forked by the
zygote; Spark runs in a JVM (`jvm.py`). The host outlives the server: a lost worker disturbs nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import signal
import socket
import traceback
from typing import Any

from .driver_lending import PROOF_SECONDS_MAX, DriverLending
from .ending import drain_output, end_leftovers, end_strangers, stop_processes
from .host_file import remove_host_files, write_host_file
from .host_secrets import ClusterSecrets
from .hosted import Attempt, from_journal, nice_of, open_descriptors, task_environment
from .init_scripts import run_init_scripts
from .journal import Journal, replay_journal
from .limits import LimitWatch, find_full_disk
from .protocol import Frame, HostedAttempt
from .sockets import TaskSocket, WorkerConnection, WorkerSocket, place_sockets
from .temporary import make_temporary, remove_temporary
from .walls import Walls
from .zygotes import Zygotes

# Part of every task, or of every notebook: imported before the first fork, whatever else the configuration names.
TASK_MODULES = [
    "threading",
    "atexit",
    *(f"{__package__}.{name}" for name in ("launch", "python_file", "wheel", "libraries")),
    *(f"{__package__}.notebook.{name}" for name in ("run", "shell")),
]
# A claim commits in milliseconds and a worker restarts in seconds; what is held longer belongs to nobody.
HOLD_SECONDS_MAX = 120
# Without a worker and without work: somebody took the server away.
LINGER_SECONDS = 15 * 60
# Idle for so long after the driver's first use, it warms itself up.
WARM_UP_AFTER_SECONDS = 5


class Host:
    """The state of the host. Methods named `on_` are called by the loop."""

    def __init__(self, folder: str, config: dict[str, Any]) -> None:
        self.folder = folder
        self.config = config
        journal_path = os.path.join(folder, "journal.jsonl")
        # What had not ended died with the earlier host; the worker learns that by their absence.
        known = [attempt for attempt in replay_journal(journal_path).values() if "end" in attempt]
        self.attempts = {attempt["attempt_id"]: from_journal(attempt) for attempt in known}
        self.journal = Journal(journal_path)
        self.journal.compact(known)
        self.done = asyncio.Event()
        self.is_shutting_down = False
        self._tasks: set[asyncio.Task[None]] = set()
        self.worker_socket = WorkerSocket(self)
        self.task_socket = TaskSocket(self)
        self.secrets = ClusterSecrets(folder, config)
        self.limits = LimitWatch(self)
        # Before a process is started: none but the host itself is to be moved.
        self.walls = Walls(self)
        # Last: what it wraps of pyspark must be there.
        self.zygotes = Zygotes(self, [*TASK_MODULES, *config["preimport"], f"{__package__}.preload"])
        self.lending = DriverLending(self)
        self._linger: asyncio.TimerHandle | None = None
        self._warm_up: asyncio.TimerHandle | None = None

    async def serve(self) -> None:
        """Until shut down."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, lambda: self.spawn(self.shut_down(10_000)))
        self.task_path = os.path.join(self.config["socket_folder"], "task.sock")
        await self.task_socket.listen(self.task_path)
        await self.worker_socket.listen(self.folder, self.config)
        write_host_file(self.folder, self.config, self.walls)
        self.watch_linger()
        await self.done.wait()

    def on_frame(self, connection: WorkerConnection, frame: Frame) -> None:
        """One frame of the worker."""
        op = frame["op"]
        if op == "hello":
            self.worker_socket.accept(connection, frame)
        elif op == "prepare":
            self.prepare(frame)
        elif op == "shutdown":
            self.spawn(self.shut_down(frame["grace_ms"]))
        elif op == "warm":
            self.spawn(self.lending.warm_up(frame.get("unused_ms")))
        else:
            self._on_attempt_frame(op, frame)

    def _on_attempt_frame(self, op: str, frame: Frame) -> None:
        attempt = self.attempts.get(frame["attempt_id"])
        if op == "ack":
            # One of an earlier life may come late: the end is news for who leads the attempt now.
            if attempt is not None and not attempt.is_live and frame["epoch"] >= attempt.owner_epoch:
                self.forget(attempt)
        elif attempt is None or attempt.epoch != frame["epoch"]:
            if op in ("drop", "stop"):
                self.say({"op": "dropped", "attempt_id": frame["attempt_id"], "epoch": frame["epoch"]})
        elif op == "take":
            self.take(attempt, frame["owner_epoch"])
        elif op == "go":
            self.go(attempt)
        elif op == "drop":
            self.drop(attempt)
        elif op == "stop":
            self.stop(attempt, frame["grace_ms"])

    def take(self, attempt: Attempt, owner_epoch: int) -> None:
        """A worker that came back leads it from now on."""
        if owner_epoch > attempt.owner_epoch:
            attempt.owner_epoch = owner_epoch
            self.record(attempt, "taken", owner_epoch=owner_epoch)

    def prepare(self, frame: Frame) -> None:
        """Journal the intent, then fork; the child waits."""
        known = self.attempts.get(frame["attempt_id"])
        if known is not None and (known.is_live or known.started_at_ms is not None):
            if known.epoch != frame["epoch"]:
                self.say({"op": "error", "message": f"attempt {known.attempt_id} is here already, in another epoch"})
            return
        attempt = Attempt(frame["attempt_id"], frame["epoch"], frame["folder"], frame["log_bytes_max"])
        attempt.memory_bytes_max, attempt.disk_bytes_max = frame.get("memory_bytes_max"), frame.get("disk_bytes_max")
        attempt.cpu_weight = frame.get("cpu_weight")
        if self.is_shutting_down:
            self.say_of(attempt, "dropped")
            return
        self.attempts[attempt.attempt_id] = attempt
        try:
            self._set_up(attempt)
        except OSError as error:
            # A full disk, no descriptors, a folder that is gone: nothing was started, so it is given back.
            self._give_back(attempt)
            self.say({"op": "error", "message": f"attempt {attempt.attempt_id} could not be set up: {error}"})

    def _set_up(self, attempt: Attempt) -> None:
        self.record(attempt, "intended")
        temporary = make_temporary(attempt, self.config["socket_folder"])
        loop = asyncio.get_running_loop()
        descriptors = open_descriptors(attempt)
        assert attempt.control is not None and attempt.pump is not None
        self.secrets.hide_in(attempt)
        loop.add_reader(attempt.control.fileno(), self._on_control, attempt)
        loop.add_reader(attempt.pump.fd, self._on_output, attempt)
        attempt.hold_timer = loop.call_later(HOLD_SECONDS_MAX, self.drop, attempt)
        order = {
            "attempt_id": attempt.attempt_id,
            "epoch": attempt.epoch,
            "folder": attempt.folder,
            "journal": self.journal.path,
            "nice": nice_of(attempt.cpu_weight),
            **self.walls.order_facts(attempt),
            "env": {**task_environment(attempt, self.task_path), **temporary, **self.secrets.environment},
        }
        self.zygotes.send_order(attempt, order, descriptors)

    def _give_back(self, attempt: Attempt) -> None:
        del self.attempts[attempt.attempt_id]
        if attempt.hold_timer is not None:
            attempt.hold_timer.cancel()
        self._close_control(attempt)
        if attempt.pump is not None:
            asyncio.get_running_loop().remove_reader(attempt.pump.fd)
            attempt.pump.close()
        self.spawn(remove_temporary(attempt))
        self.say_of(attempt, "dropped")

    def go(self, attempt: Attempt) -> None:
        """The claim is durable: let the child run."""
        if attempt.state not in ("intended", "held") or attempt.is_dropping or attempt.control is None:
            return
        attempt.state = "going"
        if attempt.hold_timer is not None:
            attempt.hold_timer.cancel()
        try:
            attempt.control.send(b"go\n")
        except OSError:
            pass  # the child has died: the zygote tells

    def drop(self, attempt: Attempt) -> None:
        """Hang up on a child that waits; it leaves without having run a user line."""
        if attempt.state not in ("intended", "held"):
            return
        attempt.is_dropping = True
        self._close_control(attempt)

    def stop(self, attempt: Attempt, grace_ms: int) -> None:
        """Begin to end the attempt; `ended` follows when it is proven."""
        if attempt.end is not None:
            self.say_ended(attempt)
            return
        if attempt.state in ("intended", "held"):
            self.drop(attempt)
            return
        attempt.kill_at = min(attempt.kill_at, asyncio.get_running_loop().time() + grace_ms / 1000)
        if not attempt.is_stopping:
            attempt.is_stopping = True
            self.spawn(stop_processes(attempt, self.lending))

    def on_child_ended(self, message: dict[str, Any]) -> None:
        """The zygote has reaped a child."""
        attempt = self.attempts.get(message["attempt_id"])
        if attempt is None or attempt.epoch != message["epoch"] or attempt.is_ending:
            return
        attempt.exit_code, attempt.orphans = message["code"], message["orphans"]
        attempt.pid = message["pid"]
        self.walls.note_process(attempt, attempt.pid)
        self.spawn(self._finish(attempt))

    async def _finish(self, attempt: Attempt) -> None:
        attempt.is_ending = True
        attempt.exited.set()
        self._on_control(attempt)  # what it said last
        self._close_control(attempt)
        if attempt.hold_timer is not None:
            attempt.hold_timer.cancel()
        pump = attempt.pump
        is_clean = pump is None or not pump.is_open or not pump.drain()
        # A process that holds the pipe, an orphan, or a stop that left no time to tidy up.
        is_alone = is_clean and attempt.orphans == [] and not attempt.is_stopping and attempt.limit_message is None
        is_alone = self.walls.leave(attempt) and is_alone
        if not is_alone:
            await end_leftovers(attempt)
            if not any(other.is_live for other in self.attempts.values() if other is not attempt):
                end_strangers(self.zygotes.pids)
        await drain_output(attempt)
        await self.lending.leave(attempt)
        if attempt.started_at_ms is None and (attempt.is_dropping or attempt.is_stopping):
            self.record(attempt, "dropped")
            del self.attempts[attempt.attempt_id]
            self.say({"op": "dropped", "attempt_id": attempt.attempt_id, "epoch": attempt.epoch})
        else:
            attempt.limit_message = attempt.limit_message or find_full_disk(attempt)
            attempt.end = attempt.make_end(stopped=attempt.is_stopping)
            attempt.state = "ended"
            try:
                self.record(attempt, "ended", end=attempt.end)
            finally:
                # Also when the journal cannot be written: the worker must not wait for what has happened.
                self.say_ended(attempt)
        self.spawn(remove_temporary(attempt))
        self.watch_linger()

    def _on_control(self, attempt: Attempt) -> None:
        if attempt.control is None:
            return
        try:
            lines = attempt.control.recv(4096).split(b"\n")
        except BlockingIOError:
            return
        except OSError:
            lines = [b""]
        if lines == [b""]:
            self._close_control(attempt)
        for line in lines:
            word, *numbers = line.split() or [b""]
            if word == b"held":
                attempt.pid = int(numbers[0])
                self.walls.note_process(attempt, attempt.pid, is_walled=numbers[2:] == [b"1"])
                attempt.state = "held" if attempt.state == "intended" else attempt.state
                self.record(attempt, "held", pid=attempt.pid, start_time=int(numbers[1]))
                self.say_of(attempt, "prepared", pid=attempt.pid)
            elif word == b"started":
                attempt.state, attempt.started_at_ms = "started", int(numbers[0])
                self.limits.wake()
                self.say_of(attempt, "started", pid=attempt.pid, at_ms=attempt.started_at_ms)

    def _on_output(self, attempt: Attempt) -> None:
        pump = attempt.pump
        if pump is not None and pump.is_open and not pump.pump():
            asyncio.get_running_loop().remove_reader(pump.fd)
            pump.close()

    def _close_control(self, attempt: Attempt) -> None:
        if attempt.control is not None:
            asyncio.get_running_loop().remove_reader(attempt.control.fileno())
            attempt.control.close()
            attempt.control = None

    def on_zygote_death(self, children: set[int], message: str) -> None:
        """Its children died with it, by the kernel's hand."""
        for attempt in list(self.attempts.values()):
            if attempt.attempt_id in children and attempt.is_live and not attempt.is_ending:
                attempt.exit_code = -signal.SIGKILL
                attempt.driver_message = attempt.driver_message or message
                self.spawn(self._finish(attempt))

    def watch_linger(self) -> None:
        """Arm or disarm what happens in idleness: the warm-up, and the end of a host that nobody wants."""
        loop = asyncio.get_running_loop()
        for timer in (self._linger, self._warm_up):
            if timer is not None:
                timer.cancel()
        self._linger = self._warm_up = None
        if any(attempt.is_live for attempt in self.attempts.values()):
            return
        if self.worker_socket.connection is None:
            self._linger = loop.call_later(LINGER_SECONDS, lambda: self.spawn(self.shut_down(0)))
        if self.lending.wants_warm_up:
            self._warm_up = loop.call_later(WARM_UP_AFTER_SECONDS, lambda: self.spawn(self.lending.warm_up()))

    async def shut_down(self, grace_ms: int) -> None:
        """Stop what runs, then leave nothing behind but the journal of what is not acknowledged."""
        if self.is_shutting_down:
            return
        self.is_shutting_down = True
        for attempt in list(self.attempts.values()):
            if attempt.is_live:
                self.stop(attempt, grace_ms)
        deadline = asyncio.get_running_loop().time() + grace_ms / 1000 + 2 * PROOF_SECONDS_MAX
        while any(attempt.is_live for attempt in self.attempts.values()):
            if asyncio.get_running_loop().time() > deadline:
                break
            await asyncio.sleep(0.02)
        await self.lending.end()
        self.zygotes.close()
        self.walls.close()
        shutil.rmtree(self.config["socket_folder"], ignore_errors=True)
        if not self.attempts:
            remove_host_files(self.folder, self.journal.path)
        self.done.set()

    def forget(self, attempt: Attempt) -> None:
        """Its outcome is durable elsewhere."""
        del self.attempts[attempt.attempt_id]
        self.record(attempt, "acked")
        # A child between "held" and its proof has the file open.
        if self.journal.is_long() and all(a.state in ("started", "ended") for a in self.attempts.values()):
            self.journal.compact(self.describe_attempts())

    def describe_attempts(self) -> list[HostedAttempt]:
        """For `hello`."""
        return [attempt.describe() for attempt in self.attempts.values()]

    def record(self, attempt: Attempt, kind: str, **facts: Any) -> None:
        """A line of the journal."""
        self.journal.append({"kind": kind, "attempt_id": attempt.attempt_id, "epoch": attempt.epoch, **facts})

    def say(self, frame: Frame) -> None:
        """To the worker, if there is one; what it misses it reads from `hello`."""
        self.worker_socket.say(frame)

    def say_of(self, attempt: Attempt, op: str, **facts: Any) -> None:
        """A frame about one attempt."""
        self.say({"op": op, "attempt_id": attempt.attempt_id, "epoch": attempt.epoch, **facts})

    def say_ended(self, attempt: Attempt) -> None:
        """The end, once or again."""
        assert attempt.end is not None
        self.say_of(attempt, "ended", **attempt.end)

    def spawn(self, work: Any) -> None:
        """Run a coroutine; the loop itself keeps only weak references."""
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._on_task_done)

    def _on_task_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:  # our bug
            traceback.print_exception(error)
            self.say({"op": "error", "message": f"{type(error).__name__}: {error}"})


async def _serve(folder: str, config: dict[str, Any]) -> None:
    await Host(folder, config).serve()


def main() -> None:
    """Run the host in a folder that holds its `config.json`."""
    parser = argparse.ArgumentParser(prog="headrace_runtime.host")
    parser.add_argument("--folder", required=True)
    parser.add_argument("--listen", help="an address and a port, for a worker on another machine")
    arguments = parser.parse_args()
    folder = os.path.abspath(arguments.folder)
    with open(os.path.join(folder, "config.json")) as file:
        config = json.load(file)
    place_sockets(config, arguments.listen)
    run_init_scripts(folder, config)
    socket.setdefaulttimeout(None)
    asyncio.run(_serve(folder, config))


if __name__ == "__main__":
    main()
