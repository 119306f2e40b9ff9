"""Tasks whose code is in Git: what they ask of the server, and where their paths lead then."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from headrace_runtime.failures import TaskFailure
from headrace_runtime.git_checkout import join_below
from support.attempts import Workspace

ROOT = "/Workspace/Repos/.internal/pipelines-1_commits/abc"
FOLDER = "workspace/Repos/.internal/pipelines-1_commits/abc"
READY = (200, {"state": "ready", "path": ROOT, "commit": "abc"})


class Server:
    """Gives the prepared answers one after the other, the last one for ever."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, Any]]] = [READY]
        self.asked: list[tuple[str, str | None]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                server.asked.append((self.path, self.headers.get("Authorization")))
                status, document = server.answers.pop(0) if len(server.answers) > 1 else server.answers[0]
                body = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments: object) -> None:
                pass

        self.http = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.http.serve_forever)
    thread.start()
    yield made
    made.http.shutdown()
    thread.join()
    made.http.server_close()


def from_git(server: Server) -> dict[str, Any]:
    return {"from_git": True, "run_id": 7, "api": {"url": server.url, "token": "hrt_mine"}}


def run_file(workspace: Workspace, server: Server, path: str) -> Any:
    return workspace.run({"kind": "spark_python", "python_file": path, "parameters": []}, **from_git(server))


def test_a_file_runs_from_the_checkout_whose_root_is_importable(workspace: Workspace, server: Server) -> None:
    workspace.write(f"{FOLDER}/shared/names.py", "NAME = 'root'\n")
    workspace.write(f"{FOLDER}/jobs/beside.py", "NAME = 'beside'\n")
    workspace.write(
        f"{FOLDER}/jobs/load.py", "import beside, shared.names as n\nprint(beside.NAME, n.NAME, __file__)\n"
    )

    outcome = run_file(workspace, server, "jobs/load")

    assert outcome.log == f"beside root {workspace.root}/{FOLDER}/jobs/load.py\n"
    assert server.asked == [("/api/headrace/runs/7/git-checkout", "Bearer hrt_mine")]


@pytest.mark.parametrize("name", ["nb/etl", "nb/etl.py"])
def test_a_notebook_runs_with_or_without_its_extension_and_includes_others(
    workspace: Workspace, server: Server, name: str
) -> None:
    head = "# Databricks notebook source\n"
    workspace.write(f"{FOLDER}/lib/names.py", "NAME = 'root'\n")
    workspace.write(f"{FOLDER}/nb/other.py", head + "x = 41\n")
    workspace.write(
        f"{FOLDER}/nb/etl.py", head + "# MAGIC %run ./other\n# COMMAND ----------\nimport lib.names\nprint(x + 1)\n"
    )

    outcome = workspace.run({"kind": "notebook", "notebook_path": name, "parameters": {}}, **from_git(server))

    assert outcome.log.endswith("42\n"), outcome.log


def test_waiting_and_a_server_that_is_away_are_sat_out(workspace: Workspace, server: Server) -> None:
    workspace.write(f"{FOLDER}/a.py", "print('ran')\n")
    server.answers = [(200, {"state": "waiting"}), (503, {"error_code": "X", "message": "away"}), READY]

    outcome = run_file(workspace, server, "a.py")

    assert outcome.log == "ran\n"
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((200, {"state": "failed", "message": "file:///x has no branch nope"}), "file:///x has no branch nope"),
        (
            (404, {"error_code": "R", "message": "Run 7 does not exist."}),
            "no Git checkout for this run: Run 7 does not exist.",
        ),
    ],
)
def test_without_a_checkout_the_task_fails_with_the_reason(
    workspace: Workspace, server: Server, answer: tuple[int, dict[str, Any]], message: str
) -> None:
    server.answers = [answer]

    outcome = run_file(workspace, server, "a.py")

    assert (outcome.code, outcome.message) == ("RESOURCE_NOT_FOUND", message)


def test_a_file_that_the_commit_lacks_is_named(workspace: Workspace, server: Server) -> None:
    workspace.write(f"{FOLDER}/a.py", "")

    outcome = run_file(workspace, server, "missing.py")

    assert outcome.code == "RESOURCE_NOT_FOUND"
    assert "missing.py does not exist" in outcome.message


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../x", "..", ".", "", "./../.."])
def test_no_path_leads_out_of_the_repository(path: str) -> None:
    with pytest.raises(TaskFailure, match="is no path in the repository"):
        join_below("/r", path)


def test_a_git_folder_of_the_workspace_is_importable_from_its_root(workspace: Workspace) -> None:
    workspace.write("workspace/Repos/ann/pipelines/lib/names.py", "NAME = 'root'\n")
    workspace.write("workspace/Repos/ann/pipelines/jobs/a.py", "import lib.names\nprint(lib.names.NAME)\n")

    task = {"kind": "spark_python", "python_file": "/Repos/ann/pipelines/jobs/a.py", "parameters": []}

    assert workspace.run(task).log == "root\n"


def test_a_notebook_of_the_checkout_runs_its_neighbours_and_those_of_the_workspace(
    workspace: Workspace, server: Server
) -> None:
    workspace.write(f"{FOLDER}/shared/names.py", "NAME = 'root'\n")
    workspace.write(f"{FOLDER}/jobs/child.py", "import shared.names as n\ndbutils.notebook.exit(n.NAME)\n")
    workspace.write("workspace/Users/ann/other", "# Databricks notebook source\ndbutils.notebook.exit('other')\n")
    workspace.write(
        f"{FOLDER}/jobs/load.py",
        "print(dbutils.notebook.run('./child', 60), dbutils.notebook.run('/Users/ann/other', 60))\n",
    )

    as_file = run_file(workspace, server, "jobs/load.py")
    task = {"kind": "notebook", "notebook_path": "jobs/load", "parameters": {}}
    as_notebook = workspace.run(task, **from_git(server))

    assert as_file.log == "root other\n"
    assert as_notebook.log == "root other\n"


def test_what_is_to_be_known_of_the_checkout_is_a_warning_of_the_attempt(workspace: Workspace, server: Server) -> None:
    workspace.write(f"{FOLDER}/a.py", "print('ran')\n")
    server.answers = [(200, {**READY[1], "warnings": ["1 file is kept in Git LFS"]})]

    outcome = run_file(workspace, server, "a.py")

    assert [m["message"] for m in outcome.messages if m["kind"] == "warning"] == ["1 file is kept in Git LFS"]
    assert outcome.log.endswith("ran\n")
