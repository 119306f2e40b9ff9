"""dbutils as user code calls it, in both call styles."""

from __future__ import annotations

import subprocess
import sys

from support.attempts import PYTHON_FOLDER, Workspace


def test_widgets_take_parameters_before_defaults(workspace: Workspace) -> None:
    outcome = workspace.run_notebook(
        """
dbutils.widgets.text("catalog", "dev")
dbutils.widgets.text("other", "fallback", "A label")
dbutils.widgets.dropdown("mode", "a", ["a", "b"])
dbutils.widgets.multiselect("some", "x,y", ["x", "y", "z"])
dbutils.widgets.combobox("free", "1", ["1", "2"])
w = dbutils.widgets
print(w.get("catalog"), w.get("other"), w.get("mode"), w.get("some"), w.get("free"), w.get("undeclared"))
print(getArgument("none", "default"), w.getArgument("catalog", "x"))
print(sorted(w.getAll().items()))
w.remove("other")
try:
    w.get("other")
except Exception as error:
    print(type(error).__name__, error)
w.removeAll()
print(w.getAll())
""",
        {"catalog": "prod", "mode": "b", "free": "anything", "undeclared": "u"},
    )

    assert outcome.result["state"] == "succeeded", outcome.log
    assert outcome.log.splitlines() == [
        "prod fallback b x,y anything u",
        "default prod",
        "[('catalog', 'prod'), ('free', 'anything'), ('mode', 'b'), ('other', 'fallback'), ('some', 'x,y'), ('undeclared', 'u')]",
        "InputWidgetNotDefined No input widget named other is defined",
        "{}",
    ]


def test_a_value_that_is_no_choice_is_refused(workspace: Workspace) -> None:
    outcome = workspace.run_notebook("dbutils.widgets.dropdown('fail', 'no', ['no', 'empty'])\n", {"fail": "other"})

    assert outcome.message == "ValueError: widget fail: 'other' is not one of its choices: no, empty"


def test_task_values_keep_their_types_and_have_defaults(workspace: Workspace) -> None:
    outcome = workspace.run_script(
        """
values = dbutils.jobs.taskValues
values.set("count", 5)
values.set(key="nested", value={"a": [1, 2.5, None, True], "b": "text"})
values.set("count", 6)
print(values.get("ingest", "row_count"), values.get(taskKey="ingest", key="rate", default=0, debugValue=9))
print(values.get("ingest", "none", "absent"), values.get("nobody", "x", default=0), values.get("me", "count"))
try:
    values.get("ingest", "none", debugValue=3)
except ValueError as error:
    print(error)
""",
        task_values={"ingest": {"row_count": "300", "rate": 0.5}},
    )

    assert outcome.result["state"] == "succeeded", outcome.log
    assert outcome.log.splitlines()[:2] == ["300 0.5", "absent 0 6"]
    assert outcome.log.splitlines()[2:] == [
        "task 'ingest' has set no value 'none' in this run; it has set: rate, row_count"
    ]
    assert outcome.messages == [
        {"kind": "task_value", "name": "count", "value": 5},
        {"kind": "task_value", "name": "nested", "value": {"a": [1, 2.5, None, True], "b": "text"}},
        {"kind": "task_value", "name": "count", "value": 6},
    ]


def test_task_values_that_are_no_json_or_too_large_are_refused(workspace: Workspace) -> None:
    outcome = workspace.run_script(
        """
import datetime
for value in (datetime.date(2026, 1, 1), float("nan"), {1, 2}, "x" * 2000):
    try:
        dbutils.jobs.taskValues.set("k", value)
    except ValueError as error:
        print(str(error)[:60])
"""
    )

    assert outcome.messages == []
    assert outcome.log.splitlines() == [
        "task value 'k' of type datetime.date cannot be stored as JSO",
        "task value 'k' of type float cannot be stored as JSON (Out o",
        "task value 'k' of type set cannot be stored as JSON (Object ",
        "task value 'k' has 2002 bytes as JSON and the limit is 1000;",
    ]


def test_a_task_value_is_read_with_the_type_it_was_set_with(workspace: Workspace) -> None:
    values = [True, False, 7, -2.5, "7", "", None, [], [1, [2]], {}, {"a": None, "ü": {"b": [True]}}]
    first = workspace.run_script(
        f"for index, value in enumerate({values!r}):\n    dbutils.jobs.taskValues.set(f'v{{index}}', value)\n"
    )

    second = workspace.run_script(
        f"print([dbutils.jobs.taskValues.get('first', f'v{{index}}') for index in range({len(values)})])\n",
        task_values={"first": first.task_values},
    )

    assert second.log == f"{values!r}\n"


