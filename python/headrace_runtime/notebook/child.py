"""`dbutils.notebook.run`: another notebook in a process of its own, below this task's, with its own scope and result.

It is part of this attempt: it runs on the same cluster, prints into the same log, and ends at the latest when the
attempt ends. So it waits for no worker and no slot, and no two of them can wait for each other.
"""

from __future__ import annotations

import itertools
import json
import os
import posixpath
import select
import signal
import socket
import subprocess
import sys
import threading
import time

from .. import attach, display, documents, known_secrets, parent_link
from ..dbutils.notebook import PARENT_FIELD
from ..failures import TaskFailure, cut
from ..processes import ATTEMPT_MARK, kill_group
from .included import IncludedNotebooks, as_workspace_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..context import TaskContext
    from ..documents import TaskDocument
    from .child_gateway import ChildGateway

FOLDER = "notebooks"
# A notebook that runs itself ends here, and each level is a process of some 100 MB.
DEPTH_MAX = 8
# At the same time, of one notebook; more wait for their turn.
CHILDREN_MAX = 16
# Between being asked to end and being killed.
KILL_SECONDS = 2.0
POLL_SECONDS = 0.1
NOTEBOOK_BYTES_MAX = 64 * 1024 * 1024

_PACKAGE_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_numbers = itertools.count(1)
_places = threading.BoundedSemaphore(CHILDREN_MAX)


class NotebookRunError(Exception):
    """The notebook that was run has failed; the message has its reason, `__cause__` its trace."""


class NotebookTimeoutError(NotebookRunError, TimeoutError):
    """The notebook that was run did not end in time, and was stopped."""


class InNotebook(Exception):
    """Shows the child's trace as the cause of the error here."""

    # So that a trace names it without a module.
    __module__ = "builtins"

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


def run_child(context: TaskContext, path: str, timeout_seconds: float, arguments: Mapping[str, object]) -> str:
    """Run it to its end; gives what it exits with, or an empty text."""
    depth = attach.depth() + 1
    if depth > DEPTH_MAX:
        raise NotebookRunError(
            f"notebook {path} would be the {depth}th below another, and the limit is {DEPTH_MAX}: does it run itself?"
        )
    shown_path = _find(context, path)
    with _places:
        child = _Child(context, shown_path, arguments, depth)
        try:
            is_in_time = child.wait(timeout_seconds)
        finally:
            child.end()
    child.show()
    if not is_in_time:
        raise NotebookTimeoutError(f"notebook {shown_path} did not end within {timeout_seconds:g} s and was stopped")
    return child.take_result()


def _find(context: TaskContext, path: str) -> str:
    here = context.notebook_path or as_workspace_path(_code_path(context.attempt["task"]))
    absolute = path if path.startswith("/") else posixpath.normpath(posixpath.join(posixpath.dirname(here), path))
    try:
        return IncludedNotebooks(context).find(absolute)[1]
    except TaskFailure as failure:
        raise NotebookRunError(f"RESOURCE_NOT_FOUND: {failure.message}") from None


