"""What one task process knows about the attempt it runs. A process runs one task, so there is one context."""

from __future__ import annotations

import os
import sys

from . import documents, known_secrets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .documents import AttemptDocument, JsonValue
    from .paths import PathMap


class TaskContext:
    def __init__(self, folder: str, attempt: AttemptDocument, paths: PathMap) -> None:
        self.folder = folder
        self.attempt = attempt
        self.paths = paths
        # What `dbutils.widgets` answers with; `%run` with arguments adds to it.
        self.parameters = _widget_parameters(attempt)
        # Set by this task itself, so that it can read its own values back.
        self.own_task_values: dict[str, JsonValue] = {}
        # The workspace path of the notebook under way; `%run` changes it for a while.
        self.notebook_path: str | None = None
        # The folder of the environment that the task's libraries are in.
        self.environment: str | None = None
        # Files that the driver, and the executors, load classes from.
        self.jars: list[str] = []
        self._first_path = frozenset(sys.path)
        self._python_path: frozenset[str] = frozenset()

    def worker_path(self) -> list[str]:
        """Folders that Python workers of Spark must import from: all that were added since the task began."""
        translate = self.paths.locate_hosted
        known = self._first_path | self._python_path
        return [translate(entry) for entry in sys.path if entry and entry not in known]

    def use_python(self, python: str, folders: list[str]) -> None:
        """Have Spark start its Python workers with an interpreter that sees these folders by itself."""
        self._python_path |= frozenset(folders)
        for name in ("PYSPARK_PYTHON", "PYSPARK_DRIVER_PYTHON"):
            os.environ[name] = python
        from . import attach

        attach.use_worker_python(python)

    def warn(self, message: str) -> None:
        """Tell the person who reads the log, and the run page."""
        print(f"Warning: {message}", file=sys.stderr, flush=True)
        try:
            documents.append_message(self.folder, {"kind": "warning", "message": known_secrets.redact_text(message)})
        except ValueError:
            pass  # the file is full of task values; the warning stands in the log


_current: TaskContext | None = None


def set_context(context: TaskContext) -> None:
    global _current
    _current = context


def get_context() -> TaskContext:
    """The running task; outside a run there is none, and the error says what that means."""
    if _current is None:
        raise RuntimeError(
            "dbutils, spark and display belong to a task that Headrace runs; this process is not one. "
            "Start the code as a job, or pass the objects in."
        )
    return _current


def _widget_parameters(attempt: AttemptDocument) -> dict[str, str]:
    task = attempt["task"]
    if task["kind"] == "notebook":
        return dict(task["parameters"])
    if task["kind"] == "python_wheel":
        return dict(task["named_parameters"])
    return {}
