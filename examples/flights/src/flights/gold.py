"""Entry points `gold_delays` and `gold_routes`: summaries of every flight date that the run touched."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from flights.land import parse_arguments
from flights.problem import problem_told
from flights.silver import replace_where

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

WEATHER = (
    "origin STRING, year INT, month INT, day INT, hour INT, temp STRING, dewp STRING, humid STRING, wind_dir STRING, "
    "wind_speed DOUBLE, wind_gust STRING, precip STRING, pressure STRING, visib STRING, time_hour STRING"
)
PLANES = (
    "tailnum STRING, year STRING, type STRING, manufacturer STRING, model STRING, engines INT, seats INT, "
    "speed STRING, engine STRING"
)
AIRPORTS = "faa STRING, name STRING, lat DOUBLE, lon DOUBLE, alt INT, tz INT, dst STRING, tzone STRING"
AIRLINES = "carrier STRING, name STRING"
WINDY_MPH = 15


def reference(spark: SparkSession, root: str, name: str, schema: str) -> DataFrame:
    return spark.read.csv(f"{root}/reference/{name}.csv", schema=schema, header=True, nullValue="NA")


def delays(flights: DataFrame, airlines: DataFrame, weather: DataFrame) -> DataFrame:
    """Per day and carrier: how late, and how many flights were to leave in an hour of strong wind."""
    from pyspark.sql import functions as F

    hours = weather.select(
        "origin",
        F.make_date("year", "month", "day").alias("flight_date"),
        F.col("hour").alias("sched_hour"),
        (F.col("wind_speed") >= WINDY_MPH).alias("windy"),
    )
    joined = (
        flights.withColumn("sched_hour", F.expr("sched_dep_time DIV 100"))
        .join(F.broadcast(hours), ["origin", "flight_date", "sched_hour"], "left")
        .join(F.broadcast(airlines.withColumnRenamed("name", "airline")), "carrier", "left")
    )
    return joined.groupBy("flight_date", "carrier", "airline").agg(
        F.count("*").alias("flights"),
        F.count_if("cancelled").alias("cancelled"),
        F.sum("dep_delay").alias("dep_delay_minutes"),
        F.sum("arr_delay").alias("arr_delay_minutes"),
        F.round(F.avg("arr_delay"), 2).alias("arr_delay_average"),
        F.count_if(F.col("arr_delay") > 15).alias("late_arrivals"),
        F.count_if("windy").alias("windy_departures"),
    )


def routes(flights: DataFrame, airports: DataFrame, planes: DataFrame) -> DataFrame:
    """Per day and route: flights, miles and seats that were flown."""
    from pyspark.sql import functions as F

    joined = flights.join(
        F.broadcast(airports.select(F.col("faa").alias("dest"), F.col("name").alias("destination"))),
        "dest",
        "left",
    ).join(F.broadcast(planes.select("tailnum", "seats")), "tailnum", "left")
    flown = "NOT cancelled"
    return joined.groupBy("flight_date", "origin", "dest", "destination").agg(
        F.count("*").alias("flights"),
        F.expr(f"coalesce(sum(distance) FILTER (WHERE {flown}), 0)").alias("miles"),
        F.expr(f"coalesce(sum(seats) FILTER (WHERE {flown}), 0)").alias("seats"),
        F.sum("air_time").alias("air_minutes"),
    )


def run(catalog: str, root: str, table: str) -> None:
    from databricks.sdk.runtime import dbutils
    from pyspark.sql import SparkSession

    spark = SparkSession.builder.getOrCreate()
    dates = json.loads(dbutils.jobs.taskValues.get("silver", "flight_dates", debugValue="[]"))
    condition = f"flight_date IN ({', '.join(f'DATE{chr(39)}{day}{chr(39)}' for day in dates)})"
    flights = spark.read.table(f"{catalog}.flights.silver").where(condition)
    if table == "gold_delays":
        airlines, weather = (
            reference(spark, root, "airlines", AIRLINES),
            reference(spark, root, "weather", WEATHER),
        )
        summary = delays(flights, airlines, weather)
    else:
        airports, planes = (
            reference(spark, root, "airports", AIRPORTS),
            reference(spark, root, "planes", PLANES),
        )
        summary = routes(flights, airports, planes)
    replace_where(summary.coalesce(1), f"{catalog}.flights.{table}", condition, "flight_date")
    print(f"{table}: summarised {', '.join(dates)}")


def main(table: str) -> None:
    from databricks.sdk.runtime import dbutils

    arguments = parse_arguments(sys.argv[1:])
    with problem_told(dbutils):
        run(arguments.catalog, arguments.root, table)


def main_delays() -> None:
    main("gold_delays")


def main_routes() -> None:
    main("gold_routes")
