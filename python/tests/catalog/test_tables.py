"""Each kind of statement on tables: what Spark then reads, and what the API then answers."""

from __future__ import annotations

from typing import Any

import pytest

from .catalog_server import CatalogServer


def rows(spark: Any, query: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in spark.sql(query).collect()]


def test_create_table_registers_columns_and_place(spark: Any, server: CatalogServer, schema: str) -> None:
    spark.sql(
        f"CREATE TABLE {schema}.t (id BIGINT NOT NULL COMMENT 'key', price DECIMAL(10,2), tags ARRAY<STRING>) COMMENT 'prices'"
    )
    spark.sql(f"INSERT INTO {schema}.t VALUES (1, 2.50, array('a'))")

    assert rows(spark, f"SELECT id, price FROM {schema}.t")[0][0] == 1
    table = server.table(f"{schema}.t")
    assert (table["table_type"], table["data_source_format"], table["comment"]) == ("MANAGED", "DELTA", "prices")
    assert table["storage_location"].startswith(str(server.data_root / "managed"))
    assert server.columns(f"{schema}.t") == ["id bigint", "price decimal(10,2)", "tags array<string>"]
    first = table["columns"][0]
    assert (first["type_name"], first["nullable"], first["comment"], first["position"]) == ("LONG", False, "key", 0)


def test_create_table_as_select_and_create_or_replace(spark: Any, server: CatalogServer, schema: str) -> None:
    spark.sql(f"CREATE TABLE {schema}.t AS SELECT 1 AS a")
    place = server.table(f"{schema}.t")["storage_location"]

    spark.sql(f"CREATE OR REPLACE TABLE {schema}.t AS SELECT 'x' AS b, 2 AS c")

    assert rows(spark, f"SELECT * FROM {schema}.t") == [("x", 2)]
    assert server.columns(f"{schema}.t") == ["b string", "c int"]
    assert server.table(f"{schema}.t")["storage_location"] == place


def test_replace_keeps_history_and_refuses_a_missing_table(spark: Any, server: CatalogServer, schema: str) -> None:
    spark.sql(f"CREATE OR REPLACE TABLE {schema}.t (a INT)")
    spark.sql(f"REPLACE TABLE {schema}.t (b STRING) COMMENT 'second'")

    assert server.columns(f"{schema}.t") == ["b string"]
    assert server.table(f"{schema}.t")["comment"] == "second"
    assert len(rows(spark, f"DESCRIBE HISTORY {schema}.t")) == 2
    with pytest.raises(Exception, match="cannot be found|TABLE_OR_VIEW_NOT_FOUND"):
        spark.sql(f"REPLACE TABLE {schema}.none (b STRING)")


def test_create_refuses_what_exists_unless_told(spark: Any, server: CatalogServer, schema: str) -> None:
    spark.sql(f"CREATE TABLE {schema}.t (a INT)")

    spark.sql(f"CREATE TABLE IF NOT EXISTS {schema}.t (b INT)")

    assert server.columns(f"{schema}.t") == ["a int"]
    with pytest.raises(Exception, match="TABLE_OR_VIEW_ALREADY_EXISTS"):
        spark.sql(f"CREATE TABLE {schema}.t (b INT)")


def test_save_as_table_overwrite_and_append_with_schema_change(spark: Any, server: CatalogServer, schema: str) -> None:
    one = spark.range(2)
    one.write.saveAsTable(f"{schema}.t")
    with pytest.raises(Exception, match="already exists"):
        one.write.saveAsTable(f"{schema}.t")
    one.write.mode("ignore").saveAsTable(f"{schema}.t")
    one.write.mode("append").saveAsTable(f"{schema}.t")
    with pytest.raises(Exception, match="(?i)schema mismatch"):
        one.selectExpr("id", "1 AS extra").write.mode("append").saveAsTable(f"{schema}.t")

    one.selectExpr("id", "1 AS extra").write.mode("append").option("mergeSchema", "true").saveAsTable(f"{schema}.t")

    assert server.columns(f"{schema}.t") == ["id bigint", "extra int"]
    assert len(rows(spark, f"SELECT id, extra FROM {schema}.t")) == 6
    one.selectExpr("'n' AS name").write.mode("overwrite").option("overwriteSchema", "true").saveAsTable(f"{schema}.t")
    assert server.columns(f"{schema}.t") == ["name string"]
    assert rows(spark, f"SELECT * FROM {schema}.t") == [("n",), ("n",)]


