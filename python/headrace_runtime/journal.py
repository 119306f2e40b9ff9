"""What the host did, as JSON lines that are only ever appended, so that they survive the host's death.

    intended  before the fork                started  by the child itself, before any user line
    held      the child waits for "go"       ended    nothing of the attempt can act any more
    dropped   no user line ran               acked    its outcome is durable elsewhere: forget it; after the
                                                      death of the host the worker writes it
    taken     a worker that came back leads it, under a higher epoch

A power cut takes the processes along with the last lines, so there is no fsync. `packages/worker` reads the file
when its host is dead.
"""

from __future__ import annotations

import json
import os
from typing import Any, cast

from .protocol import HostedAttempt, HostedEnd

# Compacted beyond this, when no child is about to append: about 2,000 attempts.
COMPACT_BYTES = 1024 * 1024

Record = dict[str, Any]


def format_record(record: Record) -> bytes:
    """One line of the journal; written with one `write`, so that lines of several processes never mix."""
    return json.dumps(record, separators=(",", ":")).encode() + b"\n"


class Journal:
    """The host's side of the file."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def append(self, record: Record) -> None:
        """Add one record."""
        os.write(self._fd, format_record(record))

    def is_long(self) -> bool:
        """Whether it is worth compacting."""
        return os.fstat(self._fd).st_size > COMPACT_BYTES

    def compact(self, attempts: list[HostedAttempt]) -> None:
        """Keep these attempts only. No child may hold the old file open for its proof of start."""
        new_path = f"{self.path}.new"
        fd = os.open(new_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        os.write(fd, b"".join(format_record(record) for attempt in attempts for record in _records_of(attempt)))
        os.rename(new_path, self.path)
        os.close(self._fd)
        self._fd = fd


def replay_journal(path: str) -> dict[int, HostedAttempt]:
    """The attempts that were not acknowledged. A last line that was cut off by a crash is ignored."""
    attempts: dict[int, HostedAttempt] = {}
    try:
        with open(path, "rb") as file:
            lines = file.read().split(b"\n")
    except FileNotFoundError:
        return attempts
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        _fold(attempts, record)
    return attempts


def _fold(attempts: dict[int, HostedAttempt], record: Record) -> None:
    attempt_id, kind = record["attempt_id"], record["kind"]
    if kind == "intended":
        attempts[attempt_id] = {
            "attempt_id": attempt_id,
            "epoch": record["epoch"],
            "state": "held",
            "pid": None,
            "started_at_ms": None,
            "owner_epoch": record["epoch"],
        }
        return
    attempt = attempts.get(attempt_id)
    if attempt is None or attempt["epoch"] != record["epoch"]:
        return
    if kind in ("dropped", "acked"):
        del attempts[attempt_id]
    elif kind == "held":
        attempt["pid"] = record["pid"]
    elif kind == "started":
        attempt["state"] = "started"
        attempt["pid"] = record["pid"]
        attempt["started_at_ms"] = record["at_ms"]
    elif kind == "taken":
        attempt["owner_epoch"] = record["owner_epoch"]
    elif kind == "ended":
        attempt["state"] = "ended"
        attempt["end"] = cast(HostedEnd, record["end"])


def _records_of(attempt: HostedAttempt) -> list[Record]:
    ref = {"attempt_id": attempt["attempt_id"], "epoch": attempt["epoch"]}
    records: list[Record] = [{"kind": "intended", **ref}]
    if attempt["started_at_ms"] is not None:
        records.append({"kind": "started", **ref, "pid": attempt["pid"], "at_ms": attempt["started_at_ms"]})
    if attempt["owner_epoch"] > attempt["epoch"]:
        records.append({"kind": "taken", **ref, "owner_epoch": attempt["owner_epoch"]})
    if "end" in attempt:
        records.append({"kind": "ended", **ref, "end": attempt["end"]})
    return records
