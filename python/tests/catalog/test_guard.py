"""SQL alone, as in a warehouse: no file of the machine is read or written but those that SQL may name, and no code runs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from headrace_runtime.java_command import GUARDED, guard_conf

from .catalog_server import CatalogServer
from .conftest import TOKEN
from .spark_host import catalog_conf, spark_conf

SECRET = "root:x:0:0"
PATHS = {
    "a plain path": ["SELECT * FROM csv.`{outside}/passwd`"],
    "file:": ["SELECT * FROM text.`file:{outside}/passwd`"],
    "file://": ["SELECT * FROM text.`file://{outside}/passwd`"],
    "file:///": ["SELECT * FROM csv.`FILE:///{outside}/passwd`"],
    "dots": ["SELECT * FROM text.`{allowed}/x/../../outside/passwd`"],
    "dots in the data root": ["SELECT * FROM text.`{root}/dbfs/../server.json`"],
    "a pattern": ["SELECT * FROM text.`{allowed}/../out*/pass*`"],
    "a link to a file": ["SELECT * FROM text.`{allowed}/link.txt`"],
    "a link to a folder": ["SELECT * FROM text.`{allowed}/away/passwd`"],
    "a link in DBFS": ["SELECT * FROM text.`dbfs:/away/passwd`"],
    "a link in the data root": ["SELECT * FROM text.`file:{root}/dbfs/away/passwd`"],
    "the rest of the data root": ["SELECT * FROM text.`{root}/attempts/log`"],
    "the state folder": ["SELECT * FROM text.`{state}/server.json`"],
    "an archive": ["SELECT * FROM text.`har://file-localhost{outside}/passwd.har`"],
    "a view": ["CREATE VIEW {s}.v AS SELECT * FROM text.`{outside}/passwd`", "SELECT * FROM {s}.v"],
    "a temporary view": ["CREATE OR REPLACE TEMP VIEW v USING csv OPTIONS (path '{outside}/passwd')", "SELECT * FROM v"],
    "a view that a notebook made": ["SELECT * FROM {s}.made"],
    "an external table": ["CREATE TABLE {s}.e USING csv LOCATION '{outside}'", "SELECT * FROM {s}.e"],
    "an external table whose place became a link": ["SELECT * FROM {s}.linked"],
    "a table of Spark's own catalog": [
        "CREATE TABLE spark_catalog.default.e USING text LOCATION '{outside}'",
        "SELECT * FROM spark_catalog.default.e",
    ],
    "a Delta table that names a file outside": ["SELECT * FROM delta.`{allowed}/poisoned`"],
    "a path of Delta's": ["SELECT * FROM delta.`{outside}/delta`"],
    "DESCRIBE HISTORY": ["DESCRIBE HISTORY '{outside}/delta'"],
    "VACUUM": ["VACUUM '{outside}/delta' RETAIN 1000 HOURS"],
    "CONVERT TO DELTA": ["CONVERT TO DELTA parquet.`{outside}/delta`"],
    "SHALLOW CLONE": ["CREATE TABLE {s}.cloned SHALLOW CLONE delta.`{outside}/delta`", "SELECT * FROM {s}.cloned"],
    "writing": ["INSERT OVERWRITE DIRECTORY '{outside}/made' USING csv SELECT 1"],
    "writing locally": ["INSERT OVERWRITE LOCAL DIRECTORY '{outside}/made' USING csv SELECT 1"],
    "writing through a link": ["INSERT OVERWRITE DIRECTORY '{allowed}/away/made' USING csv SELECT 1"],
    "writing with Delta": ["CREATE TABLE delta.`{outside}/made` AS SELECT 1 AS a"],
}  # fmt: skip
CODE = {
    "reflect": ["SELECT reflect('java.lang.System', 'getenv', 'HOME')"],
    "java_method": ["SELECT java_method('java.nio.file.Files', 'readString', 'x')"],
    "try_reflect": ["SELECT try_reflect('java.lang.System', 'exit', 3)"],
    "reflect in a view": ["CREATE VIEW {s}.r AS SELECT reflect('java.lang.System', 'getenv', 'HOME') AS h", "SELECT * FROM {s}.r"],
    "reflect in a constraint": ["CREATE TABLE {s}.c (a INT, CONSTRAINT k CHECK (reflect('java.lang.System', 'lineSeparator') IS NOT NULL))", "INSERT INTO {s}.c VALUES (1)"],
    "reflect in a text": ["EXECUTE IMMEDIATE \"SELECT reflect('java.lang.System', 'getenv', 'HOME')\""],
    "a transform script": ["SELECT TRANSFORM (1) USING 'cat {outside}/passwd' AS (x STRING)"],
    "a transform script in a script": ["BEGIN SELECT TRANSFORM (1) USING 'cat {outside}/passwd' AS (x STRING); END"],
    "ADD JAR": ["ADD JAR '{outside}/a.jar'"],
    "ADD FILE": ["ADD FILE '{outside}/passwd'"],
    "ADD ARCHIVE": ["ADD ARCHIVE '{outside}/a.zip'"],
    "a function of a class": ["CREATE TEMPORARY FUNCTION f AS 'org.example.F' USING JAR '{outside}/a.jar'"],
    "a driver of a database": ["CREATE OR REPLACE TEMP VIEW v USING jdbc OPTIONS (url 'jdbc:derby:{outside}/made;create=true', dbtable 'x')", "SELECT * FROM v"],
    "a class as a format": ["CREATE TABLE {s}.k USING org.apache.spark.sql.jdbc LOCATION '{allowed}/k'"],
    "a catalog of one's own": ["SET spark.sql.catalog.mine = org.apache.spark.sql.execution.datasources.v2.jdbc.JDBCTableCatalog"],
    "the guard in a setting": ["SET fs.file.impl.disable.cache = true"],
    "the guard in a setting of Spark's": ["SET spark.hadoop.fs.file.impl = org.apache.hadoop.fs.RawLocalFileSystem"],
    "the guard in a text": ["EXECUTE IMMEDIATE 'SET fs.file.impl = org.apache.hadoop.fs.RawLocalFileSystem'"],
    "the guard in an option": ["SELECT * FROM text.`{allowed}/own.txt` WITH ('fs.file.impl.disable.cache' = 'true')"],
    "the guard in an option of a view": ["CREATE OR REPLACE TEMP VIEW v USING text OPTIONS (path '{allowed}/own.txt', 'fs.x.impl' 'y')"],
    "the guard in an option of a table": ["CREATE TABLE {s}.o USING text OPTIONS ('fs.x.impl' 'y') LOCATION '{allowed}/o'"],
}  # fmt: skip
# What holds the things of many, and what is put there in `places`.
OVERWRITTEN = {
    "the managed root": "file:{root}/managed",
    "the managed root with a slash and dots": "file:{root}/dbfs/../managed/",
    "a catalog's tables": "{root}/managed/dev",
    "a schema's tables": "{root}/managed/dev/default",
    "the root of volumes": "file:{root}/volumes",
    "a catalog's volumes": "file:{root}/volumes/dev",
    "a schema's volumes": "file:{root}/volumes/dev/default",
    "a volume": "file:{root}/volumes/dev/default/v",
    "a volume that is a link": "file:{root}/volumes/dev/default/far",
    "the folder behind a volume": "{lone}/place/__headrace/volumes/1",
    "a volume through a link": "{allowed}/volumes/dev/default/v",
    "DBFS": "file:{root}/dbfs",
    "the workspace": "file:{root}/workspace",
    "a schema of /Volumes": "/Volumes/dev/default",
    "a catalog of /Volumes": "/Volumes/dev",
    "a location": "{lone}",
    "what is above a location": "{lone}/deep",
    "a managed location": "{lone}/place",
    "the tables of a managed location": "{lone}/place/__headrace/tables",
}
KEPT = {
    **{name: [f"INSERT OVERWRITE DIRECTORY '{place}' USING csv SELECT 1"] for name, place in OVERWRITTEN.items()},
    "renaming a root": [["file:{root}/managed", "file:{allowed}/taken"]],
    "renaming a schema's folder": [["file:{root}/managed/dev/default", "file:{allowed}/taken"]],
    "renaming onto a volume": [["file:{allowed}/x", "file:{root}/volumes/dev/default/new"]],
}  # fmt: skip
HELD = (
    "root:managed/dev/default/t-1/held",
    "root:volumes/dev/default/v/held",
    "root:workspace/held",
    "root:dbfs/own.txt",
    "lone:deep/location/held",
    "lone:place/__headrace/tables/t-2/held",
    "lone:place/__headrace/volumes/1/held",
)
GOOD = {
    "an allowed folder": ["SELECT * FROM text.`{allowed}/own.txt`"],
    "a link that stays in it": ["SELECT * FROM text.`{allowed}/within.txt`"],
    "an external table": ["CREATE TABLE {s}.mine (a STRING) USING csv LOCATION '{allowed}/mine'", "INSERT INTO {s}.mine VALUES ('own')", "SELECT * FROM {s}.mine"],
    "a file of DBFS": ["SELECT * FROM text.`dbfs:/own.txt`"],
    "writing to an allowed folder": [
        "INSERT OVERWRITE DIRECTORY '{allowed}/written/deep' USING parquet SELECT 'own' AS a",
        "SELECT * FROM parquet.`{allowed}/written/deep`",
    ],
    "a managed table": [
        "CREATE TABLE {s}.t AS SELECT 'own' AS a",
        "INSERT INTO {s}.t VALUES ('more')",
        "SELECT * FROM {s}.t",
    ],
    "a table of Delta's at a path": ["CREATE TABLE delta.`{allowed}/d` AS SELECT 'own' AS a", "SELECT * FROM delta.`{allowed}/d`"],
    "overwriting, cleaning and dropping a managed table": [
        "CREATE TABLE {s}.again AS SELECT 'old' AS a",
        "INSERT OVERWRITE {s}.again VALUES ('newer')",
        "CREATE OR REPLACE TABLE {s}.again AS SELECT 'own' AS a",
        "VACUUM {s}.again",
        "CREATE TABLE {s}.rest AS SELECT * FROM {s}.again",
        "DROP TABLE {s}.again",
        "SELECT * FROM {s}.rest",
    ],
    "overwriting an external table": [
        "CREATE TABLE {s}.out (a STRING) USING csv LOCATION '{allowed}/out'",
        "INSERT INTO {s}.out VALUES ('old')",
        "INSERT OVERWRITE {s}.out VALUES ('own')",
        "SELECT * FROM {s}.out",
    ],
    "overwriting a folder of a volume": [
        *(["INSERT OVERWRITE DIRECTORY '{root}/volumes/dev/default/v/sub' USING parquet SELECT 'own' AS a"] * 2),
        "SELECT * FROM parquet.`/Volumes/dev/default/v/sub`",
    ],
    "overwriting a folder of a volume elsewhere": [
        *(["INSERT OVERWRITE DIRECTORY '/Volumes/dev/default/far/sub' USING parquet SELECT 'own' AS a"] * 2),
        "SELECT * FROM parquet.`file:{root}/volumes/dev/default/far/sub`",
    ],
    "overwriting all of a volume by its name": [
        "INSERT OVERWRITE DIRECTORY '/Volumes/dev/default/whole' USING parquet SELECT 'own' AS a",
        "SELECT * FROM parquet.`/Volumes/dev/default/whole`",
    ],
    "settings of SQL": ["SET spark.sql.shuffle.partitions = 3", "SET TIME ZONE 'UTC'", "SET ansi_mode = true", "SELECT 'own'"],
    "functions of SQL": ["CREATE TEMPORARY FUNCTION g(x STRING) RETURNS STRING RETURN x", "SELECT g('own')"],
    "a table of Spark's own catalog": ["CREATE TABLE spark_catalog.default.here USING csv AS SELECT 'own' AS a", "SELECT * FROM spark_catalog.default.here"],
}  # fmt: skip
# Refused where a task of Spark's reads it, or by the file system of dbfs:/, whose words Spark puts into words of its own.
OTHER_STATES = {"path: a Delta table that names a file outside": "KD001", "path: a link in DBFS": "58030"}
# Not just any refusal: what comes after a root was deleted is refused too. The second is of the file system of dbfs:/.
KEPT_WORDS = re.compile(r"SQL may not delete, replace or rename|cannot be deleted")
KINDS: dict[str, dict[str, list[Any]]] = {"path": PATHS, "code": CODE, "good": GOOD, "kept": KEPT}
NAMES = [f"{kind}: {name}" for kind, cases in KINDS.items() for name in cases]


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A state folder with a data root in it, an allowed folder, and what lies outside of both."""
    base = tmp_path_factory.mktemp("guard").resolve()
    state = base / "allowed" / "state"  # a careless location: around what is nobody's
    found = {
        "allowed": base / "allowed",
        "outside": base / "outside",
        "state": state,
        "root": state / "data",
        "lone": base / "lone",
    }
    for folder in (*found.values(), found["root"] / "dbfs", found["root"] / "attempts", found["allowed"] / "x"):
        folder.mkdir(parents=True, exist_ok=True)
    secrets = (found["outside"] / "passwd", state / "server.json", found["root"] / "attempts" / "log")
    for file in (*secrets, found["root"] / "server.json"):
        file.write_text(f"{SECRET}\n")
    for file in (found["allowed"] / "own.txt", found["root"] / "dbfs" / "own.txt"):
        file.write_text("own\n")
    (found["allowed"] / "link.txt").symlink_to(found["outside"] / "passwd")
    (found["allowed"] / "within.txt").symlink_to(found["allowed"] / "own.txt")
    for link in (found["allowed"] / "away", found["root"] / "dbfs" / "away", found["allowed"] / "linked"):
        link.symlink_to(found["outside"])
    poison(found["allowed"] / "poisoned", found["outside"] / "passwd")
    for file in held_files(found):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("own\n")
    volumes = found["root"] / "volumes"
    (volumes / "dev" / "default" / "whole").mkdir()
    (volumes / "dev" / "default" / "far").symlink_to(found["lone"] / "place" / "__headrace" / "volumes" / "1")
    (found["allowed"] / "volumes").symlink_to(volumes)
    return found


