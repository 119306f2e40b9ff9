"""What a notebook's document keeps while it runs, and how large it may get."""

from __future__ import annotations

import json
import subprocess
import sys
import time

from support.attempts import PYTHON_FOLDER, TASK_SECONDS_MAX, Workspace


def test_ten_thousand_cells_run_and_are_all_told(workspace: Workspace) -> None:
    cells = [f"x = {number}\n" for number in range(10_000)]

    outcome = workspace.run_notebook("\n# COMMAND ----------\n".join([*cells, "raise ValueError(x)\n", "never\n"]))

    assert outcome.message == "ValueError: 9999"
    assert [cell["state"] for cell in outcome.cells[-3:]] == ["succeeded", "failed", "skipped"]
    assert all(cell["state"] == "succeeded" for cell in outcome.cells[:10_000])
    assert outcome.cells[0]["started_at_ms"] <= outcome.cells[9_999]["started_at_ms"]
    assert outcome.cells[-1]["started_at_ms"] is None


def test_what_a_cell_prints_is_seen_while_it_runs(workspace: Workspace) -> None:
    release = workspace.root / "release"
    workspace.write(
        "workspace/Users/ann/notebook",
        "# Databricks notebook source\nimport os, time\nprint('begun')\n"
        f"while not os.path.exists('{release}'): time.sleep(0.01)\nprint('ended')\n",
    )
    folder = workspace.prepare({"kind": "notebook", "notebook_path": "/Users/ann/notebook", "parameters": {}})
    task = subprocess.Popen(
        [sys.executable, "-m", "headrace_runtime.launch", str(folder)],
        cwd=folder / "work",
        env={"PYTHONPATH": str(PYTHON_FOLDER), "PATH": "/usr/bin:/bin"},
        stdout=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + TASK_SECONDS_MAX
    shown: list[object] = []
    while not shown and time.monotonic() < deadline:
        time.sleep(0.05)
        if (folder / "notebook.json").exists():
            (cell,) = json.loads((folder / "notebook.json").read_text())["cells"]
            shown = cell["outputs"]
    release.touch()
    task.wait(TASK_SECONDS_MAX)

    assert shown == [{"kind": "text", "text": "begun\n"}]
    assert cell["state"] == "running"


def test_colours_and_overwritten_lines_are_as_a_terminal_shows_them(workspace: Workspace) -> None:
    outcome = workspace.run_notebook(
        """import sys
print("\\x1b[31mred\\x1b[0m and \\x1b]8;;http://x\\x07link\\x1b]8;;\\x07")
sys.stderr.write("10%\\r50%\\r100%\\n")
print("windows\\r")
"""
    )

    assert outcome.cells[0]["outputs"] == [
        {"kind": "text", "text": "red and link\n"},
        {"kind": "text", "text": "100%\n", "stream": "stderr"},
        {"kind": "text", "text": "windows\n"},
    ]
    assert "\x1b[31m" in outcome.log


def test_binary_output_and_forks_leave_the_document_whole(workspace: Workspace) -> None:
    outcome = workspace.run_notebook(
        """import os, sys
sys.stdout.buffer.write(bytes(range(256)) * 100)
sys.stdout.flush()
print("nul \\x00 lone \\udc80")
pid = os.fork()
if pid == 0:
    for _ in range(1000):
        print("child")
    os._exit(0)
os.waitpid(pid, 0)

# COMMAND ----------
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(8) as pool:
    list(pool.map(lambda n: [print("t", n, i) for i in range(500)], range(8)))
"""
    )

    assert outcome.result["state"] == "succeeded", outcome.log[-1000:]
    assert outcome.cells[0]["outputs"][0]["text"].startswith("nul \x00 lone ")
    assert outcome.cells[1]["outputs"][0]["text"].count("\n") == 4000


def test_a_syntax_error_names_its_cell_and_line(workspace: Workspace) -> None:
    outcome = workspace.run_notebook("x = 1\n\n# COMMAND ----------\ny = 2\nif x\n    pass\n")

    assert outcome.message.startswith("SyntaxError: expected ':'")
    assert "cell 2, line 2" in outcome.message
    assert 'File "/Users/ann/notebook, cell 2", line 2' in outcome.trace
