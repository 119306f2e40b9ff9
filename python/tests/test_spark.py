"""Tasks that use Spark through the host's JVM, with user code as it is written for a hosted workspace."""

from __future__ import annotations

import os
import subprocess
import sys

from support.attempts import PYTHON_FOLDER, Workspace
from support.spark_host import SparkHost
from support.wheels import make_wheel


def test_builder_gets_the_tasks_session_and_stop_is_harmless(spark_workspace: Workspace) -> None:
    outcome = spark_workspace.run_script(
        """
from pyspark.sql import SparkSession
spark = SparkSession.builder.appName("x").master("local[1]").config("spark.sql.shuffle.partitions", "3").getOrCreate()
print("count", spark.range(10).count())
print("partitions", spark.conf.get("spark.sql.shuffle.partitions"))
spark.stop()
spark.sparkContext.stop()
with SparkSession.builder.getOrCreate() as again:
    assert again is spark
print("again", SparkSession.builder.getOrCreate().range(3).count())
print("active", SparkSession.getActiveSession() is spark, SparkSession.active() is spark)
from pyspark import SparkContext
print("context", SparkContext.getOrCreate() is spark.sparkContext)
try:
    SparkContext("local", "second")
except ValueError as error:
    print("second:", str(error)[:42])
"""
    )

    assert outcome.result["state"] == "succeeded", outcome.log
    assert "count 10" in outcome.log
    assert "partitions 3" in outcome.log
    assert "again 3" in outcome.log
    assert "active True True" in outcome.log
    assert "context True" in outcome.log
    assert "second: Cannot run multiple SparkContexts at once" in outcome.log


def test_importing_pyspark_attaches_nothing(spark_workspace: Workspace, spark_host: SparkHost) -> None:
    before = spark_host.attaches

    outcome = spark_workspace.run_script(
        "import pyspark, pyspark.sql.functions\nfrom pyspark.sql import SparkSession\n"
    )

    assert outcome.result["state"] == "succeeded", outcome.log
    assert spark_host.attaches == before


def test_a_session_alone_loads_neither_pandas_nor_numpy(spark_workspace: Workspace) -> None:
    outcome = spark_workspace.run_script(
        """
import sys
from pyspark.sql import SparkSession, functions as F
spark = SparkSession.builder.getOrCreate()
print("count", spark.range(10).where(F.col("id") > F.lit(4)).count())
print("parameters", spark.sql("select :n + 1", {"n": 1}).first()[:])
print("literals", spark.range(1).select(F.lit(None), F.lit(["a", "b"]), F.lit(F.lit(2.5)), F.lit("x")).first()[:])
print("loaded", sorted({name.split(".")[0] for name in sys.modules} & {"numpy", "pandas", "pyarrow", "unittest"}))
try:
    F.lit([F.lit(1)])
except Exception as error:
    print("refused", type(error).__name__)
import numpy as np
values = spark.range(1).select(F.lit(np.int64(7)), F.lit(np.array([1, 2])), F.lit(np.float32(0.5)))
print("numpy", values.first()[:])
"""
    )

    assert outcome.result["state"] == "succeeded", outcome.log
    assert "count 5" in outcome.log
    assert "parameters (2,)" in outcome.log
    assert "literals (None, ['a', 'b'], 2.5, 'x')" in outcome.log
    assert "refused PySparkValueError" in outcome.log
    assert "loaded []" in outcome.log
    assert "numpy (7, [1, 2], 0.5)" in outcome.log


def test_udfs_rdds_threads_groups_and_streams_work(spark_workspace: Workspace) -> None:
    spark_workspace.write("workspace/Users/ann/lib/shared_lib.py", "def add_one(x):\n    return x + 1\n")
    outcome = spark_workspace.run_script(
        """
import sys, threading
sys.path.insert(0, "/Workspace/Users/ann/lib")
from pyspark.sql import SparkSession, functions as F
import shared_lib
spark = SparkSession.builder.getOrCreate()
plus = F.udf(shared_lib.add_one, "long")
print("udf", spark.range(3).select(plus("id")).agg(F.sum("*") if False else F.sum("add_one(id)")).first()[0])
print("rdd", spark.sparkContext.parallelize(range(5)).map(lambda x: x * 2).sum())
found = []
def in_thread():
    SparkSession.getActiveSession().sparkContext.setJobGroup("g", "d")
    found.append(SparkSession.builder.getOrCreate().range(4).count())
threads = [threading.Thread(target=in_thread) for _ in range(3)]
for t in threads: t.start()
for t in threads: t.join()
print("threads", found)
batches = []
query = (spark.readStream.format("rate-micro-batch").option("rowsPerBatch", 2).load()
    .writeStream.foreachBatch(lambda df, n: batches.append(df.count())).trigger(once=True).start())
query.awaitTermination()
print("batches", batches)
spark.sparkContext.cancelAllJobs()
print("other", spark.newSession().range(2).count())
"""
    )

    assert outcome.result["state"] == "succeeded", outcome.log
    assert "udf 6" in outcome.log
    assert "rdd 20" in outcome.log
    assert "threads [4, 4, 4]" in outcome.log
    assert "batches [" in outcome.log
    assert "other 2" in outcome.log


