"""How Spark is started in a JVM: options, class path, configuration. The cluster's driver and JAR tasks share it."""

from __future__ import annotations

import os
from typing import Any, TypedDict


class Runtime(TypedDict):
    """What `.runtime/runtime.json` tells of Java and Spark."""

    java: str
    sparkHome: str
    classPath: list[str]
    jvmOptions: list[str]
    classDataArchive: str | None


HEAP_DEFAULT = "1g"
# What the worker names for Spark in a Pod, where the host's folder is on a claim: the Pod's own disk goes with it.
POD_LOCAL_DIR = "/tmp/spark-local"
SUBMIT_CLASS = "org.apache.spark.deploy.SparkSubmit"

# Why each is there: docs of Delta (extension, catalog); a small local cluster (partitions); ARCHITECTURE (parameters).
STATIC_CONF = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.sources.default": "delta",
    "spark.databricks.delta.snapshotPartitions": "2",
    "spark.sql.shuffle.partitions": "4",
    # VACUUM starts so many tasks for each level of folders; Spark's 10,000 took minutes for a table of three files.
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": "64",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.sql.legacy.parameterSubstitution.constantsOnly": "true",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.master": "local[2]",
    "spark.app.name": "headrace",
    "spark.scheduler.mode": "FAIR",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.hadoop.fs.dbfs.impl": "io.headrace.fs.DbfsFileSystem",
    # Two drivers may write one table: a commit must fail when its version exists, which the default for plain folders
    # does not promise; it also tells the catalog of changed columns.
    "spark.delta.logStore.file.impl": "io.headrace.fs.AtomicLogStore",
    "spark.delta.logStore.dbfs.impl": "io.headrace.fs.AtomicLogStore",
}
# Paths in SQL texts and statements on catalogs are ours to read before Delta's parser and Spark's do: what comes later is
# asked first. Not part of the above, for the class-data archive of set-up is made without our classes.
SQL_EXTENSIONS = ",".join(
    [STATIC_CONF["spark.sql.extensions"], "io.headrace.sql.HostedPaths", "io.headrace.sql.HeadraceStatements"]
)
# Dies with its parent; Java itself cannot ask the kernel for that.
LAUNCHER = (
    "import os,sys\n"
    "try:\n import ctypes; ctypes.CDLL(None).prctl(1, 9, 0, 0, 0)\n"
    "except Exception: pass\n"
    "os.getppid() == int(sys.argv[1]) or os._exit(1)\n"
    "os.execv(sys.argv[2], sys.argv[2:])"
)


def launch_command(python: str, command: list[str]) -> list[str]:
    """The command with the launcher before it."""
    return [python, "-I", "-S", "-c", LAUNCHER, str(os.getpid()), *command]


# Spark remembers 1,000 of each in the heap for its pages, which are off here: between task 200 and 1,000 of a soak the
# heap grew by 7.0 % so, by 0.9 % with these (2 cores, 1 of 11 tasks with Spark, November 2026).
REMEMBERED = {
    "spark.ui.retainedJobs": "50",
    "spark.ui.retainedStages": "50",
    "spark.ui.retainedTasks": "1000",
    "spark.sql.ui.retainedExecutions": "50",
}

# A task that was cancelled in the middle of a UDF ends when its Python worker does, which Spark ends so long after it has
# noticed; the default of 2 s only prolongs what nobody wants any more.
UDF_END = {"spark.python.task.killTimeout": "100ms"}


# Of a cluster that runs SQL alone: its statements use no files but those that SQL may name, and run no code.
GUARDED = "spark.headrace.guarded"


def guard_conf(folder: str, spark_conf: dict[str, str]) -> dict[str, str]:
    """What guards the files of a machine from SQL, where that is wanted; nothing of a cluster's own may replace it."""
    if spark_conf.get(GUARDED) != "true":
        return {}
    own = [os.path.join(folder, name) for name in ("spark-warehouse", "warm-up", "hadoop-tmp")]
    return {
        "spark.hadoop.fs.file.impl": "io.headrace.fs.GuardedFileSystem",
        "spark.hadoop.fs.AbstractFileSystem.file.impl": "io.headrace.fs.GuardedLocalFs",
        "spark.hadoop.hadoop.tmp.dir": own[-1],
        "spark.hadoop.headrace.guard.own": ",".join(own),
        # The state folder, which has the hosts' in it two levels down.
        "spark.hadoop.headrace.guard.closed": os.path.dirname(os.path.dirname(folder)),
    }


def base_conf(folder: str, data_root: str, spark_conf: dict[str, str]) -> dict[str, str]:
    """The configuration of every JVM of a cluster whose host has this folder."""
    return {
        **STATIC_CONF,
        **REMEMBERED,
        **UDF_END,
        "spark.sql.extensions": SQL_EXTENSIONS,
        "spark.local.dir": os.path.join(folder, "spark-local"),
        "spark.sql.warehouse.dir": os.path.join(folder, "spark-warehouse"),
        "spark.hadoop.headrace.data.root": data_root,
        **spark_conf,
        **guard_conf(folder, spark_conf),
    }


def conf_of_cluster(config: dict[str, Any]) -> dict[str, str]:
    """What the host's document says of Spark; not the cluster, but the server says which volumes may lie elsewhere."""
    locations = ",".join(config.get("external_locations") or [])
    return {**config["spark_conf"], "spark.hadoop.headrace.external.locations": locations}


def java_options(runtime: Runtime, *, heap: str, temporary: str | None, options: list[str]) -> list[str]:
    """Java itself and its options; an exhausted heap ends the process with code 3."""
    command = [runtime["java"], *runtime["jvmOptions"]]
    archive = runtime["classDataArchive"]
    if archive is not None:
        command += [f"-XX:SharedArchiveFile={archive}", "-Xlog:cds=off", "-Xlog:class+path=off"]
    if temporary is not None:
        command.append(f"-Djava.io.tmpdir={temporary}")
    return [*command, f"-Xmx{heap}", "-XX:+ExitOnOutOfMemoryError", *options]


def make_temporary(folder: str, local_dirs: str) -> str | None:
    """Where the JVMs of a host have their temporary files, so that those of a killed one go with the host.

    None, for Java's own choice, where no such folder can be made.
    """
    path = os.path.join(folder, "java-tmp")
    if local_dirs == POD_LOCAL_DIR:
        path = os.path.join(POD_LOCAL_DIR, "java-tmp", os.path.basename(folder))
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
    except OSError:
        return None
    return path if os.access(path, os.W_OK | os.X_OK) else None


def format_conf(conf: dict[str, str]) -> str:
    """The text of a properties file."""
    return "".join(f"{_escape(name, ' :=#!')}={_escape(value, '')}\n" for name, value in conf.items())


def _escape(text: str, special: str) -> str:
    """One side of a line of a Java properties file; white space at the end of a value is lost, as in Spark's own."""
    escaped = text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    return "".join(f"\\{letter}" if letter in special else letter for letter in escaped)
