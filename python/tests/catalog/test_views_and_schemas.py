"""Views, schemas and names."""

from __future__ import annotations

from typing import Any

import pytest

from .catalog_server import CatalogServer
from .test_tables import rows


def test_views_are_kept_with_what_resolves_them(spark: Any, server: CatalogServer, schema: str) -> None:
    spark.sql(f"CREATE TABLE {schema}.t AS SELECT 1 AS a, 'x' AS b")

    spark.sql(
        f"CREATE VIEW {schema}.v (one COMMENT 'first') COMMENT 'about' TBLPROPERTIES ('team' = 'red') AS SELECT a FROM {schema}.t"
    )

    assert rows(spark, f"SELECT one FROM {schema}.v") == [(1,)]
    view = server.table(f"{schema}.v")
    assert (view["table_type"], view["view_definition"], view["comment"]) == (
        "VIEW",
        f"SELECT a FROM {schema}.t",
        "about",
    )
    assert view["properties"]["team"] == "red"
    assert [(c["name"], c["type_text"], c.get("comment")) for c in view["columns"]] == [("one", "int", "first")]
    with pytest.raises(Exception, match="ALREADY_EXISTS"):
        spark.sql(f"CREATE VIEW {schema}.v AS SELECT 2 AS two")
    spark.sql(f"CREATE VIEW IF NOT EXISTS {schema}.v AS SELECT 2 AS two")
    spark.sql(f"CREATE OR REPLACE VIEW {schema}.v AS SELECT b, count(*) AS n FROM {schema}.t GROUP BY b")
    assert rows(spark, f"SELECT * FROM {schema}.v") == [("x", 1)]
    assert server.columns(f"{schema}.v") == ["b string", "n bigint"]
    assert ("n", "bigint", None) in rows(spark, f"DESCRIBE {schema}.v")


def test_views_rename_drop_and_never_mix_with_tables(spark: Any, server: CatalogServer, schema: str) -> None:
    spark.sql(f"CREATE TABLE {schema}.t (a INT)")
    spark.sql(f"CREATE OR REPLACE VIEW {schema}.v AS SELECT 1 AS a")

    spark.sql(f"ALTER VIEW {schema}.v RENAME TO {schema}.w")

    assert rows(spark, f"SELECT * FROM {schema}.w") == [(1,)]
    for statement in (f"CREATE OR REPLACE VIEW {schema}.t AS SELECT 1 AS a", f"DROP VIEW {schema}.t", f"DROP TABLE {schema}.w",
                      f"CREATE OR REPLACE TABLE {schema}.w (a INT)", f"CREATE TABLE {schema}.w (a INT)", f"INSERT INTO {schema}.w VALUES (1)"):  # fmt: skip
        with pytest.raises(Exception, match="(?i)view|table"):
            spark.sql(statement)
    assert {server.table(f"{schema}.{name}")["table_type"] for name in ("t", "w")} == {"MANAGED", "VIEW"}
    spark.sql(f"DROP VIEW {schema}.w")
    assert f"{schema}.w" not in server.tables


def test_a_view_resolves_names_where_it_was_made(spark: Any, server: CatalogServer, schema: str) -> None:
    spark.sql(f"USE {schema}")
    try:
        spark.sql("CREATE TABLE t AS SELECT 1 AS a")
        spark.sql("CREATE VIEW v AS SELECT upper('x') AS x, a FROM t")
        assert spark.sql("SELECT current_catalog(), current_schema()").collect()[0][0] == "dev"
    finally:
        spark.sql("USE spark_catalog.default")

    assert rows(spark, f"SELECT * FROM {schema}.v") == [("X", 1)]


def test_temporary_views_stay_in_the_session(spark: Any, server: CatalogServer, schema: str) -> None:
    spark.sql(f"CREATE TABLE {schema}.t AS SELECT 1 AS a")
    requests = server.count(lambda: spark.sql("CREATE OR REPLACE TEMPORARY VIEW passing AS SELECT 5 AS a"))

    assert requests == []
    assert rows(spark, f"SELECT p.a, t.a FROM passing p CROSS JOIN {schema}.t t") == [(5, 1)]
    spark.catalog.dropTempView("passing")


def test_schemas(spark: Any, server: CatalogServer) -> None:
    spark.sql("CREATE SCHEMA dev.made COMMENT 'about' WITH DBPROPERTIES ('k' = 'v')")
    spark.sql("CREATE SCHEMA IF NOT EXISTS dev.MADE")
    with pytest.raises(Exception, match="SCHEMA_ALREADY_EXISTS"):
        spark.sql("CREATE SCHEMA dev.made")

    assert (server.schemas["dev.made"]["comment"], server.schemas["dev.made"]["properties"]) == ("about", {"k": "v"})
    spark.sql("ALTER SCHEMA dev.made SET DBPROPERTIES ('l' = 'w')")
    spark.sql("COMMENT ON SCHEMA dev.made IS 'anew'")
    assert (server.schemas["dev.made"]["comment"], server.schemas["dev.made"]["properties"]) == (
        "anew",
        {"k": "v", "l": "w"},
    )
    assert ("Comment", "anew") in rows(spark, "DESCRIBE SCHEMA EXTENDED dev.made")
    spark.sql("CREATE TABLE dev.made.t (a INT)")
    with pytest.raises(Exception, match="SCHEMA_NOT_EMPTY|not empty|cannot.*drop"):
        spark.sql("DROP SCHEMA dev.made")
    spark.sql("DROP SCHEMA dev.made CASCADE")
    assert "dev.made" not in server.schemas and "dev.made.t" not in server.tables
    spark.sql("DROP SCHEMA IF EXISTS dev.made")
    for statement in ("CREATE TABLE dev.made.t (a INT)", "CREATE TABLE dev.made.t AS SELECT 1 AS a", "CREATE VIEW dev.made.t AS SELECT 1 AS a",
                      "SHOW TABLES IN dev.made", "DROP SCHEMA dev.made"):  # fmt: skip
        with pytest.raises(Exception, match="SCHEMA_NOT_FOUND"):
            spark.sql(statement).collect()


