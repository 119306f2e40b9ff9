"""`dbutils.notebook.run`: a notebook started by another one, without Spark."""

from __future__ import annotations

import time

from support.attempts import Workspace

HEADER = "# Databricks notebook source\n"


def write_child(workspace: Workspace, code: str, name: str = "child") -> None:
    workspace.write(f"workspace/Users/ann/{name}", HEADER + code)


def test_a_notebook_gives_its_exit_value_and_keeps_its_scope_to_itself(workspace: Workspace) -> None:
    write_child(
        workspace,
        """
dbutils.widgets.text("day", "none")
x = "child's"
print("child", dbutils.widgets.getAll(), dbutils.notebook.getContext().notebookPath().get())
display([{"n": 1}])
dbutils.notebook.exit(dbutils.widgets.get("day"))
""",
    )

    outcome = workspace.run_notebook(
        """x = "parent's"
print("result", dbutils.notebook.run("./child", 60, {"day": 7}), dbutils.notebook.run("/Users/ann/child"), x)
""",
        {"only": "the parent's"},
    )

    assert outcome.result["state"] == "succeeded", outcome.log
    assert outcome.log.splitlines() == [
        "child {'day': '7'} /Users/ann/child",
        "child {'day': 'none'} /Users/ann/child",
        "result 7 none parent's",
    ]
    texts = [output for output in outcome.cells[0]["outputs"] if output["kind"] == "text"]
    assert texts[0]["text"].startswith("— notebook /Users/ann/child, ")
    assert "child {'day': '7'}" in texts[0]["text"]
    assert [output["kind"] for output in outcome.cells[0]["outputs"]] == ["text", "table", "text", "table", "text"]


def test_a_child_knows_its_run_and_who_has_started_it(workspace: Workspace) -> None:
    write_child(
        workspace,
        """
import json
context = dbutils.notebook.entry_point.getDbutils().notebook().getContext()
facts = json.loads(context.toJson())
ids = [facts["tags"]["multitaskParentRunId"], facts["rootRunId"]["id"], context.currentRunId().get()]
dbutils.notebook.exit([context.notebookPath().get(), context.parentNotebookPath().get(), *ids])
""",
    )

    outcome = workspace.run_notebook(
        """context = dbutils.notebook.getContext()
print(dbutils.notebook.run("./child", 60))
print(context.parentNotebookPath().isDefined(), context.rootRunId().get(), context.attemptNumber().get())
print(context.taskRunId().get(), context.browserHostName().get())
"""
    )

    assert outcome.log.splitlines() == [
        "['/Users/ann/child', '/Users/ann/notebook', '1', 1, '1']",
        "False 1 0",
        "1 127.0.0.1",
    ]


def test_a_failure_is_raised_with_its_cause_and_may_be_caught(workspace: Workspace) -> None:
    write_child(workspace, "def check(n):\n    raise ValueError(f'bad {n}')\ncheck(3)\n")
    write_child(workspace, "import os\nos._exit(5)\n", "dies")

    outcome = workspace.run_notebook(
        """for path in ("child", "dies", "./none", "../../../../etc/passwd"):
    try:
        dbutils.notebook.run(path, 60)
    except Exception as error:
        print("caught", type(error).__name__, error)

# COMMAND ----------
dbutils.notebook.run("child", 60)
"""
    )

    caught = [line for line in outcome.log.splitlines() if line.startswith("caught")]
    assert caught == [
        "caught NotebookRunError notebook /Users/ann/child failed: ValueError: bad 3",
        "caught NotebookRunError notebook /Users/ann/dies ended with status 5",
        "caught NotebookRunError RESOURCE_NOT_FOUND: notebook /Users/ann/none does not exist in the workspace",
        "caught NotebookRunError RESOURCE_NOT_FOUND: notebook /etc/passwd does not exist in the workspace",
    ]
    assert outcome.message == "NotebookRunError: notebook /Users/ann/child failed: ValueError: bad 3"
    assert 'File "/Users/ann/child, cell 1", line 3' in outcome.trace
    assert "/headrace_runtime/" not in outcome.trace
    assert [cell["state"] for cell in outcome.cells] == ["succeeded", "failed"]