def test_values_of_a_for_each_task_are_a_list_in_the_order_of_its_inputs(workspace: Workspace) -> None:
    outcome = workspace.run_script(
        "print(dbutils.jobs.taskValues.get('each', 'rows'))\n",
        task_values={"each": {"rows": [3, None, {"n": 1}]}},
    )

    assert outcome.log == "[3, None, {'n': 1}]\n"


def test_an_unknown_task_and_an_unknown_key_are_told_apart(workspace: Workspace) -> None:
    outcome = workspace.run_script(
        """
values = dbutils.jobs.taskValues
for task, key in (("ingest", "rows"), ("ingets", "row_count"), ("idle", "x"), ("me", "x"), ("", "x"), ("ingest", None)):
    try:
        values.get(task, key)
    except ValueError as error:
        print(error)
""",
        task_values={"ingest": {"row_count": 1}, "idle": {}},
    )

    lines = outcome.log.splitlines()
    assert lines[0] == "task 'ingest' has set no value 'rows' in this run; it has set: row_count"
    assert lines[1].startswith("no task 'ingets' has set a value in this run")
    assert "tasks that have set values: ingest. Check" in lines[1]
    assert lines[2].startswith("no task 'idle' has set a value in this run")
    assert lines[3] == "task 'me', which is this one, has set no value yet, so none of key 'x'"
    assert lines[4:] == [
        "taskValues.get: taskKey is a text that is not empty, not ''",
        "taskValues.get: key is a text that is not empty, not None",
    ]


def test_a_task_value_may_have_a_mebibyte_and_above_48_kibibytes_warns_once(workspace: Workspace) -> None:
    limits = {"log_bytes_max": 1_000_000, "task_value_bytes_max": 2**20, "exit_value_bytes_max": 1_000}

    outcome = workspace.run_script(
        """
values = dbutils.jobs.taskValues
values.set("fits", "x" * (48 * 1024 - 2))
values.set("large", "x" * (48 * 1024 - 1))
values.set("large", "x" * (2**20 - 2))
try:
    values.set("huge", "x" * (2**20 - 1))
except ValueError as error:
    print(error)
""",
        limits=limits,
    )

    warning = "task value 'large' has 49153 bytes as JSON; hosted workspaces refuse more than 49152"
    assert {name: len(value) for name, value in outcome.task_values.items()} == {
        "fits": 48 * 1024 - 2,
        "large": 2**20 - 2,
    }
    assert [m["message"] for m in outcome.messages if m["kind"] == "warning"] == [warning]
    assert outcome.log.splitlines() == [
        f"Warning: {warning}",
        "task value 'huge' has 1048577 bytes as JSON and the limit is 1048576; write it to a table or file and hand on its name",
    ]


def test_a_task_value_whose_key_or_number_would_not_arrive_is_refused(workspace: Workspace) -> None:
    outcome = workspace.run_script(
        """
values = dbutils.jobs.taskValues
values.set("k" * 255, 2**53 - 1)
circle = []
circle.append(circle)
for key, value in (("k" * 256, 1), ("", 1), (7, 1), ("big", [2**53]), ("circle", circle), ("half", "\\ud800")):
    try:
        values.set(key, value)
    except ValueError as error:
        print(str(error)[:90])
"""
    )

    assert outcome.messages == [{"kind": "task_value", "name": "k" * 255, "value": 2**53 - 1}]
    assert outcome.log.splitlines() == [
        "the key of a task value may have 255 characters, and 'kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk",
        "the key of a task value is a text that is not empty, not ''",
        "the key of a task value is a text that is not empty, not 7",
        "task value 'big' holds the whole number 9007199254740992, and digits beyond 2**53 are lost",
        "task value 'circle' of type list cannot be stored as JSON (Circular reference detected); c",
        "task value 'half' of type str cannot be stored as JSON ('utf-8' codec can't encode charact",
    ]


