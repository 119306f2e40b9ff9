"""What dbt did: how each node came out, the sentence of a failure, and the files that people ask for afterwards."""

from __future__ import annotations

import json
import os

from .. import documents, known_secrets
from ..failures import MESSAGE_CHARACTERS_MAX, TaskFailure, cut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..context import TaskContext

RESULTS_FILE = "dbt-results.json"
ARTIFACTS_FILE = "dbt-artifacts.tar.gz"
# A project of 5,000 nodes has a manifest of some 100 MB; compressed a tenth of it.
ARTIFACTS_BYTES_MAX = 256 * 1024 * 1024
NODES_MAX = 5_000
_FAILED = ("error", "fail", "runtime error")
NODES_NAMED_MAX = 3


class Results:
    """Of all commands of a task, in their order."""

    def __init__(self, context: TaskContext) -> None:
        self._context = context
        self._commands: list[dict[str, Any]] = []

    def add(self, command: str, outcome: Any) -> None:
        """`outcome` is what dbt's runner gave."""
        nodes = [_describe_node(result) for result in _nodes_of(outcome)[:NODES_MAX]]
        self._commands.append({"command": command, "success": bool(outcome.success), "results": nodes})
        text = json.dumps({"commands": known_secrets.redact_json(self._commands)}, ensure_ascii=False)
        documents.replace_file(os.path.join(self._context.folder, RESULTS_FILE), text)

    def keep_artifacts(self, project_folder: str) -> None:
        """The project's `target` and `logs`, in one archive beside the log; again after each command."""
        import tarfile

        left = ARTIFACTS_BYTES_MAX
        target = os.path.join(self._context.folder, ARTIFACTS_FILE)
        with tarfile.open(f"{target}.new", "w:gz", compresslevel=3) as archive:
            for path in _list_files(project_folder, ("target", "logs")):
                left -= os.path.getsize(path)
                if left < 0:
                    self._context.warn(
                        f"the artifacts of dbt have more than {ARTIFACTS_BYTES_MAX} bytes: some are left out"
                    )
                    break
                archive.add(path, os.path.relpath(path, project_folder), recursive=False)
        os.replace(f"{target}.new", target)


def describe_failure_of(command: str, outcome: Any) -> TaskFailure:
    """Names what failed, with its message."""
    failed = [result for result in _nodes_of(outcome) if str(result.status) in _FAILED]
    if not failed:
        reason = str(outcome.exception or "it did not succeed, and says no more").strip()
        return TaskFailure("RUN_EXECUTION_ERROR", cut(f"{command}: {reason}", MESSAGE_CHARACTERS_MAX))
    named = [_describe_failed(result) for result in failed[:NODES_NAMED_MAX]]
    more = len(failed) - len(named)
    tail = f"; and {more} more" if more > 0 else ""
    return TaskFailure("RUN_EXECUTION_ERROR", cut(f"{command}: {'; '.join(named)}{tail}", MESSAGE_CHARACTERS_MAX))


def _describe_failed(result: Any) -> str:
    node = result.node
    kind = str(getattr(node, "resource_type", "node"))
    lines = [line.strip() for line in str(result.message or "").splitlines() if line.strip()]
    # dbt begins with a line that only says which model it was.
    reason = " ".join(lines[1:3] if len(lines) > 1 and lines[0].endswith(")") else lines[:2])
    return f"{kind} {node.name} failed: {cut(reason, 600)}"


def _describe_node(result: Any) -> dict[str, Any]:
    described: dict[str, Any] = {"unique_id": str(result.node.unique_id), "status": str(result.status)}
    seconds, message = getattr(result, "execution_time", None), getattr(result, "message", None)
    if seconds is not None:
        described["execution_time"] = round(float(seconds), 3)
    if message:
        described["message"] = cut(str(message), 2_000)
    return described


def _nodes_of(outcome: Any) -> list[Any]:
    """Only some commands report on nodes."""
    results = getattr(outcome.result, "results", None)
    if not isinstance(results, (list, tuple)):
        return []
    return [result for result in results if hasattr(result, "node") and hasattr(result, "status")]


def _list_files(folder: str, names: tuple[str, ...]) -> list[str]:
    """Those that people look for first come first."""
    found = []
    for name in names:
        for parent, _, files in os.walk(os.path.join(folder, name)):
            found += [os.path.join(parent, file) for file in files if file != "partial_parse.msgpack"]
    return sorted(found, key=lambda path: (path.count(os.sep), path))
