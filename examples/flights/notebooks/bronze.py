# Databricks notebook source
# MAGIC %md
# MAGIC # Bronze
# MAGIC Every row that landed on the run date, as text, with the file it came from. Files of the old exporter have one
# MAGIC column less; their rows get NULL there.

# COMMAND ----------

from pyspark.sql import functions as F

dbutils.widgets.text("run_date", "2013-01-01")
dbutils.widgets.text("catalog", "dev")
dbutils.widgets.text("root", "dbfs:/flights")
run_date, catalog = dbutils.widgets.get("run_date"), dbutils.widgets.get("catalog")
folder = f"{dbutils.widgets.get('root')}/landing/landing_date={run_date}"
table = f"{catalog}.flights.bronze"

# COMMAND ----------

# MAGIC %md
# MAGIC The newest layout must continue the older ones: a column in the middle would shift the values after it.

# COMMAND ----------

headers = {
    file.name: dbutils.fs.head(file.path, 1024).splitlines()[0].split(",") for file in dbutils.fs.ls(folder)
}
columns = max(headers.values(), key=len)
for name, header in headers.items():
    assert columns[: len(header)] == header, (
        f"{name}: the columns {header} do not begin the newest layout {columns}"
    )
print(f"{len(headers)} files, layouts of {sorted({len(header) for header in headers.values()})} columns")

# COMMAND ----------

landed = (
    spark.read.csv(folder, header=True, schema=", ".join(f"{name} STRING" for name in columns))
    .withColumn("landing_date", F.lit(run_date).cast("date"))
    .withColumn("source_file", F.element_at(F.split(F.input_file_name(), "/"), -1))
    .coalesce(1)
)
if spark.catalog.tableExists(table):
    landed.writeTo(table).option("mergeSchema", "true").overwrite(
        F.col("landing_date") == F.lit(run_date).cast("date")
    )
else:
    landed.writeTo(table).using("delta").partitionedBy(F.col("landing_date")).create()
landed.createOrReplaceTempView("landed")

# COMMAND ----------

# MAGIC %sql
# MAGIC SELECT source_file, count(*) AS rows, count(feed) AS rows_with_the_new_column
# MAGIC FROM landed
# MAGIC GROUP BY source_file
# MAGIC ORDER BY source_file
