"""Alerts as SQL tasks: what is read from the result, told to the server and handed on."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from headrace_runtime.documents import ALERT_STATE_NAME, OUTPUT_ROWS_NAME
from support.attempts import Outcome, Workspace

ROWS = "select * from values ('a', 1.5D, 10), ('b', 4.5D, 3), ('b', NULL, 3) as t(name, Amount, least)"


class AlertServer(ThreadingHTTPServer):
    """Answers for one alert; keeps what it is told."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), AlertHandler)
        self.work: dict[str, Any] | None = None
        self.answer: dict[str, Any] = {}
        self.reports: list[dict[str, Any]] = []


class AlertHandler(BaseHTTPRequestHandler):
    server: AlertServer

    def do_GET(self) -> None:
        self._answer(self.server.work)

    def do_POST(self) -> None:
        self.server.reports.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self._answer(self.server.answer)

    def _answer(self, document: dict[str, Any] | None) -> None:
        refusal = {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "Alert a-1 does not exist."}
        body = json.dumps(document or refusal).encode()
        self.send_response(200 if document else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[AlertServer]:
    server = AlertServer()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def run_alert(workspace: Workspace, server: AlertServer, text: str, operand: dict[str, str], **work: Any) -> Outcome:
    place = {"catalog": None, "schema": None}
    document = {"display_name": "high", "query_text": text, "parameters": [], "threshold": None, **place}
    server.work = {**document, "operand": operand, **work}
    server.answer = server.answer or {"state": "TRIGGERED", "previous_state": "OK"}
    return run_task(workspace, server)


def run_task(workspace: Workspace, server: AlertServer) -> Outcome:
    task = {"kind": "sql", "file_path": None, "query_id": None, "alert_id": "a-1", "parameters": {}}
    return workspace.run(task, api={"url": f"http://127.0.0.1:{server.server_port}", "token": "hrt_token"})


def test_the_first_row_is_told_and_the_state_handed_on(spark_workspace: Workspace, server: AlertServer) -> None:
    outcome = run_alert(spark_workspace, server, f"set x.y = 1; {ROWS}", {"name": "amount"})

    assert outcome.result["state"] == "succeeded", outcome.log
    assert server.reports == [{"is_empty": False, "value": 1.5}]
    assert outcome.exit_value == "TRIGGERED"
    assert outcome.task_values[ALERT_STATE_NAME] == "TRIGGERED"
    assert len(outcome.task_values[OUTPUT_ROWS_NAME]) == 3
    table, sentence = outcome.cells[-1]["outputs"]
    assert (table["kind"], sentence["text"]) == ("table", "TRIGGERED (was OK): amount is 1.5\n")


def test_aggregates_are_over_all_rows_and_may_be_compared_with_a_column(
    spark_workspace: Workspace, server: AlertServer
) -> None:
    text = f"{ROWS} union all select 'c', 0D, id from range(2000)"
    operand = {"name": "AMOUNT", "aggregation": "SUM"}
    run_alert(spark_workspace, server, text, operand, threshold={"name": "name", "aggregation": "COUNT_DISTINCT"})
    run_alert(spark_workspace, server, text, {"name": "*", "aggregation": "COUNT"})

    assert server.reports == [
        {"is_empty": False, "value": 6.0, "threshold": 3},
        {"is_empty": False, "value": 2003},
    ]


def test_no_rows_are_told_as_none(spark_workspace: Workspace, server: AlertServer) -> None:
    server.answer = {"state": "OK", "previous_state": "OK"}
    outcome = run_alert(spark_workspace, server, f"select * from ({ROWS}) where false", {"name": "amount"})

    assert server.reports == [{"is_empty": True, "value": None}]
    assert outcome.exit_value == "OK"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("select 1 as x, 2 as y", "the alert looks at column amount, and its query gives x, y"),
        ("select nope", "line 1, column 8: [UNRESOLVED_COLUMN"),
    ],
)
def test_a_query_that_cannot_be_evaluated_fails_the_task_and_is_told(
    spark_workspace: Workspace, server: AlertServer, text: str, message: str
) -> None:
    outcome = run_alert(spark_workspace, server, text, {"name": "amount"})

    assert outcome.code == "RUN_EXECUTION_ERROR"
    assert outcome.message.startswith(message)
    assert server.reports == [{"error": outcome.message}]


def test_an_alert_that_is_not_there_is_named(workspace: Workspace, server: AlertServer) -> None:
    outcome = run_task(workspace, server)

    assert (outcome.code, outcome.message) == (
        "RESOURCE_NOT_FOUND",
        "alert a-1 could not be read: Alert a-1 does not exist.",
    )
    assert server.reports == []
