"""The SQL suite as a table: statements, what the last one gives, and what the API answers then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .catalog_server import CatalogServer

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Case:
    """`sql` is run in order in schema `{s}` of catalog dev (`{n}` without the catalog; `{d}` is an empty folder).

    The last statement gives `rows` (in any order), or rows of which `shows` is a part of the text, or fails with a message
    that has `refused` in it; `state` is the SQLSTATE. `api` is asked of the server afterwards.
    """

    name: str
    sql: list[str]
    rows: Rows | None = None
    shows: str = ""
    refused: str = ""
    state: str = ""
    api: Callable[[CatalogServer, str], bool] | None = None


def column(server: CatalogServer, table: str, name: str) -> dict[str, Any]:
    return next(c for c in server.table(table)["columns"] if c["name"] == name)


CATALOGS = [
    Case("show catalogs", ["SHOW CATALOGS"], rows=[("dev",), ("main",)]),
    Case("show catalogs like", ["SHOW CATALOGS LIKE 'd*'"], rows=[("dev",)]),
    Case(
        "create catalog, use it at once, drop it with all in it",
        ["CREATE CATALOG Made COMMENT 'about'", "CREATE CATALOG IF NOT EXISTS made", "CREATE SCHEMA made.s",
         "CREATE TABLE made.s.t AS SELECT 1 AS a", "SELECT a FROM made.s.t"],
        rows=[(1,)],
        api=lambda server, s: server.catalogs["made"]["comment"] == "about" and "made.s.t" in server.tables,
    ),
    Case("create catalog twice", ["CREATE CATALOG dev"], refused="Catalog dev already exists", state="42710"),
    Case("describe catalog", ["DESCRIBE CATALOG EXTENDED made"], shows="('Comment', 'about')"),
    Case("comment and owner of a catalog", ["COMMENT ON CATALOG made IS 'anew'", "ALTER CATALOG made OWNER TO `a@b.c`"], rows=[],
         api=lambda server, s: (server.catalogs["made"]["comment"], server.catalogs["made"]["owner"]) == ("anew", "a@b.c")),
    Case("drop a catalog that holds something", ["DROP CATALOG made RESTRICT"], refused="not empty"),
    Case("drop catalog cascade", ["DROP CATALOG made CASCADE", "DROP CATALOG IF EXISTS made"], rows=[],
         api=lambda server, s: "made" not in server.catalogs and "made.s.t" not in server.tables),
    Case("drop a missing catalog", ["DROP CATALOG nowhere"], refused="Catalog nowhere does not exist", state="42704"),
    Case("managed location of a catalog", ["CREATE CATALOG lake MANAGED LOCATION '/l' COMMENT 'c'", "DESCRIBE CATALOG EXTENDED lake"], shows="('Storage Root', '/l')"),
    Case("managed location of a schema", ["DROP CATALOG lake CASCADE", "CREATE SCHEMA IF NOT EXISTS dev.placed COMMENT 'c' MANAGED LOCATION '{d}' WITH DBPROPERTIES (a = 'b')",
         "CREATE TABLE dev.placed.t AS SELECT 1 AS a", "SELECT input_file_name() LIKE '%{d}/__headrace/tables/t-%' FROM dev.placed.t"], rows=[(True,)]),
    Case("a managed location is shown", ["DESCRIBE SCHEMA dev.placed"], shows="('Location', '"),
    Case("a managed location is refused", ["DROP SCHEMA dev.placed CASCADE", "CREATE SCHEMA dev.placed MANAGED LOCATION '/forbidden'"], refused="forbidden is not allowed"),
    Case("a location of a schema", ["CREATE SCHEMA dev.placed LOCATION '/l'"], refused="write MANAGED LOCATION", state="0A000"),
    Case("use catalog", ["USE CATALOG main", "SELECT current_catalog()", "USE CATALOG dev", "SELECT current_catalog()"], rows=[("dev",)]),
    Case("use catalog behind a comment", ["USE CATALOG main", "/* use prod */ USE CATALOG dev", "SELECT current_catalog()"], rows=[("dev",)]),
    Case("use a missing catalog", ["USE CATALOG nowhere"], refused="nowhere"),
    Case("use a schema", ["USE {s}", "SELECT current_catalog() || '.' || current_schema()"], rows=[("{s}",)]),
]  # fmt: skip

NAMES = [
    Case("one, two and three levels", ["SELECT (SELECT count(*) FROM t) + (SELECT count(*) FROM {n}.t) + (SELECT count(*) FROM {s}.t)"], rows=[(9,)]),
    Case("a schema called as a catalog", ["CREATE SCHEMA dev.main", "CREATE TABLE main.two AS SELECT 5 AS a", "INSERT INTO main.two VALUES (6)", "SELECT a FROM main.two"],
         rows=[(5,), (6,)], api=lambda server, s: "dev.main.two" in server.tables),
    Case("identifier clause with a parameter", ["SELECT count(*) FROM IDENTIFIER(:t)"], rows=[(3,)]),
    Case("identifier clause of a text", ["SELECT count(*) FROM IDENTIFIER('{s}' || '.t')"], rows=[(3,)]),
    Case("session variables", ["DECLARE OR REPLACE VARIABLE wanted INT DEFAULT 1", "SET VAR wanted = 2", "SELECT v FROM t WHERE id = wanted"], rows=[("b",)]),
    Case("qualify", ["SELECT id, row_number() OVER (ORDER BY id DESC) AS n FROM t QUALIFY n = 1"], rows=[(3, 1)]),
    Case("a script", ["CREATE TABLE counted (n INT)",
         "BEGIN DECLARE n INT DEFAULT 0; WHILE n < 2 DO INSERT INTO counted VALUES (n); SET n = n + 1; END WHILE; SELECT count(*) FROM counted; END"], rows=[(2,)]),
    Case("statements of Delta's and ours in a script",
         [("BEGIN IF (SELECT count(*) FROM t) > 0 THEN OPTIMIZE t; ELSE VACUUM t; END IF; CREATE VOLUME {s}.scripted COMMENT 'it\\'s';"
          " SELECT CASE WHEN vacuum > 1 THEN vacuum ELSE restore END FROM VALUES (2, 1) AS v(vacuum, restore); END")],
         rows=[(2,)], api=lambda server, s: server.volumes.pop(f"{s}.scripted")["comment"] == "it's"),
    Case("a parameter of Delta's statement in a script", ["BEGIN OPTIMIZE IDENTIFIER(:t); END"], refused="EXECUTE IMMEDIATE", state="0A000"),
    Case("execute immediate", ["EXECUTE IMMEDIATE 'SELECT count(*) FROM t WHERE id > ?' USING 1"], rows=[(2,)]),
    Case("an unknown table", ["SELECT * FROM {s}.nothing"], refused="TABLE_OR_VIEW_NOT_FOUND", state="42P01"),
    Case("a name that is nearly right", ["SELECT * FROM {s}.partedd"], refused="Did you mean `dev`.`suite`.`parted`", state="42P01"),
    Case("a schema that nobody made", ["CREATE TABLE dev.nowhere.t (a INT)"], refused="CREATE SCHEMA dev.nowhere makes it", state="42704"),
    Case("an unknown catalog", ["SELECT * FROM nowhere.s.t"], refused="TABLE_OR_VIEW_NOT_FOUND", state="42P01"),
    Case("broken SQL", ["SELEC 1"], refused="PARSE_SYNTAX_ERROR", state="42601"),
    Case("a broken statement of ours", ["CREATE CATALOG a.b"], refused="one part", state="42601"),
]  # fmt: skip

SHOWS = [
    Case("show schemas", ["SHOW SCHEMAS IN dev LIKE 'inf*'"], rows=[("information_schema",)]),
    Case("show tables", ["SHOW TABLES IN {s} LIKE 't'"], rows=[("{n}", "t", False)]),
    Case("show table extended", ["SHOW TABLE EXTENDED IN {s} LIKE 't'"], shows="Provider: delta"),
    Case("show columns", ["SHOW COLUMNS IN t"], rows=[("id",), ("v",)]),
    Case("show table properties", ["SHOW TBLPROPERTIES parted ('team')"], rows=[("team", "red")]),
    Case("show partitions", ["SHOW PARTITIONS parted"], rows=[("mon",), ("tue",)]),
    Case("show create table", ["SHOW CREATE TABLE parted"],
         rows=[("CREATE TABLE {s}.parted (\n  id BIGINT,\n  day STRING COMMENT 'it''s')\nUSING delta\nPARTITIONED BY (day)\nTBLPROPERTIES (\n  'team' = 'red')\n".replace("''", "\\'"),)]),
    Case("show views", ["CREATE VIEW seen AS SELECT id FROM t", "SHOW VIEWS IN {s}"], rows=[("{n}", "seen", False)]),
    Case("show create view", ["SHOW CREATE TABLE seen"], shows="AS SELECT id FROM t"),
    Case("show functions", ["SHOW USER FUNCTIONS IN {s}"], rows=[]),
    Case("describe", ["DESCRIBE t"], rows=[("id", "bigint", None), ("v", "string", None)]),
    Case("describe extended", ["DESCRIBE EXTENDED t"], shows="('Provider', 'delta', '')"),
    Case("describe as JSON", ["DESCRIBE TABLE EXTENDED parted AS JSON"], shows='"partition_columns":["day"]'),
    Case("describe detail", ["DESCRIBE DETAIL parted"], shows="['day']"),
    Case("describe history", ["DESCRIBE HISTORY t"], shows="'CREATE TABLE AS SELECT'"),
    Case("describe schema", ["DESCRIBE SCHEMA EXTENDED {s}"], shows="('Namespace Name', '{n}')"),
    Case("analyze", ["ANALYZE TABLE t COMPUTE STATISTICS", "ANALYZE TABLE t COMPUTE DELTA STATISTICS", "ANALYZE TABLE t COMPUTE STATISTICS FOR ALL COLUMNS"], rows=[]),
    Case("repair", ["MSCK REPAIR TABLE parted"], rows=[]),
]  # fmt: skip

COLUMNS = [
    Case("a default needs no table feature", ["CREATE TABLE defaults (a INT, d INT DEFAULT 7)", "INSERT INTO defaults (a) VALUES (1)", "INSERT INTO defaults VALUES (2, DEFAULT)",
         "ALTER TABLE defaults ALTER COLUMN d SET DEFAULT 8", "INSERT INTO defaults (a) VALUES (3)", "SELECT * FROM defaults"], rows=[(1, 7), (2, 7), (3, 8)]),
    Case("a default of a column that exists", ["ALTER TABLE defaults ADD COLUMN e INT DEFAULT 9"], refused="DEFAULT"),
    Case("defaults, generated and identity columns in one table",
         ["CREATE OR REPLACE TABLE computed (a INT, b INT GENERATED ALWAYS AS (a * 2), d STRING DEFAULT 'x', id BIGINT GENERATED ALWAYS AS IDENTITY)",
          "INSERT INTO computed (a) VALUES (4)", "SELECT a, b, d, id IS NOT NULL FROM computed"], rows=[(4, 8, "x", True)]),
    Case("show create table of computed columns", ["SHOW CREATE TABLE computed"], shows="id BIGINT GENERATED ALWAYS AS IDENTITY (START WITH 1 INCREMENT BY 1)"),
    Case("a wrong value for a generated column", ["INSERT INTO computed (a, b) VALUES (1, 1)"], refused="CHECK constraint Generated Column"),
    Case("comment on a column", ["COMMENT ON COLUMN {s}.t.id IS 'it\\'s \"key\"'"], rows=[],
         api=lambda server, s: column(server, f"{s}.t", "id")["comment"] == "it's \"key\""),
    Case("check constraints in the table", ["CREATE TABLE checked (a INT NOT NULL, b INT, CONSTRAINT positive CHECK (b > 0))", "INSERT INTO checked VALUES (1, 1)",
         "INSERT INTO checked VALUES (1, -1)"], refused="CHECK constraint positive"),
    Case("not null", ["INSERT INTO checked VALUES (NULL, 1)"], refused="NOT NULL constraint violated"),
    Case("check constraints added and dropped", ["ALTER TABLE checked ADD CONSTRAINT small CHECK (b < 10)", "ALTER TABLE checked DROP CONSTRAINT small",
         "INSERT INTO checked VALUES (2, 20)", "SELECT a, b FROM checked"], rows=[(1, 1), (2, 20)]),
    Case("a key says what is unique", ["CREATE TABLE keyed (a INT NOT NULL, b INT, CONSTRAINT keyed_pk PRIMARY KEY (a))",
         "SELECT constraint_name, constraint_type, enforced FROM dev.information_schema.table_constraints WHERE table_name = 'keyed'"], rows=[("keyed_pk", "PRIMARY KEY", "NO")]),
    Case("a key that is added and dropped", ["ALTER TABLE checked ADD CONSTRAINT checked_pk PRIMARY KEY (a)", "ALTER TABLE checked DROP CONSTRAINT checked_pk",
         "SELECT constraint_name FROM dev.information_schema.table_constraints WHERE table_name = 'checked'"], rows=[("positive",)]),
    Case("foreign keys", ["CREATE TABLE child (b INT, a INT, FOREIGN KEY (a) REFERENCES keyed (a))", "ALTER TABLE child ADD CONSTRAINT twice FOREIGN KEY (b) REFERENCES {s}.keyed (A)",
         "SELECT constraint_name = 'twice', unique_constraint_schema, unique_constraint_name FROM dev.information_schema.referential_constraints"],
         rows=[(True, "{n}", "keyed_pk"), (False, "{n}", "keyed_pk")]),
    Case("columns of keys", ["SELECT table_name, column_name, ordinal_position, position_in_unique_constraint FROM dev.information_schema.key_column_usage WHERE constraint_name IN ('keyed_pk', 'twice')"],
         rows=[("keyed", "a", 1, None), ("child", "b", 1, 1)]),
    Case("keys in SHOW CREATE TABLE", ["SHOW CREATE TABLE child"], shows="CONSTRAINT twice FOREIGN KEY (b) REFERENCES {s}.keyed (A) NOT ENFORCED"),
    Case("a foreign key to a table without a key", ["CREATE TABLE orphan (a INT, FOREIGN KEY (a) REFERENCES {s}.t (id))"], refused="has no PRIMARY KEY", state="42830"),
    Case("a foreign key without columns", ["CREATE TABLE orphan (a INT, FOREIGN KEY (a) REFERENCES {s}.keyed)"], refused="names the columns", state="42601"),
    Case("a foreign key to nowhere", ["CREATE TABLE orphan (a INT, FOREIGN KEY (a) REFERENCES nothing (a))"], refused="Table dev.suite.nothing", state="42704"),
    Case("a key of a column that is not there", ["CREATE TABLE orphan (a INT, PRIMARY KEY (b))"], refused="b", state="42703"),
    Case("unique is refused", ["CREATE TABLE uniques (a INT UNIQUE)"], refused="Delta cannot enforce it", state="0A000"),
    Case("clustering", ["CREATE TABLE clustered (a INT, b INT) CLUSTER BY (a)", "INSERT INTO clustered VALUES (1, 1)", "ALTER TABLE clustered CLUSTER BY (b)", "OPTIMIZE clustered",
         "SHOW CREATE TABLE clustered"], shows="CLUSTER BY (b)"),
    Case("clustering by itself", ["CREATE TABLE chosen CLUSTER BY AUTO AS SELECT 1 AS a"], refused="name the columns", state="0A000"),
    Case("clustering and partitioning", ["CREATE TABLE both (a INT, b INT) PARTITIONED BY (a) CLUSTER BY (b)"], refused="Clustering and partitioning cannot both"),
]  # fmt: skip

CHANGES = [
    Case("insert by name", ["CREATE TABLE named (a INT, b STRING)", "INSERT INTO named BY NAME SELECT 'x' AS b, 1 AS a", "SELECT * FROM named"], rows=[(1, "x")]),
    Case("insert replace where", ["INSERT INTO named REPLACE WHERE a = 1 SELECT 1, 'y'", "SELECT * FROM named"], rows=[(1, "y")]),
    Case("insert replace using", ["INSERT INTO named REPLACE USING (a) SELECT 1, 'y'"], refused="REPLACE ON/USING", state="0A000"),
    Case("time travel", ["SELECT * FROM named VERSION AS OF 1"], rows=[(1, "x")]),
    Case("restore", ["RESTORE TABLE named TO VERSION AS OF 1", "SELECT * FROM named"], rows=[(1, "x")]),
    Case("optimize with zorder", ["INSERT INTO named VALUES (2, 'z')", "OPTIMIZE named ZORDER BY (a)", "SELECT count(*) FROM named"], rows=[(2,)]),
    Case("vacuum", ["VACUUM named DRY RUN", "VACUUM named", "SELECT count(*) FROM named"], rows=[(2,)]),
    Case("vacuum of what readers may need", ["VACUUM named RETAIN 0 HOURS"], refused="RETENTION"),
    Case("shallow clone", ["CREATE TABLE cloned SHALLOW CLONE named", "DELETE FROM cloned WHERE a = 2", "SELECT * FROM cloned"], rows=[(1, "x")],
         api=lambda server, s: server.columns(f"{s}.cloned") == ["a int", "b string"]),
    Case("deep clone", ["CREATE OR REPLACE TABLE cloned2 DEEP CLONE named"], refused="CREATE TABLE … AS SELECT", state="0A000"),
    Case("change data feed", ["CREATE TABLE fed (id INT, v STRING) TBLPROPERTIES (delta.enableChangeDataFeed = true)", "INSERT INTO fed VALUES (1, 'a')", "UPDATE fed SET v = 'b'",
         "SELECT v, _change_type FROM table_changes('{s}.fed', 1)"], rows=[("a", "insert"), ("a", "update_preimage"), ("b", "update_postimage")]),
    Case("drop a column", ["ALTER TABLE fed DROP COLUMN v"], refused="delta.columnMapping.mode"),
    Case("wider types", ["CREATE TABLE widened (a INT) TBLPROPERTIES (delta.enableTypeWidening = true)", "ALTER TABLE widened ALTER COLUMN a TYPE BIGINT"], rows=[],
         api=lambda server, s: server.columns(f"{s}.widened") == ["a bigint"]),
    Case("owner of a table and a schema", ["ALTER TABLE named SET OWNER TO `a@b.c`", "ALTER SCHEMA {s} OWNER TO `d@e.f`"], rows=[],
         api=lambda server, s: (server.table(f"{s}.named")["owner"], server.schemas[s]["owner"]) == ("a@b.c", "d@e.f")),
    Case("truncate", ["TRUNCATE TABLE named", "SELECT count(*) FROM named"], rows=[(0,)]),
    Case("undrop", ["DROP TABLE cloned", "UNDROP TABLE cloned", "SELECT * FROM cloned"], rows=[(1, "x")]),
    Case("purge", ["DROP TABLE cloned PURGE", "UNDROP TABLE cloned"], refused="does not exist"),
    Case("undrop of what was never there", ["UNDROP TABLE nothing"], refused="does not exist"),
    Case("managed tables are Delta", ["CREATE TABLE files USING parquet AS SELECT 1 AS a"], refused="needs a LOCATION"),
    Case("json with partitions", ["CREATE EXTERNAL TABLE lines (a INT, b STRING) USING json PARTITIONED BY (b) LOCATION '{d}/lines'", "INSERT INTO lines VALUES (1, 'x'), (2, 'y')",
         "SELECT a FROM lines WHERE b = 'y'"], rows=[(2,)], api=lambda server, s: column(server, f"{s}.lines", "b")["partition_index"] == 0),
    Case("altering a table of files", ["ALTER TABLE lines ADD COLUMNS (c INT)"], refused="only Delta tables can be altered"),
]  # fmt: skip

VOLUMES_AND_GRANTS = [
    Case("volumes", ["CREATE VOLUME {s}.files COMMENT 'about'", "CREATE VOLUME IF NOT EXISTS files", "SHOW VOLUMES IN {s}"], rows=[("{n}", "files")],
         api=lambda server, s: server.volumes[f"{s}.files"]["volume_type"] == "MANAGED"),
    Case("external volumes", ["CREATE EXTERNAL VOLUME outside LOCATION '/elsewhere'", "DESCRIBE VOLUME outside"], shows="'EXTERNAL'"),
    Case("an external volume without a place", ["CREATE EXTERNAL VOLUME nowhere"], refused="needs a LOCATION", state="42601"),
    Case("volumes change", ["ALTER VOLUME files RENAME TO papers", "COMMENT ON VOLUME papers IS 'anew'", "SHOW VOLUMES LIKE 'p*'"], rows=[("{n}", "papers")],
         api=lambda server, s: server.volumes[f"{s}.papers"]["comment"] == "anew"),
    Case("volumes go", ["DROP VOLUME papers", "DROP VOLUME outside", "DROP VOLUME IF EXISTS papers", "SHOW VOLUMES"], rows=[]),
    Case("a missing volume", ["DROP VOLUME papers"], refused="does not exist", state="42704"),
    *(Case(statement.partition(" ")[0].lower() + f" {index}", [statement], refused="Grants are not kept yet", state="0A000") for index, statement in enumerate(
        ["GRANT SELECT ON TABLE t TO `a`", "REVOKE SELECT ON TABLE t FROM `a`", "SHOW GRANTS ON TABLE t", "DENY SELECT ON TABLE t TO `a`"])),
    Case("tags", ["ALTER TABLE t SET TAGS ('a' = 'b')"], refused="Tags, row filters and column masks", state="0A000"),
    Case("functions in catalogs", ["CREATE OR REPLACE FUNCTION f(x INT) RETURNS INT RETURN x"], refused="CREATE TEMPORARY FUNCTION", state="0A000"),
    Case("functions of the session", ["CREATE OR REPLACE TEMPORARY FUNCTION plus_one(x INT) RETURNS INT RETURN x + 1", "SELECT plus_one(1)"], rows=[(2,)]),
    Case("copy into", ["COPY INTO t FROM '/Volumes/a/b/c' FILEFORMAT = CSV"], refused="COPY INTO is not supported yet", state="0A000"),
    Case("materialized views", ["CREATE MATERIALIZED VIEW m AS SELECT 1"], refused="belong to pipelines", state="0A000"),
]  # fmt: skip

INFORMATION = [
    Case("schemata", ["SELECT catalog_name, schema_name FROM dev.information_schema.schemata WHERE schema_name = '{n}'"], rows=[("dev", "{n}")]),
    Case("schemata of an owner", ["ALTER SCHEMA {s} OWNER TO anna", "SELECT schema_name FROM dev.information_schema.schemata WHERE schema_owner = 'anna'"],
         rows=[("{n}",)]),
    Case("catalogs of an owner", ["ALTER CATALOG dev OWNER TO anna", "SELECT catalog_name FROM system.information_schema.catalogs WHERE catalog_owner = 'anna'"],
         rows=[("dev",)]),
    Case("tables", ["SELECT table_name, table_type, data_source_format FROM information_schema.tables WHERE table_schema = '{n}' AND table_name IN ('t', 'seen', 'lines')"],
         rows=[("t", "MANAGED", "DELTA"), ("seen", "VIEW", None), ("lines", "EXTERNAL", "JSON")]),
    Case("columns", ["SELECT column_name, ordinal_position, data_type, column_default, is_identity, generation_expression FROM dev.information_schema.columns WHERE table_schema = '{n}' AND table_name = 'computed'"],
         rows=[("a", 1, "INT", None, "NO", None), ("b", 2, "INT", None, "NO", "a * 2"), ("d", 3, "STRING", "'x'", "NO", None), ("id", 4, "LONG", None, "YES", None)]),
    Case("views", ["SELECT table_name, view_definition FROM dev.information_schema.views WHERE table_schema = '{n}'"], rows=[("seen", "SELECT id FROM t")]),
    Case("volumes", ["CREATE VOLUME told", "SELECT volume_name, volume_type FROM dev.information_schema.volumes WHERE volume_schema = '{n}'"], rows=[("told", "MANAGED")]),
    Case("privileges", ["SELECT count(*) FROM dev.information_schema.table_privileges"], rows=[(0,)]),
    Case("of all catalogs", ["SELECT DISTINCT table_catalog FROM system.information_schema.tables WHERE table_catalog = 'dev'"], rows=[("dev",)]),
    Case("catalogs", ["SELECT catalog_name FROM system.information_schema.catalogs ORDER BY 1"], rows=[("dev",), ("main",)]),
    Case("joined with a table of data", ["SELECT count(*) FROM information_schema.tables i JOIN t ON i.table_name = t.v"], rows=[(0,)]),
    Case("its tables", ["SHOW TABLES IN information_schema LIKE 'columns'"], rows=[("information_schema", "columns", False)]),
    Case("nothing is written to it", ["INSERT INTO information_schema.tables SELECT * FROM information_schema.tables"], refused="does not support append"),
    Case("nothing is made in it", ["CREATE TABLE information_schema.mine (a INT)"], refused="SCHEMA_NOT_FOUND"),
    Case("it is not made", ["CREATE SCHEMA dev.information_schema"], refused="ALREADY_EXISTS|description of itself"),
]  # fmt: skip

CASES = [*CATALOGS, *NAMES, *SHOWS, *COLUMNS, *CHANGES, *VOLUMES_AND_GRANTS, *INFORMATION]