def test_insert_into_overwrite_and_replace_where(spark: Any, server: CatalogServer, schema: str) -> None:
    spark.sql(f"CREATE TABLE {schema}.t (id BIGINT, day STRING) PARTITIONED BY (day)")
    spark.sql(f"INSERT INTO {schema}.t VALUES (1, 'mon'), (2, 'tue')")

    spark.sql("SELECT 3L AS id, 'wed' AS day").write.insertInto(f"{schema}.t")
    spark.sql(f"INSERT OVERWRITE {schema}.t PARTITION (day = 'mon') VALUES (10)")
    tuesday = spark.sql("SELECT 20L AS id, 'tue' AS day")
    tuesday.write.mode("overwrite").option("replaceWhere", "day = 'tue'").saveAsTable(f"{schema}.t")

    assert sorted(rows(spark, f"SELECT id, day FROM {schema}.t")) == [(3, "wed"), (10, "mon"), (20, "tue")]
    assert [c.get("partition_index") for c in server.table(f"{schema}.t")["columns"]] == [None, 0]
    spark.sql(f"INSERT OVERWRITE {schema}.t VALUES (9, 'sun')")
    assert rows(spark, f"SELECT * FROM {schema}.t") == [(9, "sun")]


def test_update_delete_and_merge(spark: Any, server: CatalogServer, schema: str) -> None:
    spark.sql(f"CREATE TABLE {schema}.t AS SELECT id, 'old' AS v FROM range(4)")

    spark.sql(f"UPDATE {schema}.t SET v = 'upd' WHERE id = 1")
    spark.sql(f"DELETE FROM {schema}.t WHERE id = 2")
    spark.sql(
        f"MERGE INTO {schema}.t AS t USING (SELECT 3 AS id, 'new' AS v UNION ALL SELECT 7, 'new') AS s ON t.id = s.id "
        "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"
    )

    assert sorted(rows(spark, f"SELECT * FROM {schema}.t")) == [(0, "old"), (1, "upd"), (3, "new"), (7, "new")]


def test_merge_with_schema_evolution_reaches_the_catalog(spark: Any, server: CatalogServer, schema: str) -> None:
    spark.sql(f"CREATE TABLE {schema}.t AS SELECT 1 AS id")

    spark.sql(
        f"MERGE WITH SCHEMA EVOLUTION INTO {schema}.t AS t USING (SELECT 1 AS id, 'x' AS more) AS s ON t.id = s.id "
        "WHEN MATCHED THEN UPDATE SET *"
    )

    assert server.columns(f"{schema}.t") == ["id int", "more string"]


def test_alter_table(spark: Any, server: CatalogServer, schema: str) -> None:
    spark.sql(f"CREATE TABLE {schema}.t (a INT, b STRING) TBLPROPERTIES ('delta.columnMapping.mode' = 'name')")

    spark.sql(f"ALTER TABLE {schema}.t ADD COLUMNS (c DOUBLE COMMENT 'third' AFTER a)")
    spark.sql(f"ALTER TABLE {schema}.t RENAME COLUMN b TO label")
    spark.sql(f"ALTER TABLE {schema}.t ALTER COLUMN a COMMENT 'first'")
    spark.sql(f"ALTER TABLE {schema}.t SET TBLPROPERTIES ('team' = 'red')")
    spark.sql(f"COMMENT ON TABLE {schema}.t IS 'about'")

    table = server.table(f"{schema}.t")
    assert server.columns(f"{schema}.t") == ["a int", "c double", "label string"]
    assert [c.get("comment") for c in table["columns"]] == ["first", "third", None]
    assert (table["properties"]["team"], table["comment"]) == ("red", "about")
    spark.sql(f"ALTER TABLE {schema}.t DROP COLUMN c")
    spark.sql(f"ALTER TABLE {schema}.t UNSET TBLPROPERTIES ('team')")
    assert server.columns(f"{schema}.t") == ["a int", "label string"]
    assert "team" not in server.table(f"{schema}.t")["properties"]
    with pytest.raises(Exception, match="SET LOCATION is not supported"):
        spark.sql(f"ALTER TABLE {schema}.t SET LOCATION '/elsewhere'")


