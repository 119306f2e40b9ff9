"""The unmodified databricks-sql-connector, over https by the server's own authority: one server, one warehouse."""

from __future__ import annotations

import datetime
import importlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import databricks
import pytest
from databricks.sdk import WorkspaceClient

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def connector() -> Any:
    """The module databricks.sql, beside the SDK's databricks.sdk."""
    script = REPOSITORY / "scripts" / "sql-clients.mjs"
    node = REPOSITORY / "node_modules" / ".bin" / "node"
    installed = subprocess.run([str(node), str(script)], capture_output=True, text=True, timeout=300)
    assert installed.returncode == 0, installed.stderr
    home = installed.stdout.strip()
    sys.path.append(home)
    databricks.__path__.append(str(Path(home) / "databricks"))
    return importlib.import_module("databricks.sql")


@pytest.fixture(scope="session")
def connect(connector: Any, server: dict[str, str]) -> Any:
    url = urlsplit(server["https_url"])

    def connect(**options: Any) -> Any:
        return connector.connect(
            server_hostname=url.hostname,
            _port=url.port,
            http_path="/sql/1.0/warehouses/default",
            _tls_trusted_ca_file=server["ca_file"],
            enable_telemetry=False,
            **{"access_token": server["token"], **options},
        )

    return connect


@pytest.fixture(scope="session")
def connection(connect: Any) -> Iterator[Any]:
    # As dbt does: the schema is made by the session that names it.
    with connect(
        catalog="main", schema="sqlc", session_configuration={"STATEMENT_TIMEOUT": "60", "TIMEZONE": "Europe/Berlin"}
    ) as opened:
        with opened.cursor() as cursor:
            cursor.execute("create schema if not exists main.sqlc")
            cursor.execute("create or replace table main.sqlc.t (a int comment 'first', b decimal(10,2), c array<int>)")
        yield opened


def test_values_of_all_kinds_and_parameters(connection: Any) -> None:
    day = datetime.date(2026, 1, 2)
    with connection.cursor() as cursor:
        cursor.execute(
            "select :n + 1 as n, :s as s, :d as d, :e as e, :v as v, array(1, 2) as l, "
            "timestamp'2026-01-02 03:04:05' as t, true as y",
            {"n": 5, "s": "o'k ü", "d": day, "e": Decimal("1.50"), "v": None},
        )
        description = [(each[0], each[1]) for each in cursor.description]
        (row,) = cursor.fetchall()
        cursor.execute("select ? + ?", [1, 2])
        (sum_row,) = cursor.fetchall()
        # By place and by name, in so many that Spark itself would mix them up.
        cursor.execute(f"select {', '.join('?' * 8)}", [1, "b", 3, Decimal("4.5"), 5, "f", 7, day])
        (by_place,) = cursor.fetchall()
        cursor.execute("select :a, :b, :c, :d, :e, :f", dict(zip("abcdef", [1, 2, 3, 4, 5, 6], strict=True)))
        (by_name,) = cursor.fetchall()

    assert row[:5] == (6, "o'k ü", day, Decimal("1.50"), None)
    assert list(row.l) == [1, 2] and row.y is True
    assert row.t.isoformat() == "2026-01-02T03:04:05+01:00"
    assert [kind for _, kind in description][:4] == ["int", "string", "date", "decimal"]
    assert sum_row[0] == 3
    assert tuple(by_place) == (1, "b", 3, Decimal("4.5"), 5, "f", 7, day)
    assert tuple(by_name) == (1, 2, 3, 4, 5, 6)


def test_arrays_and_maps_are_parameters(connection: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "select array_contains(:ids, 3) as a, :ids as ids, :rows[1][0] as r, :prices['b'] as p, size(:none) as n",
            {
                "ids": [1, 3],
                "rows": [["x"], ["y'); drop table t --"]],
                "prices": {"a": Decimal("1.5"), "b": Decimal("12.25")},
                "none": [],
            },
        )
        (row,) = cursor.fetchall()
        with pytest.raises(Exception, match="parameter 'ids'.*x1"):
            cursor.execute("select :ids", [sql_array(["x1"])])

    assert row.a is True and list(row.ids) == [1, 3]
    assert (row.r, row.p, row.n) == ("y'); drop table t --", Decimal("12.25"), 0)


