"""Requests of the endpoint to its server, with its own token, over connections that stay open: one for each thread."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

PATH = "/api/headrace/sql/endpoint/"
# Above what the server waits; one that is frozen must not hold a thread for ever.
REQUEST_SECONDS_MAX = 90
# A server that is started anew is back within seconds. What it does not hear of for so long it will not hear of at all.
AWAY_SECONDS_MAX = 15 * 60
PAUSE_SECONDS = 0.2
PAUSE_SECONDS_MAX = 2.0
# Besides all from 500 on: what is wrong with the server, its store or a proxy passes.
PASSING_STATUSES = (408, 429)
FINAL_STATUSES = (401, 403, 404)


class Refused(Exception):
    """The server does not take this process for an endpoint of its any more, or not this request."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status

    @property
    def is_final(self) -> bool:
        """Whatever else this process says will be refused as well."""
        return self.status in FINAL_STATUSES


class ServerLink:
    def __init__(self, url: str, token: str) -> None:
        self._url = urlsplit(url)
        self._token = token
        self._local = threading.local()

    def post(self, name: str, document: dict[str, Any]) -> Any:
        """The answer; asked again while the server is away. Raises Refused, and OSError when it stays away."""
        body = _encode(document)
        return self._ask(name, lambda: body)

    def post_fresh(self, name: str, make: Callable[[], dict[str, Any]]) -> Any:
        """As ``post``, with a document made for each time that it is sent: its answer may have been lost."""
        return self._ask(name, lambda: _encode(make()))

    def _ask(self, name: str, make_body: Callable[[], bytes]) -> Any:
        deadline = time.monotonic() + AWAY_SECONDS_MAX
        pause = PAUSE_SECONDS
        while True:
            try:
                status, answer = self._send(name, make_body)
            except (OSError, http.client.HTTPException) as error:
                self._forget()
                if time.monotonic() > deadline:
                    raise OSError(f"the server cannot be reached: {error}") from error
            else:
                if status == 200:
                    return json.loads(answer)
                is_passing = status >= 500 or status in PASSING_STATUSES
                if not is_passing or time.monotonic() > deadline:
                    raise Refused(status, _message_of(status, answer))
            time.sleep(pause)
            pause = min(PAUSE_SECONDS_MAX, 1.5 * pause)

    def _send(self, name: str, make_body: Callable[[], bytes]) -> tuple[int, bytes]:
        fresh = getattr(self._local, "connection", None) is None
        try:
            return self._send_once(name, make_body())
        except (http.client.RemoteDisconnected, ConnectionError):
            if fresh:
                raise
            # Closed by the server while nobody used it.
            self._forget()
            return self._send_once(name, make_body())

    def _send_once(self, name: str, body: bytes) -> tuple[int, bytes]:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._connect()
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        connection.request("POST", self._url.path.rstrip("/") + PATH + name, body, headers)
        response = connection.getresponse()
        return response.status, response.read()

    def _connect(self) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._url.scheme == "https" else http.client.HTTPConnection
        return kind(self._url.hostname or "", self._url.port, timeout=REQUEST_SECONDS_MAX)

    def _forget(self) -> None:
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
        self._local.connection = None


def _encode(document: dict[str, Any]) -> bytes:
    return json.dumps(_storable(document), ensure_ascii=False).encode("utf-8", "replace")


def _storable(value: Any) -> Any:
    """The same without U+0000, which the server's store has no place for; a name or a message of Spark's may hold it."""
    if isinstance(value, str):
        return value.replace("\0", "\ufffd") if "\0" in value else value
    if isinstance(value, dict):
        return {name: _storable(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_storable(each) for each in value]
    return value


def _message_of(status: int, answer: bytes) -> str:
    try:
        return str(json.loads(answer)["message"])
    except (ValueError, KeyError, TypeError):
        return f"the server answered with status {status}"
