"""What user code may call on a shared driver, and notebooks that notebooks start, with Spark."""

from __future__ import annotations

from support.attempts import Workspace

HEADER = "# Databricks notebook source\n"


def test_calls_that_take_tags_and_groups_away_leave_the_attempts_own(spark_workspace: Workspace) -> None:
    outcome = spark_workspace.run_notebook(
        """
context = spark.sparkContext
own = context._jsc.sc().getLocalProperty("spark.job.tags")
def tags():
    spark.range(2).count()
    return own in (context._jsc.sc().getLocalProperty("spark.job.tags") or "").split(",")
context.setJobGroup("mine", "a group", True)
context.addJobTag("extra")
print("shown", context.getJobTags(), tags())
context.clearJobTags()
print("cleared", context.getJobTags(), tags())
context.removeJobTag(own)
context.setLocalProperty("spark.job.tags", None)
print("set", context.getJobTags(), tags())
context.clearJobGroup() if hasattr(context, "clearJobGroup") else None
spark.clearTags()
spark.stop()
context.stop()
context.cancelAllJobs()
print("after", tags())
"""
    )

    assert outcome.result["state"] == "succeeded", outcome.log
    assert outcome.printed.splitlines() == [
        "shown {'extra'} True",
        "cleared set() True",
        "set set() True",
        "after True",
    ]


def test_a_notebook_that_is_run_has_a_session_of_its_own(spark_workspace: Workspace) -> None:
    spark_workspace.write(
        "workspace/Users/ann/child",
        HEADER
        + """
spark.createDataFrame([("c",)], "name string").createOrReplaceTempView("mine")
spark.conf.set("spark.sql.shuffle.partitions", "7")
seen = []
query = (spark.readStream.format("rate-micro-batch").option("rowsPerBatch", 2).load()
    .writeStream.foreachBatch(lambda frame, number: seen.append(frame.count())).trigger(once=True).start())
query.awaitTermination()
print("child", [t.name for t in spark.catalog.listTables() if t.isTemporary], seen, spark.sparkContext.getJobTags())
spark.table("mine").createOrReplaceGlobalTempView("handed")
dbutils.notebook.exit("done")
""",
    )

    outcome = spark_workspace.run_notebook(
        """
spark.range(5).createOrReplaceTempView("parents")
seen = []
query = (spark.readStream.format("rate").option("rowsPerSecond", 5).load()
    .writeStream.foreachBatch(lambda frame, number: seen.append(number)).trigger(processingTime="0 seconds").start())
import time
while not seen: time.sleep(0.05)
print(dbutils.notebook.run("child", 120), dbutils.notebook.run("child", 120))
now = len(seen)
while len(seen) == now: time.sleep(0.05)
query.stop()
print("parent", sorted(t.name for t in spark.catalog.listTables() if t.isTemporary), spark.conf.get("spark.sql.shuffle.partitions"))
print(spark.table("global_temp.handed").first().name)
"""
    )

    assert outcome.result["state"] == "succeeded", outcome.log
    lines = outcome.printed.splitlines()
    assert lines[:3] == ["child ['mine'] [2] set()", "child ['mine'] [2] set()", "done done"]
    assert lines[3] == "parent ['parents'] 2"
    assert lines[4] == "c"


def test_what_a_notebook_does_in_spark_ends_with_its_time(spark_workspace: Workspace) -> None:
    spark_workspace.write(
        "workspace/Users/ann/child",
        HEADER
        + """
import threading, time
from pyspark.sql import functions as F
def wait(n):
    time.sleep(300)
    return n
threading.Thread(target=lambda: spark.range(1).select(F.udf(wait, "long")("id")).collect(), daemon=True).start()
(spark.readStream.format("rate").load().writeStream.format("noop").start())
spark.sparkContext.parallelize([1], 1).map(wait).count()
""",
    )

    outcome = spark_workspace.run_notebook(
        """
spark.range(1).count()
import time
tracker = spark.sparkContext.statusTracker()
from threading import Thread
seen = []
def watch():
    while len(seen) < 100:
        seen.append(len(tracker.getActiveJobsIds()))
        time.sleep(0.2)
Thread(target=watch, daemon=True).start()
try:
    dbutils.notebook.run("child", 20)
except TimeoutError as error:
    print("stopped")
deadline = time.monotonic() + 30
while tracker.getActiveJobsIds() and time.monotonic() < deadline:
    time.sleep(0.1)
print("most", max(seen) >= 2, "left", tracker.getActiveJobsIds(), spark.range(3).count())
"""
    )

    assert outcome.result["state"] == "succeeded", outcome.log
    assert outcome.printed.splitlines()[-2:] == ["stopped", "most True left [] 3"]


