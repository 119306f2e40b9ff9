from __future__ import annotations

import struct
from types import SimpleNamespace

import pytest
from headrace_runtime.protocol import FRAME_BYTES_MAX, Frame, FrameDecoder, encode_frame
from headrace_runtime.sockets import WorkerConnection

FRAMES: list[Frame] = [{"op": "go", "attempt_id": 1, "epoch": 2}, {"op": "error", "message": "Größe"}]


def test_frames_come_whole_however_the_stream_is_cut() -> None:
    stream = b"".join(map(encode_frame, FRAMES))

    for size in (1, 3, 7, len(stream)):
        decoder = FrameDecoder()
        decoded = [
            frame for start in range(0, len(stream), size) for frame in decoder.feed(stream[start : start + size])
        ]
        assert decoded == FRAMES


@pytest.mark.parametrize(
    "stream",
    [struct.pack(">I", FRAME_BYTES_MAX + 1), b"GET / HTTP/1.1\r\n\r\n", struct.pack(">I", 2) + b"[]"],
)
def test_a_peer_that_speaks_something_else_is_refused(stream: bytes) -> None:
    with pytest.raises(ValueError):
        FrameDecoder().feed(stream)


def test_a_ping_is_answered_whoever_asks() -> None:
    written: list[bytes] = []
    connection = WorkerConnection(SimpleNamespace(connection=None))  # type: ignore[arg-type]
    connection.transport = SimpleNamespace(write=written.append)  # type: ignore[assignment]

    connection.data_received(encode_frame({"op": "ping"}))

    assert FrameDecoder().feed(b"".join(written)) == [{"op": "pong"}]
