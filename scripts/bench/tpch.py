"""One side of the TPC-H comparison: a Spark session as Spark itself makes it, told on standard input what to run.

Arguments: the conf of the warehouse's driver as JSON, Delta's jars, the folder of each table. Each line of input is a statement as
JSON; each line of output is {"ms": …, "rows": …}.
"""

from __future__ import annotations

import json
import sys
import time

from pyspark.sql import SparkSession


def main() -> None:
    conf, jars, folders = (json.loads(text) for text in sys.argv[1:4])
    builder = SparkSession.builder.config("spark.driver.extraClassPath", jars)
    for name, value in conf.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    for table, folder in folders.items():
        spark.sql(f"CREATE TABLE {table} USING delta LOCATION '{folder}'")
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        statement = json.loads(line)
        began = time.monotonic_ns()
        rows = spark.sql(statement).collect()
        print(json.dumps({"ms": (time.monotonic_ns() - began) / 1e6, "rows": len(rows)}), flush=True)


main()
