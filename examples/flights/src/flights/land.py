"""Entry point `land`: puts the day's files where they land and makes the schema. Runs again without a trace."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import date
from typing import Any

from flights.extract import REFERENCES, parse_run_date, read_text
from flights.feed import landing_files
from flights.problem import problem_told


def write_landing(dbutils: Any, landing: str, day: date) -> tuple[int, int]:
    """How many files and rows were written."""
    folder = f"{landing}/landing_date={day}"
    # A file of an earlier try must not stay behind.
    dbutils.fs.rm(folder, True)
    files = landing_files(day)
    for name, content in files.items():
        dbutils.fs.put(f"{folder}/{name}", content, True)
    return len(files), sum(content.count("\n") - 1 for content in files.values())


def write_references(dbutils: Any, folder: str) -> None:
    for name, file in REFERENCES.items():
        dbutils.fs.put(f"{folder}/{name}.csv", read_text(file), True)


def run(catalog: str, run_date: str, root: str) -> None:
    from databricks.sdk.runtime import dbutils
    from pyspark.sql import SparkSession

    day = parse_run_date(run_date)
    files, rows = write_landing(dbutils, f"{root}/landing", day)
    write_references(dbutils, f"{root}/reference")
    SparkSession.builder.getOrCreate().sql(f"CREATE SCHEMA IF NOT EXISTS {catalog}.flights")
    dbutils.jobs.taskValues.set("files", files)
    dbutils.jobs.taskValues.set("rows", rows)
    print(f"landed {rows} rows in {files} files for {day}")


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--catalog", required=True)
    parser.add_argument("--run-date", required=True)
    parser.add_argument("--root", default="dbfs:/flights")
    return parser.parse_args(arguments)


def main() -> None:
    from databricks.sdk.runtime import dbutils

    arguments = parse_arguments(sys.argv[1:])
    with problem_told(dbutils):
        run(arguments.catalog, arguments.run_date, arguments.root)
