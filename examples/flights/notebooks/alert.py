# Databricks notebook source
# MAGIC %md
# MAGIC Runs only when a task has failed, and says which, and why as far as it is known.

# COMMAND ----------

import json

dbutils.widgets.text("run_date", "")
dbutils.widgets.text("states", "{}")
states = json.loads(dbutils.widgets.get("states"))
failed = [task for task, state in states.items() if state not in ("success", "excluded", "upstream_failed")]
stopped = [task for task, state in states.items() if state == "upstream_failed"]

# COMMAND ----------

for task in failed:
    cause = dbutils.jobs.taskValues.get(task, "problem", default="see the task's log", debugValue="")
    print(f"flights_daily {dbutils.widgets.get('run_date')}: task {task} ended {states[task]}: {cause}")
if stopped:
    print(f"not run because of it: {', '.join(stopped)}")
dbutils.notebook.exit(json.dumps({"failed": failed, "not_run": stopped}))
