"""Run by test_guard.py in a process of its own: `guarded_driver.py FOLDER CONF.json STATEMENTS.json RESULTS.json`.

STATEMENTS is a list of [name, statements], a statement being SQL or [source, target] to rename; RESULTS tells of each what its last statement gave, or the first refusal.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from catalog.spark_host import DriverJvm


def run(session: Any, statements: list[str | list[str]]) -> dict[str, Any]:
    try:
        for statement in statements:
            found = rename(session, *statement) if isinstance(statement, list) else session.sql(statement).collect()
        return {"rows": [[str(value) for value in row] for row in found], "error": ""}
    except Exception as error:
        return {"rows": [], "error": str(error)[:6000]}


def rename(session: Any, source: str, target: str) -> list[Any]:
    """What SQL asks of the file system only within its own commands."""
    path = session._jvm.org.apache.hadoop.fs.Path
    files = path(source).getFileSystem(session._jsparkSession.sessionState().newHadoopConf())
    return [[files.rename(path(source), path(target))]]


def main() -> None:
    folder, conf, statements, results = (Path(argument) for argument in sys.argv[1:])
    jvm = DriverJvm(folder, json.loads(conf.read_text()))
    os.environ["PYSPARK_GATEWAY_PORT"], os.environ["PYSPARK_GATEWAY_SECRET"] = str(jvm.port), jvm.secret
    from pyspark.sql import SparkSession

    try:
        spark = SparkSession.builder.getOrCreate()
        told = {name: run(spark, texts) for name, texts in json.loads(statements.read_text())}
        results.write_text(json.dumps(told))
    finally:
        jvm.kill()


if __name__ == "__main__":
    main()
