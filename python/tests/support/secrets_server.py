"""The part of the server's API that `dbutils.secrets` asks."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

SECRETS = {"text": b"hunter2-hunter2", "bytes": b"\xff\x00\xfe\x01", "short": b"abc", "long": b"L0ng!" * 1_000}


class SecretsHandler(BaseHTTPRequestHandler):
    away = 0

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        status, body = self._answer(url.path.removeprefix("/api/2.0/secrets/"), query)
        encoded = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(encoded)))
        self.end_headers()
        self.wfile.write(encoded)

    def _answer(self, what: str, query: dict[str, str]) -> tuple[int, dict[str, Any]]:
        if self.headers["authorization"] != "Bearer hrt_token":
            return 401, {"error_code": "UNAUTHENTICATED", "message": "no"}
        if SecretsHandler.away > 0:
            SecretsHandler.away -= 1
            return 503, {"error_code": "TEMPORARILY_UNAVAILABLE", "message": "the database is away"}
        if query.get("scope") == "closed":
            return 403, {"error_code": "PERMISSION_DENIED", "message": "ann does not have READ permission"}
        if what == "scopes/list":
            return 200, {"scopes": [{"name": "open", "backend_type": "DATABRICKS"}]}
        if what == "list":
            return 200, {"secrets": [{"key": key, "last_updated_timestamp": 1} for key in SECRETS]}
        if query["key"] not in SECRETS:
            return 404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "Secret does not exist with scope: open"}
        return 200, {"key": query["key"], "value": base64.b64encode(SECRETS[query["key"]]).decode()}

    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def serve_secrets() -> Iterator[dict[str, str]]:
    """The `api` of an attempt."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), SecretsHandler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield {"url": f"http://127.0.0.1:{server.server_port}", "token": "hrt_token"}
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
