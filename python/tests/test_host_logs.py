from __future__ import annotations

import os
from pathlib import Path

import pytest
from headrace_runtime.logs import LogPump


def pump_all(path: Path, pieces: list[bytes], bytes_max: int) -> LogPump:
    """What the file holds once these pieces have gone through the pipe."""
    read_fd, write_fd = os.pipe()
    pump = LogPump(read_fd, str(path), bytes_max)
    for piece in pieces:
        os.write(write_fd, piece)
        pump.drain()
    os.close(write_fd)
    assert pump.drain() is False
    pump.close()
    return pump


def test_output_within_the_limit_is_kept_whole(tmp_path: Path) -> None:
    log = tmp_path / "log"

    pump = pump_all(log, [b"one\n", b"two"], 1000)

    assert log.read_bytes() == b"one\ntwo"
    assert not pump.is_truncated


def test_output_of_exactly_the_limit_is_kept_whole(tmp_path: Path) -> None:
    log = tmp_path / "log"
    lines = [b"%09d\n" % number for number in range(100)]

    pump = pump_all(log, lines, 1000)

    assert log.read_bytes() == b"".join(lines)
    assert not pump.is_truncated


def test_beyond_the_limit_head_and_tail_are_kept_and_the_gap_is_marked(tmp_path: Path) -> None:
    log = tmp_path / "log"
    lines = [b"%09d\n" % number for number in range(1000)]

    pump = pump_all(log, lines, 1000)

    head, mark, tail = log.read_bytes().partition(b"[headrace: 9010 bytes of output are left out here]\n")
    assert mark
    assert head == b"".join(lines[:75])
    assert tail == b"".join(lines[-24:])
    assert pump.is_truncated


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a disk that is always full")
def test_a_full_disk_costs_the_log_and_not_the_end_of_the_task() -> None:
    pump = pump_all(Path("/dev/full"), [b"one\n", b"x" * 2000], 1000)

    assert not pump.is_open
    assert pump.is_truncated


def test_one_endless_line_is_cut_too(tmp_path: Path) -> None:
    log = tmp_path / "log"

    pump_all(log, [b"x" * 1000] * 50, 1000)

    kept = log.read_bytes()
    assert len(kept) < 1100
    assert b"bytes of output are left out here" in kept
