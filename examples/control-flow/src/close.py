"""The end of the night: keeps what the references said as one value."""

import sys

from databricks.sdk.runtime import dbutils

report = dict(argument.split("=", 1) for argument in sys.argv[1:])
dbutils.jobs.taskValues.set("report", report)
for name, value in report.items():
    print(f"{name}: {value}")
