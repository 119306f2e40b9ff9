"""One iteration: a dough, and how many grams of flour it took."""

import sys

from databricks.sdk.runtime import dbutils

FLOUR_GRAMS = {"rye": 900, "wheat": 1200, "spelt": 600}

dough = sys.argv[1]
dbutils.jobs.taskValues.set("grams", FLOUR_GRAMS[dough])
print(f"{dough}: {FLOUR_GRAMS[dough]} g")
