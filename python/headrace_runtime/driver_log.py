"""The JVM's output in a file of bounded size: the JVM lives as long as its cluster, and user code can print into it.

The JVM writes the file itself, not a pipe to the host: then it never waits for the host, and the end is always there.
"""

from __future__ import annotations

import os
from typing import BinaryIO

# A month of warnings of a busy cluster is less; more comes only from user code that prints in Spark's workers.
BYTES_MAX = 16 * 1024 * 1024
# What tells why something went wrong is at the end.
KEPT_BYTES = 1024 * 1024


class DriverLog:
    """`driver.log` of one host; that of the JVM before is `driver.log.1`."""

    def __init__(self, path: str, bytes_max: int = BYTES_MAX, kept_bytes: int = KEPT_BYTES) -> None:
        self._path = path
        self._bytes_max = bytes_max
        self._kept_bytes = kept_bytes

    def begin(self) -> BinaryIO:
        """A new log. It is appended to, so that a cut moves the place where the JVM writes next."""
        if os.path.exists(self._path):
            os.replace(self._path, f"{self._path}.1")
        return open(self._path, "ab", buffering=0)

    def cut(self) -> None:
        """Keep the end of a log that has grown too long; what is written at this very moment may be lost."""
        try:
            size = os.stat(self._path).st_size
            if size <= self._bytes_max:
                return
            with open(self._path, "a+b", buffering=0) as file:
                file.seek(size - self._kept_bytes)
                kept = file.read(self._kept_bytes)
                kept = kept[kept.find(b"\n") + 1 :]
                file.truncate(0)
                file.write(b"[headrace: %d bytes of output are left out here]\n" % (size - len(kept)) + kept)
        except OSError:
            pass  # the disk is full, or somebody removed the file: neither may harm the driver

    def last_lines(self) -> str:
        """The end, short enough for a message."""
        try:
            return " | ".join(self.tail(2000).strip().splitlines()[-5:])
        except OSError:
            return "there is no log"

    def tail(self, bytes_max: int) -> str:
        """The end."""
        with open(self._path, "rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - bytes_max))
            return file.read().decode(errors="replace")
