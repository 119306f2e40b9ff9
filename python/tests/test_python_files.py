"""spark_python_task without Spark, and how failures look to a person."""

from __future__ import annotations

import pytest
from support.attempts import Workspace


def test_a_file_runs_as_main_with_its_arguments_and_its_folder_on_the_path(workspace: Workspace) -> None:
    workspace.write("workspace/Users/ann/beside.py", "NAME = 'beside'\n")
    outcome = workspace.run_script(
        "import sys, os, beside\nprint(__name__, sys.argv[1:], beside.NAME, os.path.basename(__file__))\n", "a", "--b=c"
    )

    assert outcome.result == {"version": 1, "state": "succeeded"}
    assert outcome.status == 0
    assert outcome.log == "__main__ ['a', '--b=c'] beside script.py\n"


def test_an_exception_gives_its_last_line_and_the_users_own_frames(workspace: Workspace) -> None:
    outcome = workspace.run_script("def f():\n    raise ValueError('no such thing: 7')\n\nf()\n")

    assert outcome.status == 1
    assert outcome.code == "RUN_EXECUTION_ERROR"
    assert outcome.message == "ValueError: no such thing: 7"
    assert outcome.trace.splitlines()[0] == "Traceback (most recent call last):"
    assert 'File "/Workspace/Users/ann/script.py", line 4, in <module>' in outcome.trace
    assert "headrace_runtime" not in outcome.trace
    assert outcome.log == outcome.trace


def test_causes_stay_in_the_trace(workspace: Workspace) -> None:
    outcome = workspace.run_script(
        "try:\n    {}['x']\nexcept KeyError as e:\n    raise RuntimeError('wrapped') from e\n"
    )

    assert "KeyError: 'x'" in outcome.trace
    assert "direct cause" in outcome.trace


def test_a_syntax_error_names_file_and_line(workspace: Workspace) -> None:
    outcome = workspace.run_script("x = 1\nif x\n    y\n")

    assert outcome.code == "RUN_EXECUTION_ERROR"
    assert outcome.message.startswith("SyntaxError: expected ':' (script.py, line 2)")
    assert "if x" in outcome.trace


@pytest.mark.parametrize(
    ("call", "status", "message"),
    [
        ("sys.exit(3)", 3, "exited with status 3"),
        ("sys.exit('no input')", 1, "exited with status 1: no input"),
        ("raise SystemExit(256 + 2)", 2, "exited with status 258"),
    ],
)
def test_an_exit_that_is_not_zero_fails(workspace: Workspace, call: str, status: int, message: str) -> None:
    outcome = workspace.run_script(f"import sys\n{call}\n")

    assert outcome.status == status
    assert outcome.message == message
    assert outcome.code == "RUN_EXECUTION_ERROR"


@pytest.mark.parametrize("call", ["sys.exit(0)", "sys.exit()", "exit_ = sys.exit; exit_(None)"])
def test_an_exit_of_zero_succeeds(workspace: Workspace, call: str) -> None:
    outcome = workspace.run_script(f"import sys\n{call}\nprint('never')\n")

    assert outcome.result["state"] == "succeeded"
    assert outcome.log == ""


def test_running_out_of_memory_says_so(workspace: Workspace) -> None:
    outcome = workspace.run_script("x = [0] * 10**18\n")

    assert outcome.message.startswith("MemoryError: Python ran out of memory")


def test_a_missing_file_is_named(workspace: Workspace) -> None:
    task = {"kind": "spark_python", "python_file": "dbfs:/jobs/nothing.py", "parameters": []}

    outcome = workspace.run(task)

    assert outcome.code == "RESOURCE_NOT_FOUND"
    assert outcome.message == "Python file dbfs:/jobs/nothing.py does not exist"


@pytest.mark.parametrize(
    ("stored", "named"),
    [
        ("dbfs/jobs/x.py", "dbfs:/jobs/x.py"),
        ("volumes/main/a/b/x.py", "/Volumes/main/a/b/x.py"),
        ("workspace/Users/ann/x.py", "/Users/ann/x.py"),
        ("workspace/Users/ann/x", "/Workspace/Users/ann/x.py"),
    ],
)
def test_a_file_is_found_wherever_it_is_kept(workspace: Workspace, stored: str, named: str) -> None:
    workspace.write(stored, "print('found')\n")

    outcome = workspace.run({"kind": "spark_python", "python_file": named, "parameters": []})

    assert outcome.log == "found\n"


def test_threads_and_atexit_functions_end_before_the_result(workspace: Workspace) -> None:
    outcome = workspace.run_script(
        """
import atexit, threading, time
from concurrent.futures import ThreadPoolExecutor
atexit.register(print, "at exit")
pool = ThreadPoolExecutor(1)
pool.submit(lambda: (time.sleep(0.2), print("in pool")))
threading.Thread(target=lambda: (time.sleep(0.3), print("in thread"))).start()
print("end of file")
"""
    )

    assert outcome.result["state"] == "succeeded"
    assert outcome.log.splitlines() == ["end of file", "in pool", "in thread", "at exit"]


def test_a_file_has_dbutils_and_spark_without_an_import(workspace: Workspace) -> None:
    outcome = workspace.run_script("dbutils.jobs.taskValues.set('a', 1)\nprint(spark)\n")

    assert outcome.task_values == {"a": 1}
    assert outcome.code == "CLUSTER_ERROR"
    assert outcome.message == "Spark is not available: this task was started without a cluster"


def test_clients_find_address_and_token(workspace: Workspace) -> None:
    outcome = workspace.run_script("import os\nprint(os.environ['DATABRICKS_HOST'], os.environ['DATABRICKS_TOKEN'])\n")

    assert outcome.log == "http://127.0.0.1:1 hrt_token\n"


def test_an_unknown_version_of_the_document_is_refused(workspace: Workspace) -> None:
    outcome = workspace.run_script("print(1)\n", version=99)

    assert outcome.code == "CLUSTER_ERROR"
    assert "version 99" in outcome.message


def test_a_light_task_imports_nothing_heavy(workspace: Workspace) -> None:
    outcome = workspace.run_script(
        "import sys\nprint([m for m in ('pyspark', 'IPython', 'py4j', 'typing', 'traceback', 'socket') if m in sys.modules])\n"
    )

    assert outcome.log == "[]\n"