def test_a_notebook_has_spark_sql_and_tables(spark_workspace: Workspace) -> None:
    outcome = spark_workspace.run_notebook(
        """
df = spark.createDataFrame([(1, "a", None), (2, "b", 1.5)], "id int, name string, x double")
df.createOrReplaceTempView("things")
display(df)

# COMMAND ----------
# MAGIC %sql
# MAGIC create or replace temp view few as select * from things where id <= ${limit}; -- one; two
# MAGIC select id, name from few where id = :limit

# COMMAND ----------
print(_sqldf.count(), isinstance(spark, type(df.sparkSession)))
df
""",
        {"limit": "1"},
    )

    assert outcome.result["state"] == "succeeded", outcome.log
    first, second, third = outcome.cells
    assert first["outputs"] == [
        {
            "kind": "table",
            "columns": [
                {"name": "id", "type": "int"},
                {"name": "name", "type": "string"},
                {"name": "x", "type": "double"},
            ],
            "rows": [[1, "a", None], [2, "b", 1.5]],
            "truncated": False,
        }
    ]
    assert second["language"] == "sql"
    assert second["outputs"][0]["rows"] == [[1, "a"]]
    assert third["outputs"][0]["text"].startswith("1 True\nDataFrame[id: int")


def test_the_runtime_module_gives_spark(spark_workspace: Workspace) -> None:
    outcome = spark_workspace.run_script(
        """
from databricks.sdk.runtime import dbutils, spark, sc, sql, table, display, udf
print("spark", spark.range(3).count(), sc is spark.sparkContext, sql("select 5 as x").first().x)
display(spark.range(2))
import sys
print("vendor loaded", "databricks.sdk" in sys.modules)
from pyspark.dbutils import DBUtils
print(DBUtils(spark) is dbutils)
"""
    )

    assert outcome.result["state"] == "succeeded", outcome.log
    assert "spark 3 True 5" in outcome.log
    assert "vendor loaded False" in outcome.log
    assert outcome.log.strip().endswith("True")


def test_sessions_are_apart_and_the_jvms_default_stays(spark_workspace: Workspace, spark_host: SparkHost) -> None:
    conf = {"spark.sql.session.timeZone": "Asia/Tokyo", "spark.executor.memory": "1g"}
    spark = {"catalogs": [], "default_catalog": "", "conf": conf}

    outcome = spark_workspace.run_script(
        """
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
print("zone", spark.conf.get("spark.sql.session.timeZone"), spark.newSession().conf.get("spark.sql.session.timeZone"))
spark.range(1).createOrReplaceTempView("mine")
""",
        spark=spark,
    )

    assert outcome.result["state"] == "succeeded", outcome.log
    assert "zone Asia/Tokyo Asia/Tokyo" in outcome.log
    assert "Warning: Spark setting spark.executor.memory has no effect" in outcome.log
    assert spark_host.root_sql("show tables") == []


def test_a_spark_error_ends_the_task_with_its_own_words(spark_workspace: Workspace) -> None:
    outcome = spark_workspace.run_script(
        "from pyspark.sql import SparkSession\nSparkSession.builder.getOrCreate().table('no_such_table').count()\n"
    )

    assert outcome.code == "RUN_EXECUTION_ERROR"
    assert outcome.message.startswith("AnalysisException: [TABLE_OR_VIEW_NOT_FOUND]")
    assert "\n" not in outcome.message
    assert "/Workspace/Users/ann/script.py" in outcome.trace


def test_a_wrong_key_is_refused_with_a_sentence(spark_workspace: Workspace) -> None:
    spark_workspace.environment["HEADRACE_ATTACH_KEY"] = "wrong"

    outcome = spark_workspace.run_script("spark.range(1).count()")

    assert outcome.code == "CLUSTER_ERROR"
    assert outcome.message == "Spark is not available: the key is not valid"


