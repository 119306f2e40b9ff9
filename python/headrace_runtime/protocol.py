"""Worker ↔ host: frames of a 4-byte big-endian length and a UTF-8 JSON text; the same as host-protocol.ts."""

from __future__ import annotations

import json
import struct
from typing import Any, Literal, TypedDict

HOST_PROTOCOL_VERSION = 2
# A frame beyond this is a broken peer; attempt documents travel as files, not as frames.
FRAME_BYTES_MAX = 1024 * 1024

AttemptState = Literal["held", "started", "ended"]
SparkState = Literal["none", "starting", "ready", "not_responding", "failed"]
Frame = dict[str, Any]

_length = struct.Struct(">I")


class _HostedEndRequired(TypedDict):
    exit_code: int | None
    signal: int | None
    started: bool
    at_ms: int
    stopped: bool
    log_truncated: bool


class HostedEnd(_HostedEndRequired, total=False):
    """How an attempt's process ended."""

    driver_message: str
    limit_message: str
    memory_killed: bool


class _HostedAttemptRequired(TypedDict):
    attempt_id: int
    epoch: int
    state: AttemptState
    pid: int | None
    started_at_ms: int | None
    # The epoch that it is led under; `epoch` is the one that it was prepared under.
    owner_epoch: int


class HostedAttempt(_HostedAttemptRequired, total=False):
    """An attempt as `hello` names it."""

    end: HostedEnd


def encode_frame(frame: Frame) -> bytes:
    """One frame as bytes."""
    body = json.dumps(frame, separators=(",", ":")).encode()
    return _length.pack(len(body)) + body


class FrameDecoder:
    """Cuts a stream of bytes into frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, received: bytes) -> list[Frame]:
        """The frames that are whole now; raises ValueError when the peer does not speak the protocol."""
        self._buffer += received
        frames: list[Frame] = []
        while len(self._buffer) >= _length.size:
            (size,) = _length.unpack_from(self._buffer)
            if size > FRAME_BYTES_MAX:
                raise ValueError(f"a frame of {size} bytes exceeds the limit of {FRAME_BYTES_MAX}")
            end = _length.size + size
            if len(self._buffer) < end:
                break
            frame = json.loads(self._buffer[_length.size : end])
            del self._buffer[:end]
            if not isinstance(frame, dict) or not isinstance(frame.get("op"), str):
                raise ValueError("a frame is not an object with an op")
            frames.append(frame)
        return frames