def test_a_notebook_beyond_its_time_is_stopped_with_all_that_it_started(workspace: Workspace) -> None:
    mark = workspace.root / "alive"
    write_child(
        workspace,
        f"""
import signal, subprocess, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen(["sh", "-c", "trap '' TERM; while :; do date +%s%N > {mark}; sleep 0.05; done"])
time.sleep(600)
""",
    )

    outcome = workspace.run_notebook(
        """try:
    dbutils.notebook.run("child", 4)
except TimeoutError as error:
    print(type(error).__name__, error)
"""
    )

    assert outcome.log.splitlines()[-1] == (
        "NotebookTimeoutError notebook /Users/ann/child did not end within 4 s and was stopped"
    )
    before = mark.read_text()
    time.sleep(0.3)
    assert mark.read_text() == before


def test_notebooks_that_run_themselves_end_at_a_depth(workspace: Workspace) -> None:
    write_child(workspace, "dbutils.notebook.run('./child', 60)\n")

    outcome = workspace.run_notebook("dbutils.notebook.run('child', 100)\n")

    assert "would be the 9th below another, and the limit is 8: does it run itself?" in outcome.message


def test_notebooks_run_beside_each_other_and_their_task_values_are_nobodys(workspace: Workspace) -> None:
    write_child(
        workspace,
        """
import time
dbutils.jobs.taskValues.set("n", 1)
begun = time.time()
time.sleep(1)
dbutils.notebook.exit(f"{begun} {time.time()} {dbutils.widgets.get('n')}")
""",
    )

    outcome = workspace.run_notebook(
        """from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(3) as pool:
    results = [each.split() for each in pool.map(lambda n: dbutils.notebook.run("child", 60, {"n": str(n)}), range(3))]
print([n for _, _, n in results], max(begun for begun, _, _ in results) < min(ended for _, ended, _ in results))
"""
    )

    assert outcome.result["state"] == "succeeded", outcome.log
    assert outcome.log.splitlines()[-1] == "['0', '1', '2'] True"
    assert outcome.task_values == {}
    warnings = [message["message"] for message in outcome.messages if message["kind"] == "warning"]
    assert warnings[0].startswith("notebook /Users/ann/child has set task values (n), which no task can see")


def test_arguments_that_make_no_sense_are_refused(workspace: Workspace) -> None:
    outcome = workspace.run_notebook(
        """for arguments in (("",), ("child", -1), ("child", "x"), ("child", 0, ["a"])):
    try:
        dbutils.notebook.run(*arguments)
    except ValueError as error:
        print(error)
"""
    )

    assert outcome.log.splitlines() == [
        "notebook.run: path is a text that is not empty, not ''",
        "notebook.run: timeout_seconds is a number, 0 for none, not -1",
        "notebook.run: timeout_seconds is a number, 0 for none, not 'x'",
        "notebook.run: arguments is a dict, not a list",
    ]


def test_python_may_be_started_anew_above_and_below(workspace: Workspace) -> None:
    write_child(
        workspace,
        """x = 1
dbutils.library.restartPython()

# COMMAND ----------
dbutils.notebook.exit(f"{'x' in globals()} {dbutils.widgets.get('n')}")
""",
    )

    outcome = workspace.run_notebook(
        """print(dbutils.notebook.run("child", 60, {"n": 1}))
dbutils.library.restartPython()

# COMMAND ----------
print(dbutils.notebook.run("child", 60, {"n": 2}))
"""
    )

    assert outcome.result["state"] == "succeeded", outcome.log
    assert outcome.log.splitlines() == ["False 1", "False 2"]