def test_workers_of_spark_see_the_wheel(spark_workspace: Workspace) -> None:
    code = """
def triple(x):
    return 3 * x
def main():
    from pyspark.sql import SparkSession, functions as F
    spark = SparkSession.builder.getOrCreate()
    print("sum", spark.range(4).select(F.udf(triple, "long")("id").alias("t")).agg(F.sum("t")).first()[0])
"""
    make_wheel(spark_workspace.root / "dbfs", "tripler", {"tripler/__init__.py": code})

    outcome = spark_workspace.run_wheel("dbfs:/tripler-1.0-py3-none-any.whl", "tripler", "main")

    assert outcome.result["state"] == "succeeded", outcome.log
    assert "sum 18" in outcome.log


def test_an_sql_notebook_runs_its_statements(spark_workspace: Workspace) -> None:
    spark_workspace.write(
        "workspace/Users/ann/report.sql",
        "-- Databricks notebook source\nselect 1 as one;\nselect 2 as two\n\n-- COMMAND ----------\n"
        "-- MAGIC %python\n-- MAGIC print('rows', _sqldf.collect())\n",
    )

    outcome = spark_workspace.run({"kind": "notebook", "notebook_path": "/Users/ann/report", "parameters": {}})

    assert outcome.result["state"] == "succeeded", outcome.log
    assert [output["rows"] for output in outcome.cells[0]["outputs"]] == [[[1]], [[2]]]
    assert outcome.log == "rows [Row(two=2)]\n"


def test_tasks_forked_from_a_warm_process_have_sessions_of_their_own(spark_workspace: Workspace) -> None:
    """What the zygote does: pyspark and the runtime are imported before the fork."""
    code = "spark.range(3).createOrReplaceTempView('v')\nprint(spark.catalog.listTables()[0].name, spark.table('v').count())\n"
    spark_workspace.write("workspace/Users/ann/fork.py", code)
    task = {"kind": "spark_python", "python_file": "/Users/ann/fork.py", "parameters": []}
    folders = [str(spark_workspace.prepare(task)) for _ in range(2)]
    zygote = """
import os, sys
import pandas, pyspark.sql
import headrace_runtime.preload
for folder in sys.argv[1:]:
    pid = os.fork()
    if pid == 0:
        from headrace_runtime.launch import main
        os._exit(main(folder))
    print("status", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""
    environment = {**os.environ, **spark_workspace.environment, "PYTHONPATH": str(PYTHON_FOLDER)}

    finished = subprocess.run(
        [sys.executable, "-c", zygote, *folders], env=environment, capture_output=True, check=False
    )

    assert finished.stdout.decode().split() == ["v", "3", "status", "0"] * 2, finished.stderr.decode()


def test_pandas_goes_both_ways(spark_workspace: Workspace) -> None:
    outcome = spark_workspace.run_script(
        """
import pandas as pd
from pyspark.sql.functions import pandas_udf

@pandas_udf("double")
def half(x: pd.Series) -> pd.Series:
    return x / 2

frame = spark.createDataFrame(pd.DataFrame({"a": [1.0, 3.0]}))
print(frame.select(half("a").alias("h")).toPandas()["h"].tolist())
"""
    )

    assert outcome.result["state"] == "succeeded", outcome.log
    assert "[0.5, 1.5]" in outcome.log


def test_an_exception_in_a_udf_is_named(spark_workspace: Workspace) -> None:
    outcome = spark_workspace.run_script(
        """
from pyspark.sql import functions as F
def bad(x):
    raise ValueError("row is bad")
spark.range(1).select(F.udf(bad)("id")).collect()
"""
    )

    assert outcome.message.startswith("PythonException: ")
    assert outcome.message.endswith("ValueError: row is bad")
    assert "\n" not in outcome.message


def test_the_death_of_the_jvm_is_told_as_such(spark_workspace: Workspace, spark_host: SparkHost) -> None:
    """Last in this file: it takes the JVM with it."""
    outcome = spark_workspace.run_script(
        f"""
import os, signal
spark.range(1).count()
os.kill({spark_host.process.pid}, signal.SIGKILL)
spark.range(1).count()
"""
    )

    assert outcome.code == "DRIVER_ERROR", outcome.log
    assert outcome.message.startswith("the cluster's Spark driver ended while the task was using it")
