"""Run what most jobs run in a JVM that writes a class-data archive when it ends.

Usage: warm_up.py FOLDER JAVA ARCHIVE CLASS_PATH JVM_OPTION…
"""

import os
import struct
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "python"))
from headrace_runtime.jvm import STATIC_CONF

# Quiet, the gateway comes up in 3–6 s and the archive (190 MB) is written in 5–15 s.
# A loaded machine takes ten times that.
GATEWAY_MAX_S = 300
EXIT_MAX_S = 300

# The conf of every driver, but for our plug-in: the archive must survive its changes, so it is not warmed up.
CONF = {name: value for name, value in STATIC_CONF.items() if "headrace" not in value}


def main(folder: str, java: str, archive: str, class_path: str, jvm_options: list[str]) -> None:
    connection = Path(folder, "connection")
    conf = CONF | {"spark.local.dir": f"{folder}/local", "spark.sql.warehouse.dir": f"{folder}/warehouse"}
    command = [java, f"-XX:ArchiveClassesAtExit={archive}", "-cp", class_path, *jvm_options, "-Xmx1g"]
    # A JVM that lives once: compiling less took 41 s of processor time, not 69 s (2 cores, November 2026).
    command += ["-XX:TieredStopAtLevel=1"]
    command += ["org.apache.spark.deploy.SparkSubmit"]
    for name, value in conf.items():
        command += ["--conf", f"{name}={value}"]
    environment = dict(os.environ, _PYSPARK_DRIVER_CONN_INFO_PATH=str(connection))
    jvm = subprocess.Popen([*command, "pyspark-shell"], cwd=folder, env=environment, stdin=subprocess.PIPE)
    try:
        attach(connection, jvm)
        work(folder)
        # The gateway's JVM exits by itself, and writes the archive, when its standard input ends.
        jvm.communicate(timeout=EXIT_MAX_S)
    finally:
        jvm.kill()


def attach(connection: Path, jvm: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + GATEWAY_MAX_S
    while not connection.exists():
        if jvm.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"the JVM did not come up (exit code {jvm.poll()})")
        time.sleep(0.02)
    with connection.open("rb") as stream:
        port, length = struct.unpack("!ii", stream.read(8))
        secret = stream.read(length).decode()
    os.environ["PYSPARK_GATEWAY_PORT"] = str(port)
    os.environ["PYSPARK_GATEWAY_SECRET"] = secret


def work(folder: str) -> None:
    from pyspark.sql import SparkSession
    from pyspark.sql import functions as f

    spark = SparkSession.builder.getOrCreate()
    spark.range(10).count()
    table = f"{folder}/table"
    frame = spark.createDataFrame([(1, "a", 1.5), (2, "b", 2.5)], "id long, name string, amount double")
    frame.write.format("delta").mode("overwrite").save(table)
    frame.withColumn("extra", f.current_timestamp()).write.format("delta").mode("append").option(
        "mergeSchema", "true"
    ).save(table)
    spark.read.format("delta").load(table).groupBy("name").agg(f.sum("amount"), f.count("*")).toPandas()
    frame.createOrReplaceTempView("changes")
    spark.sql(
        f"merge into delta.`{table}` t using changes c on t.id = c.id and t.extra is null "
        "when matched then update set amount = c.amount + 1 "
        "when not matched then insert (id, name) values (c.id, c.name)"
    )
    Path(folder, "landing.csv").write_text("id,name\n1,a\n2,b\n")
    spark.read.option("header", "true").csv(f"{folder}/landing.csv").show()
    Path(folder, "landing.json").write_text('{"id": 1, "name": "a"}\n')
    spark.read.json(f"{folder}/landing.json").join(frame, "name").collect()
    spark.stop()


main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4], sys.argv[5:])
