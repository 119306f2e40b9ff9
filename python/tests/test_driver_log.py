from __future__ import annotations

from pathlib import Path

from headrace_runtime.driver_log import DriverLog

LINES = [b"%09d\n" % number for number in range(1000)]


def test_a_log_within_the_limit_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "driver.log"
    log = DriverLog(str(path), bytes_max=10_000, kept_bytes=100)
    with log.begin() as writer:
        writer.write(b"".join(LINES))

    log.cut()

    assert path.read_bytes() == b"".join(LINES)


def test_beyond_the_limit_the_end_is_kept_and_the_writer_goes_on_behind_it(tmp_path: Path) -> None:
    path = tmp_path / "driver.log"
    log = DriverLog(str(path), bytes_max=9_999, kept_bytes=105)
    with log.begin() as writer:
        writer.write(b"".join(LINES))
        log.cut()

        writer.write(b"later\n")

    mark, *kept = path.read_bytes().splitlines(keepends=True)
    assert mark == b"[headrace: 9900 bytes of output are left out here]\n"
    assert kept == [*LINES[-10:], b"later\n"]


def test_the_log_of_the_driver_before_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "driver.log"
    log = DriverLog(str(path))
    for words in (b"first", b"second", b"third"):
        with log.begin() as writer:
            writer.write(words)

    assert sorted(file.name for file in tmp_path.iterdir()) == ["driver.log", "driver.log.1"]
    assert (tmp_path / "driver.log.1").read_bytes() == b"second"
    assert log.last_lines() == "third"


def test_a_log_that_somebody_removed_harms_nothing(tmp_path: Path) -> None:
    log = DriverLog(str(tmp_path / "driver.log"))

    log.cut()

    assert log.last_lines() == "there is no log"