def test_rename_also_into_another_schema(spark: Any, server: CatalogServer, schema: str) -> None:
    spark.sql(f"CREATE TABLE {schema}.t AS SELECT 1 AS a")

    spark.sql(f"ALTER TABLE {schema}.t RENAME TO u")
    assert rows(spark, f"SELECT * FROM {schema}.u") == [(1,)]
    spark.sql(f"ALTER TABLE {schema}.u RENAME TO default.v_{id(schema)}")
    assert rows(spark, f"SELECT * FROM dev.default.v_{id(schema)}") == [(1,)]
    spark.sql(f"ALTER TABLE dev.default.v_{id(schema)} RENAME TO {schema}.w")

    assert rows(spark, f"SELECT * FROM {schema}.w") == [(1,)]
    assert [t for t in server.tables if t.startswith(schema)] == [f"{schema}.w"]
    spark.sql(f"CREATE TABLE {schema}.x (a INT)")
    with pytest.raises(Exception, match="ALREADY_EXISTS|already exists"):
        spark.sql(f"ALTER TABLE {schema}.x RENAME TO w")
    with pytest.raises(Exception, match="another catalog"):
        spark.sql(f"ALTER TABLE {schema}.x RENAME TO main.default.w")
    with pytest.raises(Exception, match="SCHEMA_NOT_FOUND"):
        spark.sql(f"ALTER TABLE {schema}.x RENAME TO nowhere.w")


def test_drop(spark: Any, server: CatalogServer, schema: str) -> None:
    spark.sql(f"CREATE TABLE {schema}.t (a INT)")

    spark.sql(f"DROP TABLE {schema}.t")

    assert f"{schema}.t" not in server.tables
    spark.sql(f"DROP TABLE IF EXISTS {schema}.t")
    with pytest.raises(Exception, match="TABLE_OR_VIEW_NOT_FOUND"):
        spark.sql(f"DROP TABLE {schema}.t")
    with pytest.raises(Exception, match="TABLE_OR_VIEW_NOT_FOUND"):
        spark.sql(f"SELECT * FROM {schema}.t")


def test_show_and_describe(spark: Any, server: CatalogServer, schema: str) -> None:
    for name in ("t1", "t2", "t3"):
        spark.sql(f"CREATE TABLE {schema}.{name} (a INT COMMENT 'c')")
    spark.sql(f"CREATE VIEW {schema}.v AS SELECT a FROM {schema}.t1")

    assert {row.tableName for row in spark.sql(f"SHOW TABLES IN {schema}").collect()} >= {"t1", "t2", "t3"}
    assert [row.viewName for row in spark.sql(f"SHOW VIEWS IN {schema}").collect()] == ["v"]
    assert schema.partition(".")[2] in {row.namespace for row in spark.sql("SHOW SCHEMAS IN dev").collect()}
    assert rows(spark, f"DESCRIBE {schema}.t1")[0] == ("a", "int", "c")
    described = {row.col_name: row.data_type for row in spark.sql(f"DESCRIBE EXTENDED {schema}.t1").collect()}
    assert described["Type"] == "MANAGED"
    detail = spark.sql(f"DESCRIBE DETAIL {schema}.t1").collect()[0]
    assert (detail.format, detail.numFiles) == ("delta", 0)
    assert rows(spark, f"DESCRIBE HISTORY {schema}.t1")[0][0] == 0
    assert ("delta.minReaderVersion", "1") in rows(spark, f"SHOW TBLPROPERTIES {schema}.t1")
    assert spark.catalog.tableExists(f"{schema}.t1")
    assert not spark.catalog.tableExists(f"{schema}.t9")