class _Child:
    """The process, and what it asks of this one."""

    def __init__(self, context: TaskContext, path: str, arguments: Mapping[str, object], depth: int) -> None:
        self._context = context
        self._path = path
        self._number, self.folder = _make_folder(context)
        document = _describe_child(context, path, arguments)
        _write(os.path.join(self.folder, documents.ATTEMPT_FILE), json.dumps(document))
        self._gateway: ChildGateway | None = None
        self._begun = time.monotonic()
        self._link, theirs = socket.socketpair()
        with theirs:
            self._process = self._start(theirs, depth)

    def _start(self, link: socket.socket, depth: int) -> subprocess.Popen[bytes]:
        environment = {**os.environ, **known_secrets.pass_on(), "PYTHONPATH": _PACKAGE_ROOT}
        environment.setdefault(ATTEMPT_MARK, self._context.folder)
        environment[parent_link.VARIABLE] = parent_link.describe(link.fileno(), os.getpid(), depth)
        descriptors = [link.fileno()]
        secrets_file = environment.get(known_secrets.LEARNED_VARIABLE)
        if secrets_file is not None:
            descriptors.append(int(secrets_file))
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        try:
            return subprocess.Popen(
                [sys.executable, "-s", "-m", "headrace_runtime.launch", self.folder],
                cwd=os.path.join(self.folder, "work"),
                env=environment,
                stdin=subprocess.DEVNULL,
                pass_fds=descriptors,
                # Its time-out ends all that it has started.
                start_new_session=True,
            )
        finally:
            for descriptor in descriptors[1:]:
                os.close(descriptor)

    def wait(self, timeout_seconds: float) -> bool:
        """Until it has ended, lending it Spark when it asks; whether it ended within the time."""
        deadline = time.monotonic() + timeout_seconds if timeout_seconds else float("inf")
        while self._process.poll() is None:
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            if select.select([self._link], [], [], min(left, POLL_SECONDS))[0]:
                self._answer()
        return True

    def end(self) -> None:
        """Nothing of it goes on, whatever happened."""
        if self._process.poll() is None:
            kill_group(self._process.pid, signal.SIGTERM)
            try:
                self._process.wait(KILL_SECONDS)
            except subprocess.TimeoutExpired:
                pass
        kill_group(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._link.close()
        if self._gateway is not None:
            self._gateway.close()

    def _answer(self) -> None:
        if not self._link.recv(64):
            time.sleep(POLL_SECONDS)  # it is ending
            return
        try:
            if self._gateway is None:
                from .child_gateway import ChildGateway

                self._gateway = ChildGateway(f"notebook-{self._number}")
            answer = self._gateway.describe()
        except TaskFailure as failure:
            answer = {"error": failure.message, "code": failure.code}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}", "code": "DRIVER_ERROR"}
        try:
            self._link.sendall(json.dumps(answer).encode() + b"\n")
        except OSError:
            pass  # it did not wait for the answer

    def show(self) -> None:
        """Put what its cells have shown below the cell that ran it; the log has its text already."""
        if not display.has_sink():
            return
        seconds = time.monotonic() - self._begun
        display.publish({"kind": "text", "text": f"— notebook {self._path}, {seconds:.1f} s —\n"})
        for cell in (_read(os.path.join(self.folder, documents.NOTEBOOK_FILE)) or {}).get("cells", []):
            for output in cell["outputs"]:
                display.publish(output)

    def take_result(self) -> str:
        self._tell_messages()
        result: dict[str, Any] = _read(os.path.join(self.folder, documents.RESULT_FILE)) or {}
        if result.get("state") == "succeeded":
            return str(result.get("exit_value", ""))
        failure = result.get("failure")
        if failure is None:
            raise NotebookRunError(f"notebook {self._path} {self._describe_death()}")
        error = NotebookRunError(cut(f"notebook {self._path} failed: {failure['message']}", 4_000))
        raise error from (InNotebook(failure["trace"]) if failure.get("trace") else None)

    def _describe_death(self) -> str:
        code = self._process.returncode
        if code < 0:
            return f"was ended by signal {-code}" + (": most likely out of memory" if code == -signal.SIGKILL else "")
        return f"ended with status {code}"

    def _tell_messages(self) -> None:
        """Its warnings are the task's; its task values are nobody's, as in hosted workspaces."""
        try:
            with open(os.path.join(self.folder, documents.MESSAGES_FILE), encoding="utf-8") as file:
                messages = [json.loads(line) for line in file]
        except OSError:
            return
        for message in messages:
            if message["kind"] == "warning":
                documents.append_message(self._context.folder, message)
        names = sorted({str(message["name"]) for message in messages if message["kind"] == "task_value"})
        if names:
            self._context.warn(
                f"notebook {self._path} has set task values ({', '.join(names)[:200]}), which no task can see: "
                "hand them back with dbutils.notebook.exit, and set them here"
            )


def _make_folder(context: TaskContext) -> tuple[int, str]:
    """After `restartPython` the numbers begin anew, and the folders of before are there."""
    while True:
        number = next(_numbers)
        folder = os.path.join(context.folder, FOLDER, str(number))
        try:
            os.makedirs(folder)
        except FileExistsError:
            continue
        os.mkdir(os.path.join(folder, "work"))
        return number, folder


def _describe_child(context: TaskContext, path: str, arguments: Mapping[str, object]) -> dict[str, Any]:
    parameters = {str(name): "" if value is None else str(value) for name, value in arguments.items()}
    document: dict[str, Any] = {**context.attempt}
    root = _checkout_root(context)
    if root is not None:
        document["from_git"] = path.startswith(root + "/")
        path = path.removeprefix(root + "/")
    here = context.notebook_path or as_workspace_path(_code_path(context.attempt["task"]))
    if here:
        document[PARENT_FIELD] = here
    document["task"] = {"kind": "notebook", "notebook_path": path, "parameters": parameters}
    return document


def _checkout_root(context: TaskContext) -> str | None:
    """Where the checkout of the task's code is, as notebooks name it; `attempt.json` has the path inside."""
    if not context.attempt.get("from_git"):
        return None
    written, task = documents.read_attempt(context.folder)["task"], context.attempt["task"]
    inside = posixpath.normpath(_code_path(written))
    return as_workspace_path(_code_path(task)).removesuffix("/" + inside)


def _code_path(task: TaskDocument) -> str:
    if task["kind"] == "notebook":
        return task["notebook_path"]
    return task["python_file"] if task["kind"] == "spark_python" else ""


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def _read(path: str) -> Any:
    try:
        with open(path, encoding="utf-8") as file:
            if os.fstat(file.fileno()).st_size > NOTEBOOK_BYTES_MAX:
                return None
            return json.load(file)
    except (OSError, ValueError):
        return None
