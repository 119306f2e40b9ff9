"""What a SQL endpoint says to its server, and what it takes from the answers; without Spark."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import pytest
from headrace_runtime import attach
from headrace_runtime.sql_endpoint import endpoint as endpoints
from headrace_runtime.sql_endpoint import server_link
from headrace_runtime.sql_endpoint.endpoint import Endpoint
from headrace_runtime.sql_endpoint.running import Running
from headrace_runtime.sql_endpoint.server_link import Refused, ServerLink


class FakeServer:
    """Answers with the statuses that a test lays ready, then with 200."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.statuses: list[int] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.asked.append((self.path.rsplit("/", 1)[1], document))
                status = server.statuses.pop(0) if server.statuses else 200
                if status == 0:
                    # The answer is lost on its way.
                    self.close_connection = True
                    return
                body = json.dumps({"message": "no"} if status >= 400 else {}).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    monkeypatch.setattr(server_link, "PAUSE_SECONDS", 0.01)
    server = FakeServer()
    yield server
    server.http.shutdown()
    server.http.server_close()


@pytest.fixture
def endpoint(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> Endpoint:
    session = SimpleNamespace(sparkContext=SimpleNamespace(_jvm=None), _jsparkSession=None)
    monkeypatch.setattr(attach, "get_session", lambda: session)
    sessions = SimpleNamespace(close=lambda _: None, know_catalogs=lambda *_: None)
    monkeypatch.setattr(endpoints, "Sessions", lambda *_: sessions)
    context: Any = SimpleNamespace(attempt={"api": {"url": server.url, "token": "t"}})
    return Endpoint(context, 1)


def test_texts_hold_nothing_that_the_store_cannot_keep(server: FakeServer) -> None:
    document = {"columns": [{"name": "split(x, \0, -1)"}], "message": "a\0", "path": "\\u0000"}
    ServerLink(server.url, "t").post("deliver", document)

    told = {"columns": [{"name": "split(x, \ufffd, -1)"}], "message": "a\ufffd", "path": "\\u0000"}
    assert server.asked == [("deliver", told)]


@pytest.mark.parametrize("status", [0, 429, 500, 503, 507])
def test_a_question_is_asked_anew_after_a_passing_trouble(server: FakeServer, endpoint: Endpoint, status: int) -> None:
    link = ServerLink(server.url, "t")
    link.post("deliver", {})
    server.statuses = [status]

    link.post_fresh("poll", lambda: endpoint._question(with_sessions=False))

    assert [document["poll"] for name, document in server.asked if name == "poll"] == [1, 2]


@pytest.mark.parametrize(("status", "is_final"), [(400, False), (401, True), (403, True), (404, True), (413, False)])
def test_a_refusal_is_not_asked_again(server: FakeServer, status: int, is_final: bool) -> None:
    server.statuses = [status]
    with pytest.raises(Refused) as refused:
        ServerLink(server.url, "t").post("poll", {})

    assert refused.value.is_final is is_final
    assert len(server.asked) == 1


def test_an_end_that_is_refused_is_told_as_a_plain_failure(server: FakeServer, endpoint: Endpoint) -> None:
    server.statuses = [400]
    endpoint._deliver({"statement_id": "a", "state": "SUCCEEDED", "timings": {}, "result": {"bad": 1}})

    name, told = server.asked[-1]
    assert (name, told["statement_id"], told["state"]) == ("deliver", "a", "FAILED")
    assert "the server refused it (no)" in told["error"]["message"]
    assert "result" not in told


def test_a_statement_that_has_ended_here_and_is_given_again_fails(server: FakeServer, endpoint: Endpoint) -> None:
    answer: Any = {"statements": [{"statement_id": "a"}], "cancel": [], "close_sessions": [], "retire": False}
    answer |= {"catalogs": [], "default_catalog": "main"}
    endpoint._seen["a"] = None
    endpoint._take(answer)

    assert [(name, told["state"]) for name, told in server.asked] == [("deliver", "FAILED")]


def test_a_statement_that_is_given_again_while_it_runs_goes_on(server: FakeServer, endpoint: Endpoint) -> None:
    answer: Any = {"statements": [{"statement_id": "a"}], "cancel": [], "close_sessions": [], "retire": False}
    answer |= {"catalogs": [], "default_catalog": "main"}
    endpoint._seen["a"] = None
    endpoint._running["a"] = SimpleNamespace(statement_id="a", is_cancelled=False)  # type: ignore[assignment]
    endpoint._take(answer)

    assert server.asked == []


def test_statements_at_the_same_time_share_the_cores_fairly() -> None:
    set_by_thread: dict[str, str] = {}
    context = SimpleNamespace(
        setLocalProperty=lambda name, value: set_by_thread.__setitem__(
            threading.current_thread().name, f"{name}={value}"
        ),
        setInterruptOnCancel=lambda _: None,
        addJobTag=lambda _: None,
    )
    jvm: Any = SimpleNamespace()
    jvm.java = SimpleNamespace(lang=SimpleNamespace(Thread=SimpleNamespace(currentThread=object)))
    document: Any = {"statement_id": "a"}
    threads = [
        threading.Thread(target=lambda: Running(document).enter(context, jvm), name=f"statements-{number}")
        for number in range(2)
    ]
    for thread in threads:
        thread.start()
        thread.join()

    pools = {f"statements-{number}": f"spark.scheduler.pool=headrace-statements-{number}" for number in range(2)}
    assert set_by_thread == pools