def held_files(places: dict[str, Path]) -> list[Path]:
    return [places[place] / rest for place, rest in (name.split(":") for name in HELD)]


def poison(table: Path, file: Path) -> None:
    """A Delta log whose one file lies elsewhere."""
    (table / "_delta_log").mkdir(parents=True)
    fields = [{"name": "a", "type": "string", "nullable": True, "metadata": {}}]
    schema = json.dumps({"type": "struct", "fields": fields})
    metadata = {
        "id": "1",
        "format": {"provider": "parquet", "options": {}},
        "schemaString": schema,
        "partitionColumns": [],
        "configuration": {},
    }
    added = {"path": f"file:{file}", "partitionValues": {}, "size": 100, "modificationTime": 1, "dataChange": True}
    actions = [{"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}}, {"metaData": metadata}, {"add": added}]
    (table / "_delta_log" / f"{0:020}.json").write_text("\n".join(map(json.dumps, actions)))


@pytest.fixture(scope="module")
def results(places: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    server = CatalogServer(places["root"], TOKEN, ("dev",))
    named = {"catalog_name": "dev", "schema_name": "default"}
    view = {
        "current_catalog": "dev",
        "current_namespace": ["default"],
        "query_column_names": ["value"],
        "sql_configs": {},
    }
    schema_json = json.dumps(
        {"type": "struct", "fields": [{"name": "value", "type": "string", "nullable": True, "metadata": {}}]}
    )
    server.add_table(
        {
            **named,
            "name": "made",
            "table_type": "VIEW",
            "columns": [],
            "properties": {},
            "view_definition": f"SELECT * FROM text.`{places['outside']}/passwd`",
            "headrace": {"schema_json": schema_json, "view": view},
        }
    )
    server.add_table(
        {
            **named,
            "name": "linked",
            "table_type": "EXTERNAL",
            "data_source_format": "TEXT",
            "columns": [],
            "properties": {},
            "storage_location": f"file:{places['allowed']}/linked",
            "headrace": {"schema_json": schema_json},
        }
    )
    folder = places["state"] / "hosts" / "one"
    folder.mkdir(parents=True)
    locations = f"{places['allowed']},{places['lone']},{places['lone']}/deep/location"
    wanted = {GUARDED: "true", "spark.hadoop.headrace.external.locations": locations}
    conf = spark_conf(
        folder, places["root"], {**catalog_conf("dev", server.url, TOKEN), **wanted, **guard_conf(str(folder), wanted)}
    )
    conf["spark.sql.warehouse.dir"] = str(folder / "spark-warehouse")

    statements = [
        [f"{kind}: {name}", [fill(text, places) for text in texts]]
        for kind, cases in KINDS.items()
        for name, texts in cases.items()
    ]
    work = tmp_path_factory.mktemp("guarded")
    (work / "conf.json").write_text(json.dumps(conf))
    (work / "statements.json").write_text(json.dumps(statements))
    done = run_driver(folder, work)
    server.http.shutdown()
    assert done.returncode == 0, done.stderr[-3000:] + (folder / "jvm.log").read_text()[-3000:]
    found: dict[str, Any] = json.loads((work / "results.json").read_text())
    return found


def fill(statement: Any, places: dict[str, Path]) -> Any:
    if isinstance(statement, list):
        return [fill(text, places) for text in statement]
    for name, place in places.items():
        statement = statement.replace(f"{{{name}}}", str(place))
    return statement.replace("{s}", "dev.default")


def run_driver(folder: Path, work: Path) -> subprocess.CompletedProcess[str]:
    tests = Path(__file__).parents[1]
    arguments = [str(folder), *(str(work / f"{name}.json") for name in ("conf", "statements", "results"))]
    return subprocess.run(
        [sys.executable, "-m", "catalog.guarded_driver", *arguments],
        cwd=tests,
        env={**os.environ, "PYTHONPATH": str(tests.parent)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_statement_reaches_what_it_may_and_nothing_else(
    name: str, results: dict[str, Any], places: dict[str, Path]
) -> None:
    result = results[name]

    if name.startswith("good"):
        assert ["own"] in result["rows"], result
    elif name.startswith("kept"):
        assert KEPT_WORDS.search(result["error"]), result
    else:
        assert SECRET not in json.dumps(result)
        assert f"SQLSTATE: {OTHER_STATES.get(name, '42501')}" in result["error"], result
    assert not (places["outside"] / "made").exists()
    assert sorted(path.name for path in places["outside"].iterdir()) == ["passwd"]


def test_what_holds_the_things_of_many_is_still_there(results: dict[str, Any], places: dict[str, Path]) -> None:
    assert results
    assert [str(file) for file in held_files(places) if not file.exists()] == []
