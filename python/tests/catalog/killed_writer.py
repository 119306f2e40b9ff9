"""Run by test_kill.py in a process of its own: `killed_writer.py FOLDER CONF.json STATEMENT…`, all statements at once."""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path

from catalog.spark_host import DriverJvm


def main() -> None:
    folder, conf, statements = Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text()), sys.argv[3:]
    jvm = DriverJvm(folder, conf)
    os.environ["PYSPARK_GATEWAY_PORT"], os.environ["PYSPARK_GATEWAY_SECRET"] = str(jvm.port), jvm.secret
    from pyspark.sql import SparkSession

    spark = SparkSession.builder.getOrCreate()
    (folder / "jvm.pid").write_text(str(jvm.process.pid))
    threads = [threading.Thread(target=spark.sql, args=(statement,), daemon=True) for statement in statements]
    for thread in threads:
        thread.start()
    jvm.process.wait()


if __name__ == "__main__":
    main()
