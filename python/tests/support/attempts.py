"""Attempt folders for tests, and running them as a task process of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

PYTHON_FOLDER = Path(__file__).resolve().parents[2]
# Generous: two loaded cores, and IPython or Spark in the task.
TASK_SECONDS_MAX = 120


class Outcome:
    """What a task process left behind."""

    def __init__(self, folder: Path, status: int, log: str) -> None:
        self.status = status
        self.log = log
        result_file = folder / "result.json"
        self.result: dict[str, Any] = json.loads(result_file.read_text()) if result_file.exists() else {}
        notebook_file = folder / "notebook.json"
        self.cells: list[dict[str, Any]] = []
        if notebook_file.exists():
            self.cells = json.loads(notebook_file.read_text())["cells"]
        messages_file = folder / "messages.jsonl"
        lines = messages_file.read_text().splitlines() if messages_file.exists() else []
        self.messages: list[dict[str, Any]] = [json.loads(line) for line in lines]

    @property
    def printed(self) -> str:
        """The log without the lines of installations."""
        return "".join(line for line in self.log.splitlines(True) if not line.startswith("[libraries] "))

    @property
    def code(self) -> str | None:
        return self.result.get("failure", {}).get("code")

    @property
    def message(self) -> str:
        message: str = self.result.get("failure", {}).get("message", "")
        return message

    @property
    def trace(self) -> str:
        return self.result.get("failure", {}).get("trace") or ""

    @property
    def exit_value(self) -> str | None:
        return self.result.get("exit_value")

    @property
    def task_values(self) -> dict[str, Any]:
        return {m["name"]: m["value"] for m in self.messages if m["kind"] == "task_value"}


class Workspace:
    """A data root with the hosted folders, in which tasks run."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.attempts = 0
        self.environment: dict[str, str] = {}
        # Called in the task's process before it becomes Python.
        self.before_start: Callable[[], None] | None = None

    def write(self, path: str, text: str) -> str:
        """Write `workspace/Users/…`, `dbfs/…` or `volumes/…` below the data root."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return str(file)

    def run_script(self, text: str, *parameters: str, **attempt: Any) -> Outcome:
        self.write("workspace/Users/ann/script.py", text)
        task = {"kind": "spark_python", "python_file": "/Workspace/Users/ann/script.py", "parameters": list(parameters)}
        return self.run(task, **attempt)

    def run_notebook(self, text: str, parameters: dict[str, str] | None = None, **attempt: Any) -> Outcome:
        """The text of a .py source notebook, without its first line."""
        self.write("workspace/Users/ann/notebook", "# Databricks notebook source\n" + text)
        task = {"kind": "notebook", "notebook_path": "/Users/ann/notebook", "parameters": parameters or {}}
        return self.run(task, **attempt)

    def run_wheel(self, wheel: str, package: str, entry_point: str, *parameters: str, **attempt: Any) -> Outcome:
        named = attempt.pop("named_parameters", {})
        task = {"kind": "python_wheel", "package_name": package, "entry_point": entry_point}
        attempt.setdefault("libraries", [{"whl": wheel}])
        return self.run({**task, "parameters": list(parameters), "named_parameters": named}, **attempt)

    def run(self, task: dict[str, Any], *, seconds_max: float = TASK_SECONDS_MAX, **attempt: Any) -> Outcome:
        folder = self.prepare(task, **attempt)
        environment = {
            **{name: value for name, value in os.environ.items() if name.startswith(("PATH", "HOME", "PIP_", "LANG"))},
            "PYTHONPATH": str(PYTHON_FOLDER),
            **self.environment,
        }
        finished = subprocess.run(
            [sys.executable, "-m", "headrace_runtime.launch", str(folder)],
            cwd=folder / "work",
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds_max,
            check=False,
            preexec_fn=self.before_start,
        )
        return Outcome(folder, finished.returncode, finished.stdout.decode("utf-8", "replace"))

    def prepare(self, task: dict[str, Any], **changes: Any) -> Path:
        self.attempts += 1
        folder = self.root / "attempts" / "1" / str(self.attempts)
        (folder / "work").mkdir(parents=True)
        document = {**an_attempt(self.root, self.attempts, task), **changes}
        (folder / "attempt.json").write_text(json.dumps(document))
        return folder


def an_attempt(root: Path, attempt_id: int, task: dict[str, Any]) -> dict[str, Any]:
    return {
        "version": 1,
        "attempt_id": attempt_id,
        "epoch": 1,
        "run_id": 1,
        "job_id": 7,
        "job_name": "job",
        "task_key": "me",
        "attempt_number": 0,
        "task": task,
        "libraries": [],
        "task_values": {},
        "spark": {"catalogs": [], "default_catalog": "spark_catalog", "conf": {}},
        "api": {"url": "http://127.0.0.1:1", "token": "hrt_token"},
        "data_root": str(root),
        "principal": "ann@example.com",
        "cluster_id": "default",
        "limits": {"log_bytes_max": 1_000_000, "task_value_bytes_max": 1_000, "exit_value_bytes_max": 1_000},
    }
