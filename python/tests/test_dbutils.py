"""dbutils as user code calls it, in both call styles."""

from __future__ import annotations

from support.attempts import Workspace


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
    assert "task 'ingest' has set no value 'none'" in outcome.log
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
for call in (lambda: dbutils.secrets.get("scope", "key"), lambda: dbutils.notebook.run("./x", 60), lambda: dbutils.data):
    try:
        call()
    except Exception as error:
        print(type(error).__name__, str(error)[:56])
"""
    )

    assert outcome.log.splitlines() == [
        "NotImplementedError secret scope/key cannot be read: Headrace does not keep ",
        "NotImplementedError dbutils.notebook.run('./x') is not supported yet: make i",
        "AttributeError dbutils.data is not supported; there are: fs, jobs, note",
    ]


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
