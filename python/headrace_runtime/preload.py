"""Imported by the zygote, after pyspark: does once what every task would otherwise do after its fork.

Nothing here starts a thread, opens a connection or knows of an attempt.
"""

from __future__ import annotations

import sys

from . import dbutils, launch, paths, python_file, spark_patches, wheel

__all__ = ["dbutils", "launch", "python_file", "wheel"]

paths.install_wrappers()
if "pyspark.sql.session" in sys.modules:
    spark_patches.apply_patches()