def test_a_large_result_is_shown_in_part_and_its_types_stay(spark_workspace: Workspace) -> None:
    outcome = spark_workspace.run_notebook(
        """
from pyspark.sql import functions as F
display(spark.range(200).select(F.repeat(F.lit("x"), 1_000_000).alias("t")))
display(spark.range(5000).orderBy(F.desc("id")))
display(spark.sql("select 'a' as n, 'b' as n, 1 as `a.b`, x'ff' as raw, null as nothing, date'2026-01-02' as d"))
print(len(spark.range(1).select(F.repeat(F.lit("x"), 1_000_000)).first()[0]))

# COMMAND ----------
# MAGIC %sql
# MAGIC create widget dropdown state default 'CA' choices select * from values ('CA'), ('IL');
# MAGIC select :state as s

# COMMAND ----------
print(_sqldf.first().s, dbutils.widgets.get("state"))
display(spark.readStream.format("rate").load())
""",
        {"state": "IL"},
    )

    assert outcome.result["state"] == "succeeded", outcome.log
    wide, long, mixed, _ = outcome.cells[0]["outputs"]
    assert len(wide["rows"]) == 32
    assert wide["rows"][0][0].endswith("x… (1000000 characters)")
    assert wide["note"] == "Only the first 32 rows are kept: a table may have 2 MiB"
    assert [row[0] for row in long["rows"][:2]] == [4999, 4998]
    assert (len(long["rows"]), long["note"]) == (1000, "Only the first 1000 rows are kept")
    assert [column["name"] for column in mixed["columns"]] == ["n", "n", "a.b", "raw", "nothing", "d"]
    assert [column["type"] for column in mixed["columns"]] == ["string", "string", "int", "binary", "void", "date"]
    assert mixed["rows"] == [["a", "b", 1, "ff", None, "2026-01-02"]]
    assert outcome.printed.splitlines()[0] == "1000000"
    assert outcome.cells[1]["outputs"][0]["rows"] == [["IL"]]
    assert outcome.cells[2]["outputs"][0]["text"].startswith("IL IL\na streaming DataFrame is not shown")


def test_a_value_that_is_no_choice_of_an_sql_widget_fails(spark_workspace: Workspace) -> None:
    outcome = spark_workspace.run_notebook(
        "# MAGIC %sql\n# MAGIC create widget dropdown s default 'a' choices select * from values ('a'), ('b')\n",
        {"s": "c"},
    )

    assert outcome.message == "ValueError: widget s: 'c' is not one of its choices: a, b"


def test_readers_and_writers_find_hosted_folders(spark_workspace: Workspace) -> None:
    spark_workspace.write("workspace/Users/ann/in/rows.csv", "a,b\n1,2\n")

    outcome = spark_workspace.run_notebook(
        """
import os
base = "/Workspace/Users/ann"
print(spark.read.csv(f"{base}/in", header=True).count(), spark.read.csv([f"{base}/in"]).count())
print(spark.read.format("csv").option("path", f"{base}/in").load().count(), spark.read.load(path=f"{base}/in", format="csv").count())
spark.range(3).write.save(f"{base}/delta")
spark.range(3).write.format("parquet").options(path=f"{base}/parquet").save()
from delta.tables import DeltaTable
print(DeltaTable.isDeltaTable(spark, f"{base}/delta"), DeltaTable.forPath(spark, f"{base}/delta").toDF().count())
(spark.readStream.format("delta").load(f"{base}/delta").writeStream.option("checkpointLocation", f"{base}/checkpoint")
    .trigger(availableNow=True).start(f"{base}/copy").awaitTermination())
print(sorted(os.listdir(base)))
"""
    )

    assert outcome.result["state"] == "succeeded", outcome.log
    assert outcome.printed.splitlines() == [
        "1 2",
        "2 2",
        "True 3",
        "['checkpoint', 'copy', 'delta', 'in', 'notebook', 'parquet']",
    ]


def test_values_without_names_go_to_their_places(spark_workspace: Workspace) -> None:
    outcome = spark_workspace.run_notebook(
        "print(tuple(spark.sql('select ?, ?, ?, ?, ?, ?, ? as last', args=list('abcdefg')).first()))"
    )

    assert outcome.printed.splitlines() == ["('a', 'b', 'c', 'd', 'e', 'f', 'g')"]
