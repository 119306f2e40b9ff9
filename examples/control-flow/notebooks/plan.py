# Databricks notebook source
# MAGIC %md
# MAGIC What is to be baked. The job's parameter `day` arrives as a widget without anybody handing it on.

# COMMAND ----------

day = dbutils.widgets.get("day")
ovens = [{"name": "east", "loaves": 40}, {"name": "west", "loaves": 25}, {"name": "south", "loaves": 10}]

# COMMAND ----------

# Each value keeps its type for the tasks that read it.
values = dbutils.jobs.taskValues
values.set("ovens", ovens)
values.set("orders", 75)
values.set("late_orders", [])
values.set("day_begins", 4.5)
values.set("is_open", True)
values.set("note", None)
print(f"{day}: {len(ovens)} ovens")
