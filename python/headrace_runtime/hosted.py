"""One attempt on the host: its processes' descriptors, its state, and its end.

intended ──► held ──► going ──► started ──► ending ──► ended ──(ack)──► forgotten
    └──────────┴──(drop, hold time-out)──► dropped
"""

from __future__ import annotations

import asyncio
import math
import os
import secrets
import signal
import socket
import sys
import time
from dataclasses import dataclass, field
from typing import Any, Literal

from .logs import LogPump
from .memory_kills import count_memory_kills, has_killed_since
from .protocol import HostedAttempt, HostedEnd

State = Literal["intended", "held", "going", "started", "ended"]


@dataclass
class Attempt:
    """What the host knows of one attempt."""

    attempt_id: int
    epoch: int
    folder: str
    log_bytes_max: int
    # Given by the task's settings; else the watch has its own.
    memory_bytes_max: int | None = None
    disk_bytes_max: int | None = None
    cpu_weight: int | None = None
    # Where its temporary files are; None where that is the cluster's choice.
    temporary: str | None = None
    # Its control group, and whether the kernel minds its memory there.
    group: str | None = None
    is_walled: bool = False
    # Which limit the host has ended it for.
    limit_message: str | None = None
    # By the kernel, when it began.
    memory_kills: int | None = field(default_factory=count_memory_kills)
    # Higher than `epoch` once a worker that came back leads it.
    owner_epoch: int = 0
    state: State = "intended"
    pid: int | None = None
    started_at_ms: int | None = None
    control: socket.socket | None = None
    pump: LogPump | None = None
    attach_key: str | None = field(default_factory=lambda: secrets.token_hex(16))
    # With it the task tells which secrets its log must not show.
    redact_key: str = field(default_factory=lambda: secrets.token_hex(16))
    is_attached: bool = False
    attaching: asyncio.Future[Any] | None = None
    is_dropping: bool = False
    is_ending: bool = False
    is_stopping: bool = False
    # When SIGKILL follows, on the loop's clock; a later stop may only bring it forward.
    kill_at: float = float("inf")
    driver_message: str | None = None
    exit_code: int | None = None
    orphans: list[int] | None = None
    exited: asyncio.Event = field(default_factory=asyncio.Event)
    hold_timer: asyncio.TimerHandle | None = None
    end: HostedEnd | None = None

    def __post_init__(self) -> None:
        self.owner_epoch = max(self.owner_epoch, self.epoch)

    @property
    def is_live(self) -> bool:
        """Whether a process of it may still run."""
        return self.state != "ended"

    def describe(self) -> HostedAttempt:
        """As `hello` names it."""
        shown: Literal["held", "started", "ended"] = "held"
        if self.state in ("started", "ended"):
            shown = self.state
        described: HostedAttempt = {
            "attempt_id": self.attempt_id,
            "epoch": self.epoch,
            "state": shown,
            "pid": self.pid,
            "started_at_ms": self.started_at_ms,
            "owner_epoch": self.owner_epoch,
        }
        if self.end is not None:
            described["end"] = self.end
        return described

    def make_end(self, *, stopped: bool) -> HostedEnd:
        """The facts of its end, from what is known now."""
        code = self.exit_code
        end: HostedEnd = {
            "exit_code": code if code is not None and code >= 0 else None,
            "signal": -code if code is not None and code < 0 else None,
            "started": self.started_at_ms is not None,
            "at_ms": now_ms(),
            "stopped": stopped,
            "log_truncated": self.pump is not None and self.pump.is_truncated,
        }
        if self.driver_message is not None:
            end["driver_message"] = self.driver_message
        if self.limit_message is not None:
            end["limit_message"] = self.limit_message
        if code == -signal.SIGKILL and (was_memory := has_killed_since(self.memory_kills)) is not None:
            end["memory_killed"] = was_memory
        return end


def from_journal(described: HostedAttempt) -> Attempt:
    """An attempt that ended under an earlier host and is not acknowledged yet."""
    attempt = Attempt(described["attempt_id"], described["epoch"], folder="", log_bytes_max=0, state="ended")
    attempt.pid, attempt.started_at_ms = described["pid"], described["started_at_ms"]
    attempt.owner_epoch = described["owner_epoch"]
    attempt.end = described.get("end")
    attempt.attach_key = None
    attempt.exited.set()
    return attempt


def open_descriptors(attempt: Attempt) -> tuple[int, int]:
    """The child's ends of control socket and output pipe; the caller closes them once they are handed over."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    attempt.control = ours
    read_fd, write_fd = os.pipe()
    try:
        attempt.pump = LogPump(read_fd, os.path.join(attempt.folder, "output.log"), attempt.log_bytes_max)
    except OSError:
        for descriptor in (read_fd, write_fd):
            os.close(descriptor)
        raise
    return theirs.detach(), write_fd


def task_environment(attempt: Attempt, socket_path: str) -> dict[str, str]:
    """How its process finds the host, and proves what it is."""
    return {
        "HEADRACE_HOST_SOCKET": socket_path,
        "HEADRACE_ATTEMPT": str(attempt.attempt_id),
        "HEADRACE_ATTACH_KEY": attempt.attach_key or "",
        "HEADRACE_REDACT_KEY": attempt.redact_key,
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
    }


def nice_of(weight: int | None) -> int:
    """The level with this share of a processor that others want as well, 100 being the share of a task without one."""
    return 0 if weight is None else min(19, round(math.log(100 / weight, 1.25)))


def now_ms() -> int:
    """For people; deadlines use the loop's clock."""
    return time.time_ns() // 1_000_000
