"""Entry point `silver`: types the day's messages, sets bad ones aside, and merges the newest of each flight.

A flight's state is its message with the highest revision, whatever day brought it. So a run may be repeated, and
days may come in any order: the table is the same in the end.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from flights.extract import parse_run_date
from flights.land import parse_arguments
from flights.problem import problem_told

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

KEY = ("flight_date", "carrier", "flight", "origin", "sched_dep_time")
NUMBERS = (
    "flight", "sched_dep_time", "dep_time", "dep_delay", "sched_arr_time", "arr_time", "arr_delay", "air_time",
    "distance", "revision",
)  # fmt: skip
TEXTS = ("carrier", "tailnum", "origin", "dest", "feed")
ORIGINS = ("EWR", "JFK", "LGA")
#: More bad rows than this and the feed is broken: better no new data than wrong data.
BAD_SHARE_MAX = 0.05


class QualityError(Exception):
    """The landing is too dirty to go on."""


def check_quality(rows: int, bad: int) -> str | None:
    """What is wrong with a landing, None when it may pass."""
    if rows == 0:
        return "nothing landed"
    if bad / rows > BAD_SHARE_MAX:
        return f"{bad} of {rows} rows are unusable ({bad / rows:.1%}), at most {BAD_SHARE_MAX:.0%} may be"
    return None


def reason_sql() -> str:
    """Why a row is unusable; NULL when it is fine. 'NA' is how the feed says that there is no value."""
    numbers = " ".join(
        f"WHEN {name} <> 'NA' AND try_cast({name} AS INT) IS NULL THEN '{name} is not a number'" for name in NUMBERS
    )
    origins = ", ".join(f"'{origin}'" for origin in ORIGINS)
    return f"""CASE
        WHEN try_cast(flight_date AS DATE) IS NULL THEN 'flight_date is not a date'
        WHEN carrier IS NULL THEN 'carrier is missing'
        WHEN origin IS NULL OR origin NOT IN ({origins}) THEN 'origin is unknown'
        {numbers} END"""


def typed_sql() -> list[str]:
    numbers = [f"try_cast(nullif({name}, 'NA') AS INT) AS {name}" for name in NUMBERS]
    texts = [f"nullif({name}, 'NA') AS {name}" for name in TEXTS]
    return [
        "try_cast(flight_date AS DATE) AS flight_date",
        *texts,
        *numbers,
        "dep_time = 'NA' AS cancelled",
        "landing_date",
    ]


def replace_where(frame: DataFrame, table: str, condition: str, partition: str) -> None:
    """Writes the rows of a condition anew; makes the table on its first use."""
    from pyspark.sql import functions as F

    if frame.sparkSession.catalog.tableExists(table):
        frame.writeTo(table).overwrite(F.expr(condition))
    else:
        frame.writeTo(table).using("delta").partitionedBy(F.col(partition)).create()


def merge_newest(spark: SparkSession, newest: DataFrame, table: str) -> None:
    if not spark.catalog.tableExists(table):
        newest.writeTo(table).using("delta").create()
        return
    newest.createOrReplaceTempView("newest_messages")
    on = " AND ".join(f"target.{name} = source.{name}" for name in KEY)
    spark.sql(f"""
        MERGE INTO {table} AS target
        USING newest_messages AS source
        ON {on}
        WHEN MATCHED AND source.revision > target.revision THEN UPDATE SET *
        WHEN NOT MATCHED THEN INSERT *
    """)


def run(catalog: str, run_date: str) -> None:
    from databricks.sdk.runtime import dbutils
    from pyspark.sql import SparkSession, Window
    from pyspark.sql import functions as F

    day = parse_run_date(run_date)
    spark = SparkSession.builder.getOrCreate()
    landed = spark.read.table(f"{catalog}.flights.bronze").where(F.col("landing_date") == F.lit(day))
    # A day is a thousand rows: checked once and kept in memory for all that follows.
    checked = landed.withColumn("reason", F.expr(reason_sql())).coalesce(1).cache()
    newest_first = Window.partitionBy(*KEY).orderBy(F.desc("revision"))
    typed = checked.where("reason IS NULL").selectExpr(*typed_sql())
    newest = typed.withColumn("place", F.row_number().over(newest_first)).where("place = 1").drop("place")

    rows, unusable = checked.selectExpr("count(*)", "count(reason)").first() or (0, 0)
    bad = checked.where("reason IS NOT NULL")
    replace_where(bad, f"{catalog}.flights.quarantine", f"landing_date = DATE'{day}'", "landing_date")
    problem = check_quality(rows, unusable)
    if problem is not None:
        raise QualityError(problem)

    counts = (
        newest.groupBy("flight_date")
        .agg(F.count("*").alias("flights"), F.count_if(F.col("revision") > 1).alias("corrections"))
        .collect()
    )
    merge_newest(spark, newest, f"{catalog}.flights.silver")
    kept = sum(row.flights for row in counts)
    values = {
        "rows": rows,
        "quarantined": unusable,
        "duplicates": rows - unusable - kept,
        "late": sum(row.flights - row.corrections for row in counts if row.flight_date < day),
        "corrections": sum(row.corrections for row in counts),
        "flight_dates": json.dumps(sorted(str(row.flight_date) for row in counts)),
    }
    for name, value in values.items():
        dbutils.jobs.taskValues.set(name, value)
    print(f"{day}: {json.dumps(values)}")


def main() -> None:
    from databricks.sdk.runtime import dbutils

    arguments = parse_arguments(sys.argv[1:])
    with problem_told(dbutils):
        run(arguments.catalog, arguments.run_date)
