from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from headrace_runtime.processes import ATTEMPT_MARK, kill_all, processes_of_attempt

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows the environment of other processes")


@contextmanager
def a_program_of(folder: str) -> Iterator[int]:
    """A process that user code of this attempt left running."""
    program = [sys.executable, "-I", "-S", "-c", "print(flush=True); input()"]
    with subprocess.Popen(
        program,
        env={"A": "1", ATTEMPT_MARK: folder},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process.pid
        finally:
            process.kill()


def test_a_program_in_a_session_of_its_own_is_found_by_its_mark() -> None:
    with a_program_of("/state/attempts/1000") as pid:
        found = processes_of_attempt("/state/attempts/1000", None)

    assert found == [pid]


def test_programs_of_other_attempts_and_of_another_headrace_are_left_alone() -> None:
    with a_program_of("/other/state/attempts/1000"), a_program_of("/state/attempts/10001"):
        found = processes_of_attempt("/state/attempts/1000", None)

    assert found == []


def test_a_process_that_belongs_to_another_user_does_not_shield_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    signalled = []

    def kill(pid: int, number: int) -> None:
        if pid == 1:
            raise PermissionError
        signalled.append(pid)

    monkeypatch.setattr(os, "kill", kill)
    kill_all([1, 2])

    assert signalled == [2]