def test_files_through_fs(workspace: Workspace) -> None:
    outcome = workspace.run_script(
        """
fs = dbutils.fs
fs.mkdirs("/landing/day1")
fs.put("dbfs:/landing/day1/a.csv", "x,y\\n1,2\\n")
fs.cp("dbfs:/landing/day1/a.csv", "/Volumes/main/raw/files/a.csv")
fs.cp("/landing", "/Volumes/main/raw/files/all", True)
fs.mv("/Volumes/main/raw/files/a.csv", "dbfs:/Volumes/main/raw/files/b.csv")
for info in fs.ls("/Volumes/main/raw/files"):
    print(info.path, info.name, info.size, info.isDir(), info.modificationTime > 1_500_000_000_000)
print(repr(fs.head("/Volumes/main/raw/files/b.csv", 4)), open("/dbfs/landing/day1/a.csv").read() == "x,y\\n1,2\\n")
print(fs.ls("dbfs:/landing")[0].path, fs.rm("dbfs:/landing", True), fs.rm("dbfs:/landing", recurse=True))
for call in (lambda: fs.ls("/none"), lambda: fs.put("/Volumes/main/raw/files/b.csv", ""), lambda: fs.ls("s3://bucket/x"),
             lambda: fs.cp("/Volumes/main", "/x")):
    try:
        call()
    except Exception as error:
        print(type(error).__name__, error)
"""
    )

    assert outcome.result["state"] == "succeeded", outcome.log
    assert outcome.log.splitlines() == [
        "Wrote 8 bytes.",
        "dbfs:/Volumes/main/raw/files/all/ all/ 0 True True",
        "dbfs:/Volumes/main/raw/files/b.csv b.csv 8 False True",
        "'x,y\\n' True",
        "dbfs:/landing/day1/ True False",
        "FileNotFoundError java.io.FileNotFoundException: No such file or directory dbfs:/none",
        "FileExistsError dbfs:/Volumes/main/raw/files/b.csv exists; give overwrite=True to replace it",
        "ValueError s3://bucket/x: dbutils.fs does not reach s3: addresses; read them with spark or a library for it",
        "IsADirectoryError dbfs:/Volumes/main is a folder; give recurse=True to copy it",
    ]


def test_an_exit_passes_by_except_exception(workspace: Workspace) -> None:
    outcome = workspace.run_script(
        """
try:
    dbutils.notebook.exit("done")
except Exception:
    print("caught")
print("after")
"""
    )

    assert outcome.result == {"version": 1, "state": "succeeded", "exit_value": "done"}
    assert outcome.log == ""


def test_an_exit_value_beyond_the_limit_is_refused(workspace: Workspace) -> None:
    outcome = workspace.run_script("dbutils.notebook.exit('x' * 1001)\n")

    assert outcome.message.startswith("ValueError: the exit value has 1001 bytes and the limit is 1000")


def test_what_is_not_supported_says_so(workspace: Workspace) -> None:
    outcome = workspace.run_script(
        """
for call in (lambda: dbutils.preview,):
    try:
        call()
    except Exception as error:
        print(type(error).__name__, str(error)[:59])
"""
    )

    assert outcome.log.splitlines() == ["AttributeError dbutils.preview is not supported; there are: fs, jobs, note"]


def test_help_lists_what_there_is(workspace: Workspace) -> None:
    outcome = workspace.run_script("dbutils.help()\ndbutils.fs.help()\ndbutils.fs.help('cp')\n")

    assert "widgets: Parameters of the task." in outcome.log
    assert "ls(path: str)" in outcome.log


def test_the_runtime_module_in_every_spelling(workspace: Workspace) -> None:
    outcome = workspace.run_script(
        """
import sys
from databricks.sdk.runtime import dbutils as first, display, getArgument
from databricks.sdk import runtime
import databricks.sdk.runtime as second
import databricks.sdk.runtime
from pyspark.dbutils import DBUtils
print(first is second.dbutils is databricks.sdk.runtime.dbutils is runtime.dbutils is DBUtils(None) is DBUtils())
from databricks.sdk import WorkspaceClient
print(WorkspaceClient.__name__, "pyspark" in sys.modules)
display([{"a": 1, "b": None}])
"""
    )

    assert outcome.result["state"] == "succeeded", outcome.log
    assert outcome.log.splitlines() == ["True", "WorkspaceClient False", "a\tb", "1\tnull"]


def test_facts_about_the_run_in_both_spellings(workspace: Workspace) -> None:
    outcome = workspace.run_notebook(
        """
context = dbutils.notebook.entry_point.getDbutils().notebook().getContext()
print(context.notebookPath().get(), context.jobId().get(), context.tags().get("jobId").get())
print(context.tags().get("orgId").getOrElse("none"), dbutils.notebook.getContext().userName().get())
"""
    )

    assert outcome.result["state"] == "succeeded", outcome.log
    assert outcome.log.splitlines() == ["/Users/ann/notebook 7 7", "none ann@example.com"]


def test_every_utility_has_help(workspace: Workspace) -> None:
    outcome = workspace.run_script(
        """
for name, utility in vars(dbutils).items():
    print("==", name)
    utility.help()
dbutils.help("notebook")
dbutils.jobs.taskValues.help("get")
"""
    )

    assert outcome.result["state"] == "succeeded", outcome.log
    sections = outcome.log.split("== ")[1:]
    assert [section.split("\n")[0] for section in sections] == [
        "fs",
        "jobs",
        "notebook",
        "widgets",
        "secrets",
        "library",
        "credentials",
        "data",
    ]
    assert all(len(section.splitlines()) > 1 for section in sections)
    assert "run(path: str, timeout_seconds: float = 0" in outcome.log


