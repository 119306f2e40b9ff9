"""`dbutils.jobs.taskValues`: small JSON values that tasks of one run hand on."""

from __future__ import annotations

import json

from .. import documents
from .help import WithHelp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..context import TaskContext
    from ..documents import JsonValue


class TaskValues(WithHelp):
    """Values of this run's tasks."""

    def __init__(self, context: TaskContext) -> None:
        self._context = context

    def set(self, key: str, value: JsonValue) -> None:
        """Set a value of this task; numbers, texts, lists and objects keep their type."""
        if not isinstance(key, str) or not key:
            raise ValueError(f"the key of a task value is a text that is not empty, not {key!r}")
        encoded = _encode(key, value)
        size_bytes, size_bytes_max = len(encoded), self._context.attempt["limits"]["task_value_bytes_max"]
        if size_bytes > size_bytes_max:
            raise ValueError(
                f"task value {key!r} has {size_bytes} bytes as JSON and the limit is {size_bytes_max}; "
                "write it to a table or file and hand on its name"
            )
        stored = json.loads(encoded)
        documents.append_message(self._context.folder, {"kind": "task_value", "name": key, "value": stored})
        self._context.own_task_values[key] = stored

    def get(self, taskKey: str, key: str, default: JsonValue = None, debugValue: JsonValue = None) -> JsonValue:
        """A value that a task of this run has set; `debugValue` counts only outside a run."""
        attempt = self._context.attempt
        values = attempt["task_values"].get(taskKey)
        if taskKey == attempt["task_key"]:
            values = {**(values or {}), **self._context.own_task_values}
        if values is not None and key in values:
            return values[key]
        if default is not None:
            return default
        known = ", ".join(sorted(values)) if values else "none"
        raise ValueError(
            f"task {taskKey!r} has set no value {key!r} in this run (it has set: {known}); "
            "a task that reads it must depend on it, or give a default"
        )


class Jobs(WithHelp):
    """Task values of the run: `dbutils.jobs.taskValues.set(key, value)`, `.get(taskKey, key, default)`."""

    def __init__(self, context: TaskContext) -> None:
        self.taskValues = TaskValues(context)

    def help(self, name: str | None = None) -> None:
        """Print the methods of taskValues."""
        self.taskValues.help(name)


def _encode(key: str, value: JsonValue) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except (TypeError, ValueError) as error:
        kind = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
        raise ValueError(
            f"task value {key!r} of type {kind} cannot be stored as JSON ({error}); convert it to a number, text, "
            "list or dict first"
        ) from None