def test_names_ignore_case_and_may_be_odd(spark: Any, server: CatalogServer, schema: str) -> None:
    spark.sql(f"CREATE TABLE {schema.upper().replace('DEV', 'dev')}.`Größe&%2F+?#` AS SELECT 1 AS `spalte_ü`")

    assert rows(spark, f"SELECT `spalte_ü` FROM {schema}.`GRÖßE&%2f+?#`") == [(1,)]
    assert [t for t in server.tables if t.startswith(schema)] == [f"{schema}.größe&%2f+?#"]
    for name in ("a.b", "a/b", "a b", "a\tb"):
        with pytest.raises(Exception, match="cannot be the name of a table"):
            spark.sql(f"CREATE TABLE {schema}.`{name}` (a INT)")
    with pytest.raises(Exception, match="TABLE_OR_VIEW_NOT_FOUND"):
        spark.sql(f"SELECT * FROM {schema}.`a.b`")
    with pytest.raises(Exception, match="there can be no table .*deep.t"):
        spark.sql(f"CREATE TABLE {schema}.deep.t (a INT)")
    with pytest.raises(Exception, match="nowhere is not a catalog"):
        spark.sql("CREATE TABLE dev.nowhere.s.t (a INT)")


def test_another_session_sees_what_was_made_here(spark: Any, server: CatalogServer, schema: str) -> None:
    other = spark.newSession()
    assert not other.catalog.tableExists(f"{schema}.t")

    spark.sql(f"CREATE TABLE {schema}.t AS SELECT 1 AS a")
    assert other.sql(f"SELECT * FROM {schema}.t").collect()[0].a == 1
    spark.sql(f"DROP TABLE {schema}.t")

    assert not other.catalog.tableExists(f"{schema}.t")


def test_class_name_and_rest_api_switch_are_what_delta_wants(spark: Any, server: CatalogServer) -> None:
    loaded = spark._jsparkSession.sessionState().catalogManager().catalog("dev")
    assert loaded.getClass().getName() == "io.unitycatalog.headrace.HeadraceCatalog"
    delegate = spark._jvm.java.lang.Class.forName("io.unitycatalog.headrace.MetadataCatalog")
    assert delegate.getName().startswith("io.unitycatalog.")

    other = spark.newSession()
    for key, value in (("", "io.unitycatalog.headrace.HeadraceCatalog"), (".uri", server.url), (".token", "x")):
        other.conf.set(f"spark.sql.catalog.loose{key}", value)

    with pytest.raises(Exception, match=r"deltaRestApi\.enabled must be false"):
        other.sql("SHOW SCHEMAS IN loose").collect()


def test_catalog_managed_commits_are_refused(spark: Any, server: CatalogServer, schema: str) -> None:
    with pytest.raises(Exception, match=r"catalog-managed commits .* are not supported"):
        spark.sql(f"CREATE TABLE {schema}.t (a INT) TBLPROPERTIES ('delta.feature.catalogManaged' = 'supported')")


def test_spark_s_own_tables_of_the_same_name_are_other_tables(spark: Any, server: CatalogServer) -> None:
    spark.sql("CREATE TABLE spark_catalog.default.same (x INT) USING delta")

    spark.sql("CREATE TABLE dev.default.same AS SELECT 1 AS a")
    spark.sql("CREATE OR REPLACE TABLE dev.default.same AS SELECT 2 AS a")

    assert rows(spark, "SELECT a FROM dev.default.same") == [(2,)]
    assert rows(spark, "SELECT * FROM spark_catalog.default.same") == []
    spark.sql("DROP TABLE dev.default.same")
    spark.sql("DROP TABLE spark_catalog.default.same")


def test_a_view_does_not_keep_the_session_s_token(spark: Any, server: CatalogServer, schema: str) -> None:
    spark.sql(f"CREATE VIEW {schema}.v AS SELECT 1 AS a")

    assert server.token not in str(server.table(f"{schema}.v"))


def test_a_spoilt_document_hides_no_other_table_s_columns(spark: Any, server: CatalogServer, schema: str) -> None:
    catalog, _, name = schema.partition(".")
    for table, schema_json in (("spoilt", "no JSON"), ("whole", "")):
        server.add_table(
            {
                "catalog_name": catalog,
                "schema_name": name,
                "name": table,
                "table_type": "EXTERNAL",
                "columns": [{"name": table, "type_text": "int"}],
                "headrace": {"schema_json": schema_json},
            }
        )

    found = rows(spark, f"SELECT column_name FROM dev.information_schema.columns WHERE table_schema = '{name}'")

    assert sorted(found) == [("spoilt",), ("whole",)]
