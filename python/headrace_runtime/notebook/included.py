"""Finds notebooks in the workspace, and keeps track of those that `%run` has entered."""

from __future__ import annotations

import os
import posixpath
import shlex
from contextlib import contextmanager

from ..failures import TaskFailure
from .source import parse_notebook, refuse_language

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..context import TaskContext
    from .source import Cell

# Deeper is a mistake, most likely a circle through a changing path.
INCLUDE_DEPTH_MAX = 20
# Notebooks lose their extension in the workspace; plain files keep theirs.
_EXTENSIONS = ("", ".py", ".sql", ".ipynb")


class Notebook:
    def __init__(self, shown_path: str, cells: list[Cell]) -> None:
        self.shown_path = shown_path
        self.cells = cells


class IncludedNotebooks:
    def __init__(self, context: TaskContext) -> None:
        self._paths = context.paths
        self._entered: list[str] = []

    def start_with(self, file: str) -> None:
        """The notebook of the task itself, which a circle may lead back to."""
        self._entered.append(file)

    def find(self, path: str) -> tuple[str, str]:
        """The file of a workspace path, with or without its extension, and the path as people see it."""
        real = find_notebook_file(self._paths.locate_workspace(path))
        if real is None:
            raise TaskFailure("RESOURCE_NOT_FOUND", f"notebook {path} does not exist in the workspace")
        if not os.path.realpath(real).startswith(os.path.realpath(self._paths.workspace) + os.sep):
            raise TaskFailure("RESOURCE_NOT_FOUND", f"notebook {path} is a link that leads out of the workspace")
        return real, as_workspace_path(path)

    def read(self, file: str) -> str:
        with open(file, encoding="utf-8", errors="replace") as opened:
            return opened.read()

    @contextmanager
    def enter(self, line: str, context: TaskContext) -> Iterator[Notebook]:
        """The notebook that a `%run` line names, relative to the one under way."""
        path, arguments = _parse_run_line(line)
        here = context.notebook_path or "/"
        absolute = path if path.startswith("/") else posixpath.normpath(posixpath.join(posixpath.dirname(here), path))
        real, shown_path = self.find(absolute)
        if real in self._entered or len(self._entered) >= INCLUDE_DEPTH_MAX:
            circle = " → ".join([*self._entered, real])
            raise TaskFailure("RUN_EXECUTION_ERROR", self._paths.show(f"%run goes round in a circle: {circle}"))
        outer_parameters = {name: context.parameters.get(name) for name in arguments}
        self._entered.append(real)
        context.notebook_path = shown_path
        context.parameters.update(arguments)
        try:
            yield Notebook(shown_path, parse_notebook(self.read(real), real))
        finally:
            self._entered.pop()
            context.notebook_path = here
            for name, value in outer_parameters.items():
                if value is None:
                    context.parameters.pop(name, None)
                else:
                    context.parameters[name] = value


def refuse_other_language(context: TaskContext, shown_path: str) -> None:
    """The first line of an R notebook is that of a Python notebook, and its file has no extension: the server knows."""
    from ..api_client import ApiError, get_json
    from ..attach import get_attachment

    if get_attachment().credentials is None:
        return  # no host, no server
    try:
        language = get_json(context, "/api/2.0/workspace/get-status", {"path": shown_path}).get("language")
    except ApiError:
        return
    if language in ("R", "SCALA"):
        refuse_language(language.capitalize())


def find_notebook_file(path: str) -> str | None:
    stem, extension = os.path.splitext(path)
    candidates = [path + added for added in _EXTENSIONS]
    if extension in _EXTENSIONS:
        candidates.append(stem)
    return next((candidate for candidate in candidates if os.path.isfile(candidate)), None)


def as_workspace_path(path: str) -> str:
    """As notebooks name each other: `/Users/…`."""
    inside = path.removeprefix("/Workspace")
    return inside if inside.startswith("/") else "/" + inside


def _parse_run_line(line: str) -> tuple[str, dict[str, str]]:
    words = shlex.split(line, comments=True)
    if not words:
        raise TaskFailure("RUN_EXECUTION_ERROR", "%run needs the path of a notebook: %run ./other")
    arguments = {}
    for word in words[1:]:
        name, equals, value = word.partition("=")
        if not equals:
            raise TaskFailure("RUN_EXECUTION_ERROR", f'%run cannot read {word!r}: arguments are written $name="value"')
        arguments[name.lstrip("$")] = value
    return words[0], arguments
