"""Runs only because a task failed: says which values the failed task left behind."""

import sys

from databricks.sdk.runtime import dbutils

state, code, executions = sys.argv[1:]
problem = dbutils.jobs.taskValues.get("weigh", "problem")
dbutils.jobs.taskValues.set("called_for", problem)
print(f"weigh {state} ({code}) after {executions} executions: {problem}")
