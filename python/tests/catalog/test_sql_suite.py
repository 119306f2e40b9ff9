"""Runs the cases of sql_cases.py, in their order, in one schema of one session."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .catalog_server import CatalogServer
from .sql_cases import CASES, Case

SCHEMA = "dev.suite"
SET_UP = [
    f"USE {SCHEMA}",
    "CREATE TABLE t AS SELECT id, v FROM VALUES (1L, 'a'), (2L, 'b'), (3L, 'c') AS rows(id, v)",
    "CREATE TABLE parted (id BIGINT, day STRING COMMENT \"it's\") USING delta PARTITIONED BY (day) TBLPROPERTIES (team = 'red')",
    "INSERT INTO parted VALUES (1, 'mon'), (2, 'tue')",
]


@pytest.fixture(scope="module")
def session(spark: Any, server: CatalogServer) -> Iterator[Any]:
    server.faults.clear()
    server.add_schema({"catalog_name": "dev", "name": "suite"})
    session = spark.newSession()
    for statement in SET_UP:
        session.sql(statement)
    yield session
    for schema in ("dev.suite", "dev.main"):
        if schema in server.schemas:
            server.drop_schema(schema, force=True)
    server.volumes.clear()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_statement(case: Case, session: Any, server: CatalogServer, tmp_path: Path) -> None:
    def fill(text: str) -> str:
        return text.replace("{s}", SCHEMA).replace("{n}", "suite").replace("{d}", str(tmp_path))

    *before, last = [fill(statement) for statement in case.sql]
    for statement in before:
        session.sql(statement)

    if case.refused:
        with pytest.raises(Exception, match=case.refused) as refusal:
            run(session, last)
        if case.state:
            assert refusal.value.getSqlState() == case.state  # type: ignore[attr-defined]
    else:
        found = run(session, last)
        if case.rows is not None:
            wanted = [tuple(fill(v) if isinstance(v, str) else v for v in row) for row in case.rows]
            assert sorted(found, key=repr) == sorted(wanted, key=repr)
        assert fill(case.shows) in " ".join(map(repr, found))
    if case.api is not None:
        assert case.api(server, SCHEMA)


def run(session: Any, statement: str) -> list[tuple[Any, ...]]:
    arguments = {"t": f"{SCHEMA}.t"} if re.search(r":t\b", statement) else None
    return [tuple(row) for row in session.sql(statement, args=arguments).collect()]
