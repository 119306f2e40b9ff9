"""The checkout of a task whose code is in Git: asked of the server, which makes it once for all tasks of the run.

Only such tasks import this: the modules for HTTP cost more than all the rest of a light task.
"""

from __future__ import annotations

import json
import os
import posixpath
import sys
import time

from .failures import TaskFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .context import TaskContext

# The server answers "waiting" before this.
_REQUEST_SECONDS_MAX = 60
# For a server that restarts, or is away for a moment.
_AWAY_SECONDS_MAX = 300
_RETRY_SECONDS = 1.0
_PAUSE_SECONDS = 0.2
# A shared file system may show another machine's files a moment later.
_VISIBLE_SECONDS_MAX = 10
_PATH_FIELDS = {
    "notebook": "notebook_path",
    "spark_python": "python_file",
    "sql": "file_path",
    "dbt": "project_directory",
}


def enter_checkout(context: TaskContext) -> None:
    """Wait for the checkout, let the task's path lead into it, and make its root importable."""
    attempt = context.attempt
    task: Any = attempt["task"]
    answer = _await_checkout(attempt["api"]["url"], attempt["api"]["token"], attempt["run_id"])
    for warning in answer.get("warnings", ()):
        context.warn(str(warning))
    root = str(answer["path"])
    folder = context.paths.locate_workspace(root)
    _await_visible(folder)
    name = _PATH_FIELDS[task["kind"]]
    # A dbt project may be the repository itself.
    task[name] = root if task["kind"] == "dbt" and task[name] in ("", ".") else join_below(root, task[name])
    sys.path.insert(0, folder)


def join_below(root: str, path: str) -> str:
    """A path in the repository; references may have made it one that leads out."""
    inside = posixpath.normpath(path)
    if inside.startswith(("/", "../")) or inside in ("..", "."):
        raise TaskFailure("RESOURCE_NOT_FOUND", f"{path} is no path in the repository of git_source")
    return f"{root}/{inside}"


def _await_checkout(url: str, token: str, run_id: int) -> dict[str, Any]:
    away_since: float | None = None
    while True:
        answer = _ask(f"{url}/api/headrace/runs/{run_id}/git-checkout", token)
        if answer is None:
            away_since = away_since or time.monotonic()
            if time.monotonic() - away_since > _AWAY_SECONDS_MAX:
                raise TaskFailure("CLUSTER_ERROR", "the server could not be asked for the Git checkout of this run")
            time.sleep(_RETRY_SECONDS)
            continue
        away_since = None
        if answer["state"] == "ready":
            return dict(answer)
        if answer["state"] == "failed":
            raise TaskFailure("RESOURCE_NOT_FOUND", str(answer["message"]))
        # The server waits itself, unless it stops.
        time.sleep(_PAUSE_SECONDS)


def _ask(url: str, token: str) -> Any:
    """None while the server is away."""
    import urllib.error
    import urllib.request

    request = urllib.request.Request(url, data=b"{}", method="POST")
    request.add_header("Authorization", f"Bearer {token}")
    request.add_header("Content-Type", "application/json")
    # The server is near; a proxy of the environment is for the world.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=_REQUEST_SECONDS_MAX) as response:
            return json.loads(response.read())
    except urllib.error.HTTPError as error:
        if error.code in (429, 502, 503, 504):
            return None
        raise TaskFailure("RESOURCE_NOT_FOUND", f"no Git checkout for this run: {_message_of(error.read())}") from None
    except (OSError, ValueError):
        return None


def _message_of(body: bytes) -> str:
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return body[:500].decode("utf-8", "replace")


def _await_visible(folder: str) -> None:
    until = time.monotonic() + _VISIBLE_SECONDS_MAX
    while not os.path.isdir(folder):
        if time.monotonic() > until:
            raise TaskFailure(
                "CLUSTER_ERROR", f"the Git checkout {folder} is not on this machine: is the data root shared?"
            )
        time.sleep(0.1)
