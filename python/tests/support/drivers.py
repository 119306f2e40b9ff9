"""A driver whose JVM is a fake."""

from __future__ import annotations

from pathlib import Path

from headrace_runtime.executor_watch import Wanted
from headrace_runtime.jvm import Driver


class FakeProcess:
    """A JVM that lives until it is killed."""

    pid = 1

    returncode = -9

    def __init__(self) -> None:
        self.killed = False

    def poll(self) -> int | None:
        return -9 if self.killed else None

    def kill(self) -> None:
        self.killed = True


def a_driver(tmp_path: Path, watch: Wanted | None = None) -> Driver:
    """One that is said to run."""
    driver = Driver(
        runtime={"java": "", "sparkHome": "", "classPath": [], "jvmOptions": [], "classDataArchive": None},
        folder=str(tmp_path),
        spark_conf={},
        data_root=str(tmp_path),
        on_state=lambda state, message, pid: None,
        on_death=lambda reason: None,
        place={"conf": {}, "watch": watch},
    )
    driver._process = FakeProcess()  # type: ignore[assignment]
    return driver
