"""SQL tasks on Spark: what they show, hand on and say when they fail."""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from headrace_runtime.documents import OUTPUT_ROWS_NAME
from headrace_runtime.sql_task.statements import split_statements
from support.attempts import Outcome, Workspace
from support.spark_host import SparkHost

# What Spark has no grammar for; the hosts' own parser, or later parts of Headrace, take it before Spark does.
NOT_OF_SPARK = re.compile(r"^(create (alert|catalog)|grant|revoke|show grants)\b", re.IGNORECASE | re.MULTILINE)
QUERIES: dict[str, dict[str, Any]] = {
    "q-1": {
        "display_name": "by region",
        "query_text": "select :day as day, :limit + 1 as n, size(:regions) as regions, :span.max as until, {{limit}} as t",
        "lifecycle_state": "ACTIVE",
        "parameters": [
            {"name": "day", "date_value": {"date_value": "2026-03-01"}},
            {"name": "limit", "numeric_value": {"value": 10}},
            {"name": "regions", "enum_value": {"values": ["a", "b"], "multi_values_options": {}}},
            {"name": "span", "date_range_value": {"date_range_value": {"start": "2026-01-01", "end": "2026-02-01"}}},
        ],
    },
    "q-2": {"display_name": "old", "query_text": "select 1", "lifecycle_state": "TRASHED"},
}


class QueriesHandler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        query = QUERIES.get(self.path.rpartition("/")[2])
        refusal = {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "There is no such query."}
        body = json.dumps(query or refusal).encode()
        self.send_response(200 if query else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def api() -> Iterator[dict[str, str]]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), QueriesHandler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield {"url": f"http://127.0.0.1:{server.server_port}", "token": "hrt_token"}
    server.shutdown()
    thread.join()
    server.server_close()


def run_file(workspace: Workspace, text: str, **parameters: str) -> Outcome:
    workspace.write("workspace/Users/ann/q.sql", text)
    return workspace.run({"kind": "sql", "file_path": "/Users/ann/q", "query_id": None, "parameters": parameters})


def run_query(workspace: Workspace, query_id: str, api: dict[str, str], **parameters: str) -> Outcome:
    return workspace.run({"kind": "sql", "file_path": None, "query_id": query_id, "parameters": parameters}, api=api)


def test_statements_run_in_order_and_the_last_rows_are_handed_on(spark_workspace: Workspace) -> None:
    text = """-- a comment; with a semicolon
create temporary view v as select * from values ('{{who}}', 1.5), (null, 2.0) as t(name, amount);
select 'not the last' as x;
select name, amount, amount as name from v where amount >= :least order by amount;
create temporary view w as select 1
"""

    outcome = run_file(spark_workspace, text, who="it;s", least="1")

    rows = [{"name": "it;s", "amount": "1.5"}, {"name": None, "amount": "2.0"}]
    assert outcome.result["state"] == "succeeded", outcome.log
    assert outcome.task_values == {OUTPUT_ROWS_NAME: rows}
    assert [cell["state"] for cell in outcome.cells] == ["succeeded"] * 4
    assert outcome.cells[1]["outputs"][0]["rows"] == [["not the last"]]
    assert "statement 3 of 4, line 4: 2 rows" in outcome.log


def test_a_result_without_rows_is_handed_on_too(spark_workspace: Workspace) -> None:
    nothing = run_file(spark_workspace, "select 1 as a where false")
    script = run_file(spark_workspace, "BEGIN\n DECLARE x INT DEFAULT 1;\n SET x = x + 4;\n SELECT x;\nEND;\n")

    assert nothing.task_values == {OUTPUT_ROWS_NAME: []}
    assert script.task_values == {OUTPUT_ROWS_NAME: [{"x": 5}]}