def sql_array(values: list[str]) -> Any:
    """Texts that claim to be numbers."""
    parameters = importlib.import_module("databricks.sql.parameters")
    made = parameters.native.ArrayParameter([], name="ids")
    made.value = [parameters.IntegerParameter(value) for value in values]
    return made


def test_ddl_and_rows_that_come_in_parts(connection: Any) -> None:
    with connection.cursor() as cursor:
        assert cursor.execute("insert into main.sqlc.t values (1, 2.50, array(3))") is not None
        cursor.execute("select id, repeat('x', 100) as x from range(200000)")
        first = cursor.fetchmany_arrow(10)
        rest = cursor.fetchall_arrow()
        cursor.execute("select * from main.sqlc.t where a = 2")
        empty = cursor.fetchall_arrow()

    assert first.column("id").to_pylist() == list(range(10))
    assert rest.column("id").to_pylist() == list(range(10, 200_000))
    assert (empty.num_rows, empty.column_names) == (0, ["a", "b", "c"])


def test_names_are_listed(connection: Any) -> None:
    with connection.cursor() as cursor:
        catalogs = {row[0] for row in cursor.catalogs().fetchall()}
        schemas = cursor.schemas(catalog_name="main", schema_name="sq%").fetchall()
        tables = cursor.tables(catalog_name="main", schema_name="sqlc").fetchall()
        columns = cursor.columns(catalog_name="main", schema_name="sqlc", table_name="t").fetchall()

    assert "main" in catalogs
    assert [tuple(row) for row in schemas] == [("sqlc", "main")]
    assert [tuple(row)[:4] for row in tables] == [("main", "sqlc", "t", "TABLE")]
    assert [(row.COLUMN_NAME, row.TYPE_NAME, row.COLUMN_SIZE) for row in columns] == [
        ("a", "int", 10),
        ("b", "decimal(10,2)", 10),
        ("c", "array<int>", None),
    ]
    assert columns[0].REMARKS == "first"


def test_errors_say_what_is_wrong_and_the_session_lives_on(connector: Any, connect: Any, connection: Any) -> None:
    with connection.cursor() as cursor:
        with pytest.raises(connector.ServerOperationError, match=r"(?s)TABLE_OR_VIEW_NOT_FOUND.*42P01"):
            cursor.execute("select * from main.sqlc.nothing")
        with pytest.raises(connector.ServerOperationError, match="PARSE_SYNTAX_ERROR"):
            cursor.execute("selec 1")
        cursor.execute("select 1")
        assert cursor.fetchone()[0] == 1
    with pytest.raises(connector.exc.Error, match="token"):
        connect(access_token="hrp_unknown", _retry_stop_after_attempts_count=1)


def test_a_session_of_its_own_with_two_cursors(connect: Any, connection: Any) -> None:
    other = connect(catalog="main", schema="sqlc", session_configuration={"TIMEZONE": "UTC"})
    with other, other.cursor() as one, other.cursor() as two:
        one.execute("create temporary view mine as select 7 as a")
        two.execute("select current_catalog(), current_schema(), current_timezone(), a from mine")
        one.execute("select count(*) >= 0 from t")
        assert tuple(two.fetchone()) == ("main", "sqlc", "UTC", 7)
        assert one.fetchone()[0] is True
    with connection.cursor() as cursor:
        cursor.execute("select current_timezone()")
        assert cursor.fetchone()[0] == "Europe/Berlin"


def test_a_statement_is_cancelled(connector: Any, connection: Any) -> None:
    with connection.cursor() as cursor:

        def cancel_once_known() -> None:
            while cursor.active_command_id is None:
                time.sleep(0.05)
            cursor.cancel()

        thread = threading.Thread(target=cancel_once_known)
        thread.start()
        # The rows would take hours.
        with pytest.raises(connector.exc.Error, match="cancelled"):
            cursor.execute("select count(*) from range(1000000000000) where hash(id, 'x') = 1").fetchall()
        thread.join()


def test_the_sdk_speaks_https_too(server: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", server["ca_file"])
    config = str(tmp_path / "none")
    client = WorkspaceClient(host=server["https_url"], token=server["token"], auth_type="pat", config_file=config)

    assert client.current_user.me().user_name == "admin"
