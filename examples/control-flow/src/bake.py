"""One iteration: an oven. The west oven goes out the first time."""

import sys

from databricks.sdk.runtime import dbutils

oven, loaves, execution = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
if oven == "west" and execution == 1:
    raise RuntimeError("the west oven went out")
dbutils.jobs.taskValues.set("baked", loaves)
print(f"{oven}: {loaves} loaves, execution {execution}")