def test_more_rows_than_are_handed_on_come_with_a_warning(spark_workspace: Workspace) -> None:
    outcome = run_file(spark_workspace, "select id, repeat('x', 50) as x from range(100)")

    assert 5 < len(outcome.task_values[OUTPUT_ROWS_NAME]) < 20  # of 1,000 bytes
    assert len(outcome.cells[0]["outputs"][0]["rows"]) == 100
    assert "references to this task's output see its first" in outcome.log


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "select 1;\n\n-- why\nselect *\n from nope;\nselect 2",
            "statement 2 of 3, line 5, column 7: [TABLE_OR_VIEW_NOT_FOUND] The table or view `nope` cannot be found.",
        ),
        ("select 1;\nselec 2", "statement 2 of 2, line 2, column 1: [PARSE_SYNTAX_ERROR] Syntax error at or near 'selec'."),
        ("\nselect 1/0", "line 2, column 8: [DIVIDE_BY_ZERO] Division by zero."),
        ("select :nope", "line 1, column 8: [UNBOUND_SQL_PARAMETER] Found the unbound parameter: nope."),
        ("BEGIN\n SELECT 1;", "line 2, column 11: [PARSE_SYNTAX_ERROR] Syntax error at or near end of input"),
        (" -- nothing\n", "/Workspace/Users/ann/q.sql has no statement"),
    ],
)  # fmt: skip
def test_a_failure_names_statement_line_and_sqlstate(spark_workspace: Workspace, text: str, message: str) -> None:
    outcome = run_file(spark_workspace, text)

    assert outcome.code == "RUN_EXECUTION_ERROR"
    assert outcome.message.startswith(message)
    assert ("SQLSTATE: " in outcome.message) == ("[" in message)
    assert "Traceback" not in outcome.trace
    assert outcome.task_values == {}
    states = [cell["state"] for cell in outcome.cells]
    assert states[-2:] in ([], ["failed"], ["succeeded", "failed"], ["failed", "skipped"])


def test_a_missing_file_is_named(workspace: Workspace) -> None:
    outcome = workspace.run({"kind": "sql", "file_path": "/Users/ann/no.sql", "query_id": None, "parameters": {}})

    assert (outcome.code, outcome.message) == ("RESOURCE_NOT_FOUND", "SQL file /Users/ann/no.sql does not exist")


def test_parameters_of_a_saved_query_are_bound_with_their_types(
    spark_workspace: Workspace, api: dict[str, str]
) -> None:
    default = run_query(spark_workspace, "q-1", api)
    given = run_query(spark_workspace, "q-1", api, limit="41", regions='["x"]')

    [cell] = default.cells
    kinds = {column["name"]: column["type"] for column in cell["outputs"][0]["columns"]}
    assert kinds == {"day": "date", "n": "int", "regions": "int", "until": "date", "t": "int"}
    assert cell["outputs"][0]["rows"] == [["2026-03-01", 11, 2, "2026-02-01", 10]]
    assert given.cells[0]["outputs"][0]["rows"] == [["2026-03-01", 42, 1, "2026-02-01", 41]]


@pytest.mark.parametrize(
    ("query_id", "message"),
    [
        ("q-3", "saved query q-3 could not be read: There is no such query."),
        ("q-2", "saved query q-2 (old) is in the trash"),
    ],
)
def test_a_query_that_is_not_there_is_named(
    workspace: Workspace, api: dict[str, str], query_id: str, message: str
) -> None:
    outcome = run_query(workspace, query_id, api)

    assert (outcome.code, outcome.message) == ("RESOURCE_NOT_FOUND", message)


@pytest.mark.skipif("HEADRACE_SQL_EXAMPLES" not in os.environ, reason="names a folder of .sql files to be parsed")
def test_every_statement_of_the_examples_parses(spark_host: SparkHost) -> None:
    parser = spark_host.root_parser()
    refused = []
    for file in sorted(Path(os.environ["HEADRACE_SQL_EXAMPLES"]).rglob("*.sql")):
        for statement in split_statements(file.read_text(), lambda _: False):
            problem = parser(statement.text)
            if problem is not None and not NOT_OF_SPARK.search(statement.text):
                refused.append(f"{file.name}:{statement.first_word_line}: {problem}")

    assert refused == []
