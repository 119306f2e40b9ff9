"""Fan-in: the values of a for-each task are one list, in the order of its inputs."""

from databricks.sdk.runtime import dbutils

values = dbutils.jobs.taskValues
baked = values.get("ovens", "baked")
grams = values.get("doughs", "grams")
burnt = values.get("ovens", "burnt", default=0)  # no iteration has set it
assert values.get("plan", "is_open") is True and values.get("plan", "note") is None
assert values.get("plan", "day_begins") == 4.5

values.set("loaves", sum(baked) - burnt)
values.set("flour", {"kilograms": sum(grams) / 1000, "doughs": len(grams)})
print(f"{baked} are {sum(baked)} loaves of {sum(grams)} g flour")
