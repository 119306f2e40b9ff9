# Databricks notebook source
# MAGIC %md
# MAGIC # The day in numbers
# MAGIC What the run did with the feed, then how late each airline was.

# COMMAND ----------

import json

dbutils.widgets.text("run_date", "2013-01-01")
dbutils.widgets.text("catalog", "dev")
run_date, catalog = dbutils.widgets.get("run_date"), dbutils.widgets.get("catalog")

names = ("rows", "quarantined", "duplicates", "late", "corrections")
feed = {name: dbutils.jobs.taskValues.get("silver", name, default=0, debugValue=0) for name in names}
files = dbutils.jobs.taskValues.get("land", "files", default=0, debugValue=0)
print(
    f"{run_date}: {files} files with {feed['rows']} rows; "
    + ", ".join(f"{feed[name]} {name}" for name in names[1:])
)

# COMMAND ----------

delays = spark.sql(f"""
    SELECT airline, flights, cancelled, late_arrivals, arr_delay_average
    FROM {catalog}.flights.gold_delays
    WHERE flight_date = DATE'{run_date}'
    ORDER BY flights DESC, airline
""").toPandas()
display(delays)

# COMMAND ----------

import matplotlib.pyplot as plt

shown = delays.sort_values("arr_delay_average")
figure, axes = plt.subplots(figsize=(8, 4.5))
colours = ["#b5472f" if late > 0 else "#2f7f6b" for late in shown["arr_delay_average"]]
axes.barh(shown["airline"], shown["arr_delay_average"], color=colours)
axes.set_xlabel("average arrival delay, minutes")
axes.set_title(f"Flights out of New York, {run_date}")
figure.tight_layout()
plt.show()

# COMMAND ----------

routes = spark.sql(f"""
    SELECT origin, destination, flights, seats
    FROM {catalog}.flights.gold_routes
    WHERE flight_date = DATE'{run_date}'
    ORDER BY flights DESC, origin, destination
    LIMIT 5
""").toPandas()
display(routes)

# COMMAND ----------

summary = {
    "run_date": run_date,
    **feed,
    "flights": int(delays["flights"].sum()),
    "airlines": len(delays),
    "cancelled": int(delays["cancelled"].sum()),
    "delays": delays.to_dict("records"),
    "busiest_routes": routes.to_dict("records"),
}
dbutils.notebook.exit(json.dumps(summary))
