"""Pumps a task's output from its pipe into `output.log`, cut at a limit.

The head is written as it comes. Beyond the limit only the last bytes are kept, in memory, and written at the end
after a line that says how much is missing: a task that prints without end costs no disk and is never held up. Nor is
it by a full disk: what cannot be written is lost, and the log counts as cut. A log is cut before it fills the disk, which
results of other tasks need.
"""

from __future__ import annotations

import fcntl
import os
from collections import deque
from collections.abc import Iterable

from .redaction import Redactor, StreamRedactor

READ_BYTES = 256 * 1024
# Linux; a bigger pipe lets a task that prints much run on while the host is busy elsewhere.
F_SETPIPE_SZ = 1031
PIPE_BYTES = 1024 * 1024
# Of the limit, and at most this: what people look at is the end of a long log.
TAIL_SHARE = 4
TAIL_BYTES_MAX = 1024 * 1024
# What logs leave free, at most this share of a small disk; and the tail of one that was cut for it.
FREE_BYTES_MIN = 64 * 1024 * 1024
FREE_SHARE_MAX = 0.2
SHORT_TAIL_BYTES_MAX = 64 * 1024
# The disk is looked at each time that so much was written.
LOOK_EVERY_BYTES = 1024 * 1024


class LogPump:
    """The reading end of one task's output."""

    def __init__(self, read_fd: int, path: str, bytes_max: int) -> None:
        os.set_blocking(read_fd, False)
        self.fd = read_fd
        self.is_open = True
        self.is_truncated = False
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self._tail_max = min(bytes_max // TAIL_SHARE, TAIL_BYTES_MAX)
        self._head_left = bytes_max - self._tail_max
        self._tail: deque[bytes] = deque()
        self._tail_size = 0
        self._left_out = 0
        self._is_grown = False
        self._received = 0
        self._until_look = LOOK_EVERY_BYTES
        self._redactor: StreamRedactor | None = None

    def hide(self, values: Iterable[bytes]) -> None:
        """Secrets that the task knows: what comes from now on is kept without them."""
        if self._redactor is None:
            self._redactor = StreamRedactor(Redactor())
        for value in values:
            self._redactor.redactor.add(value)

    def pump(self) -> bool:
        """Move what is there, at most one read so that all tasks get their turn; False when all writers are gone."""
        try:
            piece = os.read(self.fd, READ_BYTES)
        except BlockingIOError:
            return True
        if not piece:
            return False
        if len(piece) >= 32 * 1024 and not self._is_grown:
            self._grow()
        self._received += len(piece)
        self._keep(piece if self._redactor is None else self._redactor.feed(piece))
        return True

    def drain(self) -> bool:
        """Move all that is in the pipe now; False when all writers are gone."""
        for _ in range(2 * PIPE_BYTES // 4096):  # bounded: somebody may still be writing
            before = self._received
            if not self.pump():
                return False
            if before == self._received:
                return True
        return True

    def close(self) -> None:
        """Write what was kept back."""
        if not self.is_open:
            return
        self.is_open = False
        os.close(self.fd)
        if self._redactor is not None:
            self._keep(self._redactor.flush())
        if self._tail:
            self._write_tail()
        os.close(self._file)

    def _grow(self) -> None:
        self._is_grown = True
        try:
            fcntl.fcntl(self.fd, F_SETPIPE_SZ, PIPE_BYTES)
        except OSError:
            pass  # a small pipe works too

    def _keep(self, piece: bytes) -> None:
        if self._head_left > 0:
            head = piece[: self._head_left]
            if self._is_disk_short(len(head)):
                self._tail_max = min(self._tail_max, SHORT_TAIL_BYTES_MAX)
                self._head_left = 0
                head = piece[: piece.find(b"\n") + 1]
            elif len(head) < len(piece):
                # Cut at the end of a line, so that the mark stands on its own.
                head = head[: head.rfind(b"\n") + 1] or head
                self._head_left = 0
            else:
                self._head_left -= len(head)
            self._write(head)
            piece = piece[len(head) :]
        if not piece:
            return
        self._tail.append(piece)
        self._tail_size += len(piece)
        while self._tail_size - len(self._tail[0]) >= self._tail_max:
            dropped = self._tail.popleft()
            self._tail_size -= len(dropped)
            self._left_out += len(dropped)

    def _is_disk_short(self, size: int) -> bool:
        self._until_look -= size
        if self._until_look > 0:
            return False
        self._until_look = LOOK_EVERY_BYTES
        disk = os.fstatvfs(self._file)
        return disk.f_bavail < min(FREE_BYTES_MIN / disk.f_frsize, FREE_SHARE_MAX * disk.f_blocks)

    def _write_tail(self) -> None:
        tail = b"".join(self._tail)
        excess = len(tail) - self._tail_max
        if excess > 0 or self._left_out > 0:
            # The rest of a line that began in what is left out goes with it.
            start = max(excess, 0)
            start = tail.find(b"\n", start, start + 4096) + 1 or start
            left_out = self._left_out + start
            tail = tail[start:]
            self.is_truncated = True
            self._write(b"[headrace: %d bytes of output are left out here]\n" % left_out)
        self._write(tail)

    def _write(self, piece: bytes) -> None:
        view = memoryview(piece)
        try:
            while view:
                view = view[os.write(self._file, view) :]
        except OSError:
            self.is_truncated = True
