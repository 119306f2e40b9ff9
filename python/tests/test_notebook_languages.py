"""Notebooks whose language only the server knows."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from support.attempts import Workspace

LANGUAGES = {"/Users/ann/notebook": "R"}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path = self.path.partition("?path=")[2].replace("%2F", "/")
        body = json.dumps({"path": path, "language": LANGUAGES.get(path, "PYTHON")}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def api() -> Iterator[dict[str, str]]:
    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield {"url": f"http://127.0.0.1:{server.server_port}", "token": "hrt_token"}
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_r_notebook_that_looks_like_python_is_refused_as_what_it_is(
    workspace: Workspace, api: dict[str, str]
) -> None:
    workspace.environment = {"HEADRACE_HOST_SOCKET": "none", "HEADRACE_ATTEMPT": "1", "HEADRACE_ATTACH_KEY": "none"}

    in_r = workspace.run_notebook("if (x > 1) {\n  y <- 2\n}\n", api=api)
    workspace.write("workspace/Users/ann/other", "# Databricks notebook source\nif (x > 1) {\n")
    in_python = workspace.run({"kind": "notebook", "notebook_path": "/Users/ann/other", "parameters": {}}, api=api)

    assert in_r.message == "this notebook is written in R: Headrace runs Python and SQL notebooks"
    assert in_python.message.startswith("SyntaxError: ")
