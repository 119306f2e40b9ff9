"""`dbutils.notebook`: end this notebook with a value."""

from __future__ import annotations

from ..failures import NotebookExit
from .help import WithHelp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import NoReturn

    from ..context import TaskContext


class Notebook(WithHelp):
    """Ends the notebook with a value."""

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

    def run(self, path: str, timeout_seconds: int = 0, arguments: Mapping[str, str] | None = None) -> NoReturn:
        """Not supported yet: runs another notebook as a child run."""
        raise NotImplementedError(
            f"dbutils.notebook.run({path!r}) is not supported yet: make it a task of the job, "
            f"or include it with %run {path}"
        )

    def getContext(self) -> NotebookContext:
        """What is known about this run."""
        return NotebookContext(self._context)

    def _exit_value_bytes_max(self) -> int:
        return self._context.attempt["limits"]["exit_value_bytes_max"]


class NotebookContext:
    """Facts about the run, under the names that user code asks for."""

    def __init__(self, context: TaskContext) -> None:
        attempt = context.attempt
        self.notebookPath = context.notebook_path
        self.jobId = attempt["job_id"]
        self.runId = attempt["run_id"]
        self.taskKey = attempt["task_key"]
        self.userName = attempt["principal"]
        self.clusterId = attempt["cluster_id"]
        self.apiUrl = attempt["api"]["url"]
