"""Requests of the runtime to the server that the task belongs to, with the task's own token."""

from __future__ import annotations

import json
import time
from urllib.parse import urlencode, urlsplit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from .context import TaskContext

REQUEST_SECONDS_MAX = 30
# Tasks outlive their server: one that is started anew is back within seconds.
RETRY_SECONDS_MAX = 60
RETRY_PAUSE_SECONDS = 0.5
ANSWER_BYTES_MAX = 64 * 1024 * 1024
# The server says "not now".
PASSING_STATUSES = (429, 503)


class ApiError(Exception):
    """What the server refused, in its words."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def get_json(context: TaskContext, path: str, query: Mapping[str, str] | None = None) -> Any:
    """The answer to a GET."""
    return _ask(context, "GET", f"{path}?{urlencode(query)}" if query else path, None)


def post_json(context: TaskContext, path: str, body: Mapping[str, Any]) -> Any:
    """The answer to a POST that may be sent again when its answer got lost."""
    return _ask(context, "POST", path, json.dumps(body, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace"))


def _ask(context: TaskContext, method: str, target: str, body: bytes | None) -> Any:
    deadline = time.monotonic() + RETRY_SECONDS_MAX
    while True:
        try:
            status, answer = _send(context, method, target, body)
        except OSError as error:
            if time.monotonic() > deadline:
                url = context.attempt["api"]["url"]
                raise ApiError("TEMPORARILY_UNAVAILABLE", f"the server {url} cannot be reached: {error}") from error
        else:
            if status == 200:
                return json.loads(answer)
            if status not in PASSING_STATUSES or time.monotonic() > deadline:
                raise _refusal(status, answer)
        time.sleep(RETRY_PAUSE_SECONDS)


def _send(context: TaskContext, method: str, target: str, body: bytes | None) -> tuple[int, bytes]:
    import http.client

    api = context.attempt["api"]
    url = urlsplit(api["url"])
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = kind(url.hostname or "", url.port, timeout=REQUEST_SECONDS_MAX)
    try:
        headers = {"Authorization": f"Bearer {api['token']}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        connection.request(method, url.path.rstrip("/") + target, body, headers)
        response = connection.getresponse()
        return response.status, response.read(ANSWER_BYTES_MAX)
    except http.client.HTTPException as error:
        raise ConnectionError(f"{type(error).__name__}: {error}") from error
    finally:
        connection.close()


def _refusal(status: int, body: bytes) -> ApiError:
    try:
        document = json.loads(body)
        return ApiError(str(document["error_code"]), str(document["message"]))
    except (ValueError, KeyError, TypeError):
        return ApiError("INTERNAL_ERROR", f"the server answered with status {status}")