def test_time_travel_and_restore(spark: Any, server: CatalogServer, schema: str) -> None:
    spark.sql(f"CREATE TABLE {schema}.t AS SELECT 1 AS a")
    spark.sql(f"CREATE OR REPLACE TABLE {schema}.t AS SELECT 'x' AS b")

    assert rows(spark, f"SELECT * FROM {schema}.t VERSION AS OF 0") == [(1,)]
    assert spark.read.option("versionAsOf", 0).table(f"{schema}.t").columns == ["a"]
    spark.sql(f"RESTORE TABLE {schema}.t TO VERSION AS OF 0")

    assert rows(spark, f"SELECT * FROM {schema}.t") == [(1,)]
    assert server.columns(f"{schema}.t") == ["a int"]


def test_identity_columns_count(spark: Any, server: CatalogServer, schema: str) -> None:
    spark.sql(
        f"CREATE TABLE {schema}.t (id BIGINT GENERATED ALWAYS AS IDENTITY (START WITH 10 INCREMENT BY 5), v STRING)"
    )
    for value in ("a", "b"):
        spark.sql(f"INSERT INTO {schema}.t (v) VALUES ('{value}')")
    spark.sql("SELECT 'c' AS v").write.mode("append").saveAsTable(f"{schema}.t")
    spark.sql(
        f"MERGE INTO {schema}.t USING (SELECT 'd' AS v) AS s ON {schema}.t.v = s.v WHEN NOT MATCHED THEN INSERT (v) VALUES (s.v)"
    )

    found = sorted(rows(spark, f"SELECT v, id FROM {schema}.t"))

    assert [v for v, _ in found] == ["a", "b", "c", "d"]
    ids = [i for _, i in found]
    assert None not in ids and len(set(ids)) == 4 and all(i >= 10 and i % 5 == 0 for i in ids)
    with pytest.raises(Exception, match="(?i)identity"):
        spark.sql(f"INSERT INTO {schema}.t (id, v) VALUES (1, 'z')")
    with pytest.raises(Exception, match="identity or generated columns"):
        spark.sql(f"CREATE TABLE {schema}.u LIKE {schema}.t")


def test_identity_by_default_survives_replace(spark: Any, server: CatalogServer, schema: str) -> None:
    for _ in range(2):
        spark.sql(f"CREATE OR REPLACE TABLE {schema}.t (id BIGINT GENERATED BY DEFAULT AS IDENTITY, v STRING)")
        spark.sql(f"INSERT INTO {schema}.t (v) VALUES ('a')")
        spark.sql(f"INSERT INTO {schema}.t VALUES (100, 'b')")

    assert sorted(rows(spark, f"SELECT * FROM {schema}.t")) == [(1, "a"), (100, "b")]


def test_generated_and_default_columns(spark: Any, server: CatalogServer, schema: str) -> None:
    spark.sql(
        f"CREATE TABLE {schema}.t (a INT, twice INT GENERATED ALWAYS AS (a * 2), d INT DEFAULT 7) "
        "TBLPROPERTIES ('delta.feature.allowColumnDefaults' = 'supported')"
    )

    spark.sql(f"INSERT INTO {schema}.t (a) VALUES (4)")

    assert rows(spark, f"SELECT * FROM {schema}.t") == [(4, 8, 7)]


def test_streams_write_and_read_tables(spark: Any, server: CatalogServer, schema: str, tmp_path: Any) -> None:
    spark.range(3).write.saveAsTable(f"{schema}.source")

    def copy() -> None:
        stream = spark.readStream.table(f"{schema}.source")
        stream.writeStream.option("checkpointLocation", str(tmp_path / "check")).trigger(availableNow=True).toTable(
            f"{schema}.target"
        ).awaitTermination(60)

    copy()
    spark.range(3, 5).write.mode("append").saveAsTable(f"{schema}.source")
    copy()

    assert sorted(rows(spark, f"SELECT * FROM {schema}.target")) == [(i,) for i in range(5)]
    assert server.columns(f"{schema}.target") == ["id bigint"]