def test_what_belongs_to_a_cloud_is_refused_with_what_to_do(workspace: Workspace) -> None:
    outcome = workspace.run_script(
        """
for call in (lambda: dbutils.fs.mount("s3a://b", "/mnt/b"), lambda: dbutils.fs.updateMount("s3a://b", "/mnt/b"),
             lambda: dbutils.fs.unmount("/mnt/b"), lambda: dbutils.credentials.assumeRole("arn"),
             lambda: dbutils.credentials.getServiceCredentialsProvider("c")):
    try:
        call()
    except NotImplementedError as error:
        print(error)
print(dbutils.fs.mounts(), dbutils.fs.refreshMounts(), dbutils.credentials.showRoles(), dbutils.credentials.showCurrentRole())
"""
    )

    assert outcome.log.splitlines() == [
        "dbutils.fs.mount is not supported: read the storage by its own address, or copy the files",
        "dbutils.fs.mount is not supported: read the storage by its own address, or copy the files",
        "dbutils.fs.unmount: nothing is mounted at '/mnt/b', for there are no mounts",
        "role arn cannot be assumed: Headrace knows no cloud roles",
        "there is no service credential c: keep the cloud's keys in a secret, and hand them to its library",
        "[] True [] []",
    ]


def test_the_context_as_json_has_what_clients_read_and_no_token(workspace: Workspace) -> None:
    outcome = workspace.run_notebook(
        """
import json
context = dbutils.notebook.entry_point.getDbutils().notebook().getContext()
facts = json.loads(context.toJson())
print(facts["tags"]["jobId"], facts["extraContext"]["notebook_path"], facts["currentRunId"]["id"], context.tags().apply("taskKey"))
print("hrt_token" in context.toJson(), "hrt_token" in context.safeToJson(), context.apiToken().get())
"""
    )

    assert outcome.log.splitlines() == ["7 /Users/ann/notebook 1 me", "False False hrt_token"]


def test_a_frame_of_pandas_is_summarized(workspace: Workspace) -> None:
    outcome = workspace.run_notebook(
        "import pandas as pd\ndbutils.data.summarize(pd.DataFrame({'n': [1, 2, 3], 't': ['a', 'b', 'b']}))\n"
    )

    (table,) = outcome.cells[0]["outputs"]
    rows = {row[0]: row[1:] for row in table["rows"]}
    assert rows["count"] == [3.0, 3]
    assert rows["max"][0] == 3.0


def test_outside_a_task_it_says_what_to_do() -> None:
    program = "from headrace_runtime.dbutils import get_dbutils\nget_dbutils()\n"

    finished = subprocess.run([sys.executable, "-c", program], cwd=PYTHON_FOLDER, capture_output=True, check=False)

    assert "Start the code as a job, or pass the objects in." in finished.stderr.decode()


def test_the_roots_of_files_stay(workspace: Workspace) -> None:
    workspace.write("dbfs/a", "x")
    workspace.write("volumes/b", "x")

    outcome = workspace.run_script(
        """
folder = ""
for call in (lambda: dbutils.fs.rm(f"/{folder}", True), lambda: dbutils.fs.rm("dbfs:/x/..", True),
             lambda: dbutils.fs.rm("/Volumes", True), lambda: dbutils.fs.mv("file:/Workspace", "/x", True),
             lambda: dbutils.fs.rm("file:/", True)):
    try:
        call()
    except ValueError as error:
        print(str(error)[:36])
print(len(dbutils.fs.ls("/")), len(dbutils.fs.ls("/Volumes")), len(dbutils.fs.ls("/Workspace/Users")))
"""
    )

    assert outcome.log.splitlines() == [
        "dbfs:/ is the root of everybody's fi",
        "dbfs:/ is the root of everybody's fi",
        "dbfs:/Volumes is the root of everybo",
        "file:/Workspace is the root of every",
        "file:/ is the root of everybody's fi",
        "1 1 1",
    ]


def test_importing_everything_makes_no_session(workspace: Workspace) -> None:
    workspace.write(
        "workspace/Users/ann/lib.py", "from databricks.sdk.runtime import *\nvalue = dbutils.widgets.getAll()\n"
    )

    outcome = workspace.run_script(
        """
from databricks.sdk.runtime import *
import lib, sys
dbutils.fs.mkdirs("/x")
display([{"n": 1}])
print(lib.value, "pyspark" in sys.modules, callable(sql), callable(udf))
from databricks.sdk.runtime import dbutils as named
print(type(named).__name__)
"""
    )

    assert outcome.result["state"] == "succeeded", outcome.log
    assert outcome.log.splitlines() == ["n", "1", "{} False True True", "DBUtils"]
