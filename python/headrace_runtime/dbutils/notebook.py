"""`dbutils.notebook`: end this notebook with a value, run another one."""

from __future__ import annotations

import json

from ..failures import NotebookExit
from .help import WithHelp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import NoReturn

    from ..context import TaskContext

# Of the document that a notebook writes for one that it starts: no field of a task, so not part of the protocol.
PARENT_FIELD = "parent_notebook_path"


class Notebook(WithHelp):
    """Runs other notebooks, and ends this one with a value."""

    def __init__(self, context: TaskContext) -> None:
        self._context = context

    def exit(self, value: object = "") -> NoReturn:
        """End the task successfully; the value is its output."""
        text = "" if value is None else str(value)
        size_bytes, size_bytes_max = len(text.encode("utf-8", "replace")), self._exit_value_bytes_max()
        if size_bytes > size_bytes_max:
            raise ValueError(
                f"the exit value has {size_bytes} bytes and the limit is {size_bytes_max}; "
                "write it to a table or file and exit with its name"
            )
        raise NotebookExit(text)

    def run(self, path: str, timeout_seconds: float = 0, arguments: Mapping[str, object] | None = None) -> str:
        """Run another notebook with a scope of its own, and give the value that it exits with."""
        if not isinstance(path, str) or not path.strip():
            raise ValueError(f"notebook.run: path is a text that is not empty, not {path!r}")
        if isinstance(timeout_seconds, bool) or not isinstance(timeout_seconds, (int, float)) or timeout_seconds < 0:
            raise ValueError(f"notebook.run: timeout_seconds is a number, 0 for none, not {timeout_seconds!r}")
        if arguments is not None and not hasattr(arguments, "items"):
            raise ValueError(f"notebook.run: arguments is a dict, not a {type(arguments).__name__}")
        from ..notebook.child import run_child

        return run_child(self._context, path.strip(), timeout_seconds, arguments or {})

    def getContext(self) -> NotebookContext:
        """What is known about this run."""
        return NotebookContext(self._context)

    @property
    def entry_point(self) -> EntryPoint:
        """`entry_point.getDbutils().notebook().getContext()`, the long way to the same facts."""
        return EntryPoint(self)

    def _exit_value_bytes_max(self) -> int:
        return self._context.attempt["limits"]["exit_value_bytes_max"]


class EntryPoint:
    def __init__(self, notebook: Notebook) -> None:
        self._notebook = notebook

    def getDbutils(self) -> EntryPoint:
        return self

    def notebook(self) -> Notebook:
        return self._notebook


class Fact:
    """A value that may be missing, with the methods of the JVM's options, for so user code asks."""

    def __init__(self, name: str, value: object) -> None:
        self._name = name
        self._value = value

    def isDefined(self) -> bool:
        return self._value is not None

    def get(self) -> str:
        if self._value is None:
            raise ValueError(f"{self._name} is not known in this run")
        return str(self._value)

    def getOrElse(self, default: object) -> object:
        return default if self._value is None else str(self._value)


class NotebookContext:
    """Facts about the run: `.notebookPath().get()`, `.tags().get("jobId").get()`, …"""

    def __init__(self, context: TaskContext) -> None:
        from urllib.parse import urlsplit

        attempt = context.attempt
        self._facts: dict[str, object] = {
            "notebookPath": context.notebook_path,
            "jobId": attempt["job_id"],
            "jobName": attempt["job_name"],
            "runId": attempt["run_id"],
            # A notebook that another one has started is part of the same attempt, and has no run of its own.
            "currentRunId": attempt["run_id"],
            "rootRunId": attempt["run_id"],
            "multitaskParentRunId": attempt["run_id"],
            # As the API has it: the `run_id` of the task within its run.
            "taskRunId": attempt["attempt_id"],
            "attemptNumber": attempt["attempt_number"],
            "parentNotebookPath": dict(attempt).get(PARENT_FIELD),
            "browserHostName": urlsplit(attempt["api"]["url"]).hostname,
            "taskKey": attempt["task_key"],
            "userName": attempt["principal"],
            "user": attempt["principal"],
            "clusterId": attempt["cluster_id"],
            "apiUrl": attempt["api"]["url"],
            "apiToken": attempt["api"]["token"],
        }

    def tags(self) -> Tags:
        return Tags(self._facts)

    def toJson(self) -> str:
        """The facts as JSON, as code reads them that asks for all at once."""
        known = {name: str(value) for name, value in self._facts.items() if value is not None}
        shown = {name: value for name, value in known.items() if name != "apiToken"}
        extra = {"notebook_path": known.get("notebookPath"), "api_url": known["apiUrl"]}
        run_ids = {name: {"id": self._facts[name]} for name in ("currentRunId", "rootRunId")}
        return json.dumps({"tags": shown, "extraContext": extra, **run_ids})

    # The same without secrets; neither has the token here.
    safeToJson = toJson

    def __getattr__(self, name: str) -> Callable[[], Fact]:
        if name not in self._facts:
            raise AttributeError(f"the notebook's context has no {name}; it has: {', '.join(self._facts)}")
        return lambda: Fact(name, self._facts[name])


class Tags:
    def __init__(self, facts: dict[str, object]) -> None:
        self._facts = facts

    def get(self, name: str) -> Fact:
        return Fact(name, self._facts.get(name))

    def apply(self, name: str) -> str:
        return self.get(name).get()
