"""Fails as long as the scales are broken. What it has set before stays visible to others."""

import sys

from databricks.sdk.runtime import dbutils

scales, execution = sys.argv[1], int(sys.argv[2])
dbutils.jobs.taskValues.set("problem", None if scales == "mended" else "the scales show 0 g")
print(f"{scales} scales, execution {execution}")
if scales != "mended":
    raise ValueError("the scales show 0 g")
