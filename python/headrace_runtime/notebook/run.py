"""Runs a notebook task: cell after cell in one namespace, the document rewritten as it goes.

An exception fails its cell and the later ones are skipped; `dbutils.notebook.exit` ends the notebook well.
"""

from __future__ import annotations

import functools
import os
import sys
import time

from .. import attach, display
from ..failures import NotebookExit, PythonRestart, TaskFailure, describe_error, exit_status, format_trace
from ..own_image import continue_in
from . import magics, packages, restart, sql
from .document import TEXT_SECONDS, CellRecord, NotebookFile
from .included import IncludedNotebooks, refuse_other_language
from .source import parse_notebook

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from ..context import TaskContext
    from .source import Cell


def run_notebook(context: TaskContext, notebook_path: str, module: ModuleType) -> None:
    """Run it to its end; raises what its code raised."""
    included = IncludedNotebooks(context)
    file, shown_path = included.find(notebook_path)
    included.start_with(file)
    cells = parse_notebook(included.read(file), file)
    document = NotebookFile(context.folder, shown_path, cells)
    position = restart.take_up(context, document)
    document.write()
    try:
        NotebookRunner(context, module, document, included).run(cells, file, shown_path, position)
    except PythonRestart:
        own = packages.own_layer(context)
        continue_in(context, own if os.path.isdir(own) else context.environment)
    finally:
        packages.remove(context)


class NotebookRunner:
    def __init__(
        self, context: TaskContext, module: ModuleType, document: NotebookFile, included: IncludedNotebooks
    ) -> None:
        from .shell import CellShell

        self._context = context
        self._document = document
        self._included = included
        self._record: CellRecord | None = None
        # The cell under way, and in cells that include notebooks the ones within; where to go on after a restart.
        self._position: list[int] = []
        self._goal: list[int] = []
        self._shell = CellShell(module, context.folder)
        self._shell.register_magic("run", self._include)
        self._shell.register_magic("pip", lambda line: packages.run_pip(line, context))
        self._shell.register_magic("sql", lambda line, cell="": self._run_sql(line + "\n" + cell), "line_cell")
        self._shell.register_magic("sh", lambda line, cell="": magics.run_shell(line + "\n" + cell), "line_cell")
        self._shell.register_magic("fs", lambda line, cell="": magics.run_fs(line + "\n" + cell), "line_cell")
        self._shell.register_magic("md", lambda line, cell="": None, "line_cell")
        for name in magics.REFUSED:
            self._shell.register_magic(name, functools.partial(_refuse, name), "line_cell")

    def run(self, cells: list[Cell], file: str, shown_path: str, position: list[int]) -> None:
        self._goal = position
        folder = os.path.dirname(file)
        os.chdir(folder)
        sys.path.insert(0, folder)
        self._shell.namespace["__file__"] = file
        self._context.notebook_path = shown_path
        original_streams = sys.stdout, sys.stderr
        sys.stdout = CellStream(sys.stdout, self, is_error=False)
        sys.stderr = CellStream(sys.stderr, self, is_error=True)
        display.set_sink(self._add_output)
        try:
            self._run_each(cells, lambda index, cell: self._run_recorded(index, cell, shown_path))
        except PythonRestart:
            restart.save(self._context, self._document, self._position)
            raise
        except BaseException:
            self._document.skip_waiting()
            raise
        finally:
            self._record = None
            display.set_sink(None)
            sys.stdout, sys.stderr = original_streams
            self._document.close()

    def add_text(self, text: str, *, is_error: bool) -> None:
        if self._record is not None:
            self._record.add_text(text, is_error=is_error)
            self._document.write_soon(TEXT_SECONDS)

    def _add_output(self, output: Any) -> None:
        if self._record is not None:
            self._record.add(output)
            self._document.write_soon(TEXT_SECONDS)

    def _run_each(self, cells: list[Cell], run_one: Callable[[int, Cell], None]) -> None:
        """From the first cell, or from where a restart has left off."""
        depth = len(self._position)
        first = 0
        if self._goal:
            reached, *self._goal = self._goal
            # A cell that includes a notebook is gone through again, to reach the one within.
            first = reached if self._goal else reached + 1
        self._position.append(first)
        try:
            for index in range(first, len(cells)):
                self._position[depth] = index
                run_one(index, cells[index])
        except PythonRestart:
            raise  # with the position as it is
        except BaseException:
            del self._position[depth:]
            raise
        del self._position[depth:]

    def _run_recorded(self, index: int, cell: Cell, shown_path: str) -> None:
        record = self._document.records[index]
        self._record = record
        record.state = "running"
        record.started_at_ms = time.time_ns() // 1_000_000
        self._document.change_cell(index)
        started = time.monotonic()
        try:
            self._run_cell(cell, f"{shown_path}, cell {index + 1}")
            record.state = "succeeded"
        except BaseException as error:
            if _is_good_end(error):
                record.state = "succeeded"
            else:
                record.state = "failed"
                trace = "" if isinstance(error, TaskFailure) else self._context.paths.show(format_trace(error))
                record.add({"kind": "error", "message": describe_error(error), "trace": trace})
            raise
        finally:
            record.elapsed_ms = round((time.monotonic() - started) * 1000)
            self._document.end_cell(index)

    def _run_cell(self, cell: Cell, cell_name: str) -> None:
        if cell.language == "markdown":
            return
        if cell.language == "sql":
            self._run_sql(cell.code)
        elif cell.language == "run":
            self._include(cell.code)
        elif not magics.run_whole_cell(cell.code, self._context):
            error = self._shell.run(cell.code, cell_name)
            if isinstance(error, SyntaxError) and self._context.notebook_path is not None:
                refuse_other_language(self._context, self._context.notebook_path)
            if error is not None:
                raise magics.explain_unknown(error)

    def _run_sql(self, text: str) -> None:
        from ..dbutils import get_dbutils

        for frame in sql.run_statements(attach.get_session(), text, get_dbutils().widgets):
            self._shell.namespace["_sqldf"] = frame
            display.publish(display.to_output(frame))

    def _include(self, line: str) -> None:
        """`%run ./other $name="value"`: the cells of another notebook, here and now."""
        with self._included.enter(line, self._context) as notebook:
            self._run_each(
                notebook.cells,
                lambda index, cell: self._run_cell(cell, f"{notebook.shown_path}, cell {index + 1}"),
            )


class CellStream:
    """Standard output of cells: to the log as ever, and to the cell under way."""

    def __init__(self, stream: Any, runner: NotebookRunner, *, is_error: bool) -> None:
        self._stream = stream
        self._runner = runner
        self._is_error = is_error

    def write(self, text: str) -> int:
        written: int = self._stream.write(text)
        self._runner.add_text(text, is_error=self._is_error)
        return written

    def writelines(self, lines: list[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _refuse(name: str, line: str, cell: str = "") -> None:
    magics.refuse(name)


def _is_good_end(error: BaseException) -> bool:
    return isinstance(error, (NotebookExit, PythonRestart)) or (
        isinstance(error, SystemExit) and exit_status(error) == 0
    )
