"""Init scripts: what they get, where their output goes, and each way in which one keeps a host from starting."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from headrace_runtime.init_scripts import run_init_scripts


@pytest.fixture
def places(tmp_path: Path) -> dict[str, Path]:
    made = {"folder": tmp_path / "host", "data": tmp_path / "data"}
    made["shared"] = made["data"] / "workspace" / "Shared"
    made["volume"] = made["data"] / "volumes" / "main" / "default" / "scripts"
    for path in made.values():
        path.mkdir(parents=True)
    return made


def write(path: Path, text: str) -> None:
    path.write_text(text)


def run(places: dict[str, Path], *paths: str, timeout_ms: int = 30_000) -> None:
    config: dict[str, Any] = {
        "data_root": str(places["data"]),
        "cluster_id": "c1",
        "cluster_name": "etl",
        "init_scripts": {"paths": paths, "log_folder": "dbfs:/cluster-logs/c1", "timeout_ms": timeout_ms},
    }
    run_init_scripts(str(places["folder"]), config)


def failure(places: dict[str, Path], *paths: str, timeout_ms: int = 30_000) -> str:
    with pytest.raises(SystemExit):
        run(places, *paths, timeout_ms=timeout_ms)
    told = json.loads((places["folder"] / "start-failure.json").read_text())
    assert told["code"] == "INIT_SCRIPT_FAILURE"
    message: str = told["message"]
    return message


def logs(places: dict[str, Path]) -> list[str]:
    folder = places["data"] / "dbfs" / "cluster-logs" / "c1" / "init_scripts"
    return [path.read_text() for path in sorted(folder.iterdir())]


def test_scripts_run_in_order_with_the_cluster_in_their_environment(
    places: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAGE", "dev")
    write(places["shared"] / "one.sh", "echo $STAGE $DB_CLUSTER_ID $DB_CLUSTER_NAME > mark; echo first; echo twice >&2")
    write(places["volume"] / "two.py", "#!/usr/bin/env python3\nprint(open('mark').read().split())")

    run(places, "/Workspace/Shared/one.sh", "/Volumes/main/default/scripts/two.py")

    assert logs(places) == ["first\ntwice\n", "['dev', 'c1', 'etl']\n"]
    assert not (places["folder"] / "start-failure.json").exists()


def test_a_script_that_fails_is_named_with_its_code_and_last_lines_and_no_other_runs(places: dict[str, Path]) -> None:
    write(places["shared"] / "bad.sh", "for i in $(seq 50); do echo line $i; done; exit 3")
    write(places["shared"] / "next.sh", "touch ran")

    message = failure(places, "/Workspace/Shared/bad.sh", "/Workspace/Shared/next.sh")

    assert message.startswith("init script /Workspace/Shared/bad.sh ended with code 3: line 41\n")
    assert message.endswith("line 50")
    assert not (places["folder"] / "ran").exists()


def test_a_script_that_is_not_there_is_named(places: dict[str, Path]) -> None:
    assert failure(places, "/Workspace/Shared/none.sh") == "init script /Workspace/Shared/none.sh was not found"
    assert "was not found" in failure(places, "dbfs:/none.sh")
    assert "was not found" in failure(places, "/Workspace/../../../etc/hostname")


def test_a_script_that_hangs_is_ended_with_what_it_started(places: dict[str, Path]) -> None:
    write(places["shared"] / "slow.sh", "sleep 600 & echo $! > child; echo waiting; wait")
    began = time.monotonic()

    message = failure(places, "/Workspace/Shared/slow.sh", timeout_ms=1_000)

    assert "did not end in time, and was ended: waiting" in message
    assert time.monotonic() - began < 60
    child = int((places["folder"] / "child").read_text())
    deadline = time.monotonic() + 30
    while is_running(child) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not is_running(child)


def is_running(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def test_a_script_that_prints_without_end_is_ended(places: dict[str, Path]) -> None:
    write(places["shared"] / "loud.sh", "exec yes")

    assert "printed more than" in failure(places, "/Workspace/Shared/loud.sh")


def test_a_program_that_cannot_be_run_is_told(places: dict[str, Path]) -> None:
    write(places["shared"] / "odd.sh", "#!/no/such/program\n")

    assert "an init script could not be run" in failure(places, "/Workspace/Shared/odd.sh")


def test_what_a_script_leaves_running_does_not_hold_up_the_start(places: dict[str, Path]) -> None:
    write(places["shared"] / "daemon.sh", "sleep 600 & echo $! > child")

    run(places, "/Workspace/Shared/daemon.sh")

    os.kill(int((places["folder"] / "child").read_text()), 9)
