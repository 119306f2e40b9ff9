"""`dbutils.jobs.taskValues`: small JSON values that tasks of one run hand on."""

from __future__ import annotations

import json

from .. import documents, known_secrets
from .help import WithHelp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..context import TaskContext
    from ..documents import JsonValue


# Longer than any name a person reads; job parameters have the same limit.
KEY_CHARS_MAX = 255
# What hosted workspaces accept; `task_value_bytes_max` of the attempt is what is accepted here.
HOSTED_VALUE_BYTES_MAX = 48 * 1024
# Beyond it a number loses digits on its way: the server's numbers are doubles.
EXACT_INT_MAX = 2**53 - 1


class TaskValues(WithHelp):
    """Values of this run's tasks."""

    def __init__(self, context: TaskContext) -> None:
        self._context = context
        self._warned: set[str] = set()

    def set(self, key: str, value: JsonValue) -> None:
        """Set a value of this task; numbers, texts, lists and objects keep their type.

        A float without a fraction reaches other tasks as an int: numbers of JSON are of one kind.
        """
        _check_key(key)
        encoded = _encode(key, value)
        size_bytes, size_bytes_max = len(encoded), self._context.attempt["limits"]["task_value_bytes_max"]
        if size_bytes > size_bytes_max:
            raise ValueError(
                f"task value {key!r} has {size_bytes} bytes as JSON and the limit is {size_bytes_max}; "
                "write it to a table or file and hand on its name"
            )
        stored = _decode(key, encoded)
        _refuse_secret(key, encoded.decode("utf-8", "replace"))
        if size_bytes > HOSTED_VALUE_BYTES_MAX:
            self._warn_of_size(key, size_bytes)
        documents.append_message(self._context.folder, {"kind": "task_value", "name": key, "value": stored})
        self._context.own_task_values[key] = stored

    def get(self, taskKey: str, key: str, default: JsonValue = None, debugValue: JsonValue = None) -> JsonValue:
        """A value that a task of this run has set; `debugValue` counts only outside a run.

        Of a for-each task it is the list of what its iterations have set, in the order of the inputs, None where
        one has set nothing.
        """
        for name, text in (("taskKey", taskKey), ("key", key)):
            if not isinstance(text, str) or not text:
                raise ValueError(f"taskValues.get: {name} is a text that is not empty, not {text!r}")
        attempt = self._context.attempt
        values = attempt["task_values"].get(taskKey)
        if taskKey == attempt["task_key"]:
            values = {**(values or {}), **self._context.own_task_values}
        if values is not None and key in values:
            return values[key]
        if default is not None:
            return default
        raise ValueError(self._describe_absence(taskKey, key, values))

    def _describe_absence(self, task_key: str, key: str, values: dict[str, JsonValue] | None) -> str:
        if values:
            return f"task {task_key!r} has set no value {key!r} in this run; it has set: {', '.join(sorted(values))}"
        if task_key == self._context.attempt["task_key"]:
            return f"task {task_key!r}, which is this one, has set no value yet, so none of key {key!r}"
        others = ", ".join(
            sorted(name for name, set_values in self._context.attempt["task_values"].items() if set_values)
        )
        return (
            f"no task {task_key!r} has set a value in this run, so there is none of key {key!r}; tasks that have set "
            f"values: {others or 'none'}. Check the task's key, and that this task depends on it, or give a default"
        )

    def _warn_of_size(self, key: str, size_bytes: int) -> None:
        if key in self._warned:
            return
        self._warned.add(key)
        self._context.warn(
            f"task value {key!r} has {size_bytes} bytes as JSON; hosted workspaces refuse more than "
            f"{HOSTED_VALUE_BYTES_MAX}"
        )


class Jobs(WithHelp):
    """Task values of the run: `dbutils.jobs.taskValues.set(key, value)`, `.get(taskKey, key, default)`."""

    def __init__(self, context: TaskContext) -> None:
        self.taskValues = TaskValues(context)

    def help(self, name: str | None = None) -> None:
        """Print the methods of taskValues."""
        self.taskValues.help(name)


def _check_key(key: object) -> None:
    if not isinstance(key, str) or not key:
        raise ValueError(f"the key of a task value is a text that is not empty, not {key!r}")
    if key.startswith(documents.RESERVED_PREFIX):
        raise ValueError(f"the key of a task value may not begin with {documents.RESERVED_PREFIX!r}: {key[:40]!r}")
    if len(key) > KEY_CHARS_MAX:
        raise ValueError(
            f"the key of a task value may have {KEY_CHARS_MAX} characters, and {key[:40]!r}… has {len(key)}"
        )


def _refuse_secret(key: str, text: str) -> None:
    """Hidden, it would be useless to the task that reads it; as it is, everybody who sees the run would see it."""
    if known_secrets.redact_text(text) != text:
        raise ValueError(
            f"task value {key!r} holds a secret that this task knows, and task values are kept and shown as they are: "
            "hand on the secret's scope and key, and read it where it is needed"
        )


def _encode(key: str, value: JsonValue) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except (TypeError, ValueError, RecursionError) as error:
        kind = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
        raise ValueError(
            f"task value {key!r} of type {kind} cannot be stored as JSON ({error}); convert it to a number, text, "
            "list or dict first"
        ) from None


def _decode(key: str, encoded: bytes) -> JsonValue:
    """The value as JSON has it: keys of dicts are texts, tuples are lists."""

    def parse_int(digits: str) -> int:
        number = int(digits)
        if abs(number) > EXACT_INT_MAX:
            raise ValueError(
                f"task value {key!r} holds the whole number {digits}, and digits beyond 2**53 are lost on the way; "
                "hand it on as text: str(value)"
            )
        return number

    return json.loads(encoded, parse_int=parse_int)