def test_path_tables_and_external_tables(spark: Any, server: CatalogServer, schema: str, tmp_path: Any) -> None:
    path = tmp_path / "by path"
    spark.range(2).write.format("delta").save(str(path))
    assert server.count(lambda: spark.sql(f"SELECT * FROM delta.`{path}`").collect()) == []

    spark.sql(f"CREATE TABLE {schema}.t USING delta LOCATION '{path}'")

    assert server.table(f"{schema}.t")["table_type"] == "EXTERNAL"
    assert server.columns(f"{schema}.t") == ["id bigint"]
    spark.range(5).selectExpr("id", "'n' AS n").write.format("delta").mode("overwrite").option(
        "overwriteSchema", "true"
    ).save(str(path))
    assert len(rows(spark, f"SELECT n FROM {schema}.t")) == 5
    assert server.columns(f"{schema}.t") == ["id bigint", "n string"]
    spark.sql(f"CREATE OR REPLACE TABLE {schema}.t AS SELECT 1 AS one")
    assert server.table(f"{schema}.t")["table_type"] == "EXTERNAL"
    assert server.columns(f"{schema}.t") == ["one int"]
    spark.sql(f"DROP TABLE {schema}.t")
    assert path.exists()


def test_external_tables_of_other_formats(spark: Any, server: CatalogServer, schema: str, tmp_path: Any) -> None:
    (tmp_path / "in.csv").write_text("a,b\n1,x\n")

    spark.sql(
        f"CREATE TABLE {schema}.c USING csv OPTIONS (header 'true', inferSchema 'true') LOCATION '{tmp_path / 'in.csv'}'"
    )
    spark.sql(f"CREATE TABLE {schema}.p (a INT, b STRING) USING parquet LOCATION '{tmp_path / 'p'}'")
    spark.sql(f"INSERT INTO {schema}.p VALUES (5, 'y')")

    assert rows(spark, f"SELECT * FROM {schema}.c") == [(1, "x")]
    assert rows(spark, f"SELECT * FROM {schema}.p") == [(5, "y")]
    assert server.table(f"{schema}.p")["data_source_format"] == "PARQUET"
    with pytest.raises(Exception, match="needs a LOCATION"):
        spark.sql(f"CREATE TABLE {schema}.q (a INT) USING parquet")
    with pytest.raises(Exception, match="not be atomic"):
        spark.sql(f"CREATE TABLE {schema}.q USING parquet LOCATION '{tmp_path / 'q'}' AS SELECT 1 AS a")


def test_create_table_like(spark: Any, server: CatalogServer, schema: str) -> None:
    spark.sql(f"CREATE TABLE {schema}.t (a INT, day STRING) PARTITIONED BY (day)")

    spark.sql(f"CREATE TABLE {schema}.u LIKE {schema}.t")

    assert server.columns(f"{schema}.u") == ["a int", "day string"]
    assert server.table(f"{schema}.u")["storage_location"] != server.table(f"{schema}.t")["storage_location"]
    assert spark.sql(f"DESCRIBE DETAIL {schema}.u").collect()[0].partitionColumns == ["day"]


def test_paths_are_paths_also_where_a_catalog_of_ours_is_the_default(
    spark: Any, server: CatalogServer, schema: str, tmp_path: Any
) -> None:
    spark.range(2).write.format("delta").save(f"{tmp_path}/d")
    spark.range(3).write.parquet(f"{tmp_path}/p")
    other = spark.newSession()
    other.conf.set("spark.sql.defaultCatalog", "dev")

    found = []
    requests = server.count(
        lambda: found.extend(
            [other.table(f"delta.`{tmp_path}/d`").count(), other.table(f"parquet.`{tmp_path}/p`").count()]
        )
    )

    assert (found, [r for r in requests if "/tables" in r]) == ([2, 3], [])
    name = schema.partition(".")[2]
    other.sql(f"CREATE TABLE {name}.t AS SELECT 1 AS a")
    assert rows(other, f"SELECT a FROM {name}.t") == [(1,)]
