"""Runs a SQL task: statement after statement; what each gave is shown as a notebook's cells are.

The rows of the last result are the task's output, which references of later tasks read.
"""

from __future__ import annotations

import functools
import os
import re
import time

from .. import attach, display, documents, known_secrets
from ..failures import TRACE_CHARACTERS_MAX, TaskFailure, cut, describe_error
from ..notebook.document import NotebookFile
from ..notebook.source import Cell
from .bind import insert_texts, used_values
from .parameters import read_parameters
from .statements import Statement, split_statements

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..context import TaskContext
    from ..documents import FailureCode, SqlTask, TableOutput
    from .alert import AlertLook

# As much as a for-each can go through is more than a reference should carry: rows are for small results.
OUTPUT_ROWS_MAX = 1_000
SQL_BYTES_MAX = 16 * 1024 * 1024
# Columns count from 0 in the one and from 1 in the other.
_PLACE = re.compile(r"\bline (?P<line>\d+),? pos(?: (?P<from0>\d+)|ition (?P<from1>\d+))")
_SPARKS_PLACE = re.compile(r"\s*(?:; line \d+ pos \d+;?|\(line \d+, pos \d+\))\s*$")


class SqlSource:
    """What is to be run, and where its bare names lead."""

    def __init__(self, shown_path: str, text: str) -> None:
        self.shown_path = shown_path
        self.text = text
        self.declared: list[dict[str, Any]] = []
        self.catalog: str | None = None
        self.schema: str | None = None


def run_sql_task(context: TaskContext, task: SqlTask) -> str | None:
    """Returns when all statements have ended well: the state of an alert, nothing of other tasks."""
    if task.get("alert_id") is not None:
        from .alert import run_alert

        return run_alert(context, task, run_source)
    source = _read_file(context, task["file_path"]) if task["file_path"] is not None else _read_query(context, task)
    run_source(context, task, source)
    return None


def run_source(context: TaskContext, task: SqlTask, source: SqlSource, look: AlertLook | None = None) -> None:
    """`look` sees the result of the last statement, and adds what it found to what is shown of it."""
    parameters = read_parameters(task["parameters"], source.declared)
    session = attach.get_session()
    statements = _split(source, session)
    texts = [insert_texts(statement.text, parameters) for statement in statements]
    document = NotebookFile(context.folder, source.shown_path, [Cell("sql", text, text) for text in texts])
    document.write()
    last: TableOutput | None = None
    try:
        _enter(session, source)
        for index, text in enumerate(texts):
            place = _Place(statements[index], index + 1, len(texts))
            values = used_values(text, parameters)
            show = display.spark_table if look is None or index + 1 < len(texts) else look.show
            run = functools.partial(_run, session, text, values, show)
            last = _run_recorded(context, document, index, run, place) or last
        if look is not None:
            document.records[-1].add({"kind": "text", "text": look.conclude(context)})
            document.change_cell(len(texts) - 1)
    finally:
        document.skip_waiting()
        document.close()
    _hand_on(context, last)


class _Place:
    """A statement among those of its file, for messages."""

    def __init__(self, statement: Statement, number: int, count: int) -> None:
        self._statement = statement
        self._number = number
        self._count = count

    def describe(self, error_text: str) -> str:
        """`statement 2 of 3, line 14`: of the error, if Spark says it, or else where the statement begins."""
        found = _PLACE.search(error_text)
        line = self._statement.first_word_line
        column = ""
        if found is not None:
            line = self._statement.line + int(found["line"]) - 1
            column = f", column {int(found['from1'] or int(found['from0']) + 1)}"
        which = f"statement {self._number} of {self._count}, " if self._count > 1 else ""
        return f"{which}line {line}{column}"

    def report(self, output: Any, seconds: float) -> None:
        """For the log."""
        shown = ""
        if output is not None and output["kind"] == "table":
            shown = f"{len(output['rows'])}{' or more' if output['truncated'] else ''} rows, "
        print(f"{self.describe('')}: {shown}{seconds:.1f} s", flush=True)


def _read_file(context: TaskContext, name: str) -> SqlSource:
    """With or without `.sql`: the workspace takes a SQL notebook's extension away."""
    real = context.paths.locate_code(name)
    candidates = (
        [] if real is None else [real, real.removesuffix(".sql"), context.paths.locate_workspace(name) + ".sql"]
    )
    for candidate in candidates:
        if os.path.isfile(candidate):
            if os.path.getsize(candidate) > SQL_BYTES_MAX:
                raise TaskFailure("RUN_EXECUTION_ERROR", f"SQL file {name} has more than {SQL_BYTES_MAX} bytes")
            with open(candidate, encoding="utf-8", errors="replace") as file:
                return SqlSource(context.paths.show(candidate), file.read())
    raise TaskFailure("RESOURCE_NOT_FOUND", f"SQL file {name} does not exist")


def _read_query(context: TaskContext, task: SqlTask) -> SqlSource:
    from urllib.parse import quote

    from ..api_client import ApiError, get_json

    query_id = task["query_id"] or ""
    try:
        query = get_json(context, f"/api/2.0/sql/queries/{quote(query_id, safe='')}")
    except ApiError as error:
        code: FailureCode = "RESOURCE_NOT_FOUND" if error.code == "RESOURCE_DOES_NOT_EXIST" else "CLUSTER_ERROR"
        raise TaskFailure(code, f"saved query {query_id} could not be read: {error}") from None
    if query.get("lifecycle_state") == "TRASHED":
        raise TaskFailure("RESOURCE_NOT_FOUND", f"saved query {query_id} ({query.get('display_name')}) is in the trash")
    source = SqlSource(str(query.get("display_name") or query_id), str(query.get("query_text") or ""))
    source.declared = query.get("parameters") or []
    source.catalog, source.schema = query.get("catalog"), query.get("schema")
    return source


def _split(source: SqlSource, session: Any) -> list[Statement]:
    parser = session._jsparkSession.sessionState().sqlParser()

    def is_whole(text: str) -> bool:
        from py4j.protocol import Py4JJavaError

        try:
            parser.parsePlan(text)
        except Py4JJavaError:
            return False
        except Exception as error:
            # pyspark turns what the parser says into an exception of its own.
            return type(error).__name__ != "ParseException"
        return True

    try:
        statements = split_statements(source.text, is_whole)
    except ValueError as error:
        raise TaskFailure("RUN_EXECUTION_ERROR", f"{source.shown_path}: {error}") from None
    if not statements:
        raise TaskFailure("RUN_EXECUTION_ERROR", f"{source.shown_path} has no statement")
    return statements


def _enter(session: Any, source: SqlSource) -> None:
    if source.catalog:
        session.catalog.setCurrentCatalog(source.catalog)
    if source.schema:
        session.sql(f"USE SCHEMA `{source.schema.replace('`', '``')}`")


def _run_recorded(
    context: TaskContext, document: NotebookFile, index: int, run: Callable[[], Any], place: _Place
) -> TableOutput | None:
    record = document.records[index]
    record.state = "running"
    record.started_at_ms = time.time_ns() // 1_000_000
    document.change_cell(index)
    started = time.monotonic()
    table: TableOutput | None = None
    try:
        output = run()
        if output is not None:
            record.add(output)
            table = output if output["kind"] == "table" else None
        place.report(output, time.monotonic() - started)
        record.state = "succeeded"
        return table
    except Exception as error:
        record.state = "failed"
        if attach.is_driver_death(error):
            record.add({"kind": "error", "message": describe_error(error), "trace": ""})
            raise
        failure = _describe(context, error, place)
        record.add({"kind": "error", "message": failure.message, "trace": failure.trace or ""})
        raise failure from None
    finally:
        record.elapsed_ms = round((time.monotonic() - started) * 1000)
        document.end_cell(index)


def _run(session: Any, text: str, values: dict[str, Any], show: Callable[[Any], Any]) -> Any:
    """What the statement shows; None where it has no columns. It is computed here, once."""
    args = {name: _bindable(value) for name, value in values.items()}
    frame = session.sql(text, args=args or None)
    return show(frame) if frame.columns else None


def _bindable(value: Any) -> Any:
    """Spark binds literals, and what makes arrays and structs of them."""
    if isinstance(value, list):
        from pyspark.sql import functions

        return functions.array(*[functions.lit(each) for each in value])
    if isinstance(value, dict):
        from pyspark.sql import functions

        parts = [part for name, each in value.items() for part in (functions.lit(name), functions.lit(each))]
        return functions.named_struct(*parts)
    return value


def _describe(context: TaskContext, error: Exception, place: _Place) -> TaskFailure:
    if isinstance(error, TaskFailure):
        return error
    try:
        whole = str(error)
    except Exception:
        whole = ""
    get_state = getattr(error, "getSqlState", None)
    state = get_state() if callable(get_state) else None
    # Of another language than the statement's: the name of pyspark's class, and the place within this statement alone.
    sentence = _SPARKS_PLACE.sub("", describe_error(error).removeprefix(f"{type(error).__name__}: "))
    if state and f"SQLSTATE: {state}" not in sentence:
        sentence = f"{sentence} SQLSTATE: {state}"
    message = context.paths.show(f"{place.describe(whole)}: {sentence}")
    # What Spark says in full: hints, the statement with the place marked, its plan.
    trace = cut(context.paths.show(known_secrets.redact_text(whole.strip())), TRACE_CHARACTERS_MAX)
    return TaskFailure("RUN_EXECUTION_ERROR", message, trace or None)


def _hand_on(context: TaskContext, table: TableOutput | None) -> None:
    """By the names of the columns; of two columns with one name the first."""
    rows: list[dict[str, Any]] = []
    is_cut = False
    size_bytes_max = context.attempt["limits"]["task_value_bytes_max"]
    if table is not None:
        names = [column["name"] for column in table["columns"]]
        size_bytes = 2
        for cells in table["rows"]:
            row = dict(reversed(list(zip(names, cells, strict=True))))
            row = {name: row[name] for name in dict.fromkeys(names)}
            size_bytes += _size(row)
            if len(rows) == OUTPUT_ROWS_MAX or size_bytes > size_bytes_max:
                is_cut = True
                break
            rows.append(row)
        is_cut = is_cut or table["truncated"]
    if is_cut:
        context.warn(
            f"references to this task's output see its first {len(rows)} rows: "
            f"at most {OUTPUT_ROWS_MAX} rows and {size_bytes_max} bytes are handed on"
        )
    message = {"kind": "task_value", "name": documents.OUTPUT_ROWS_NAME, "value": known_secrets.redact_json(rows)}
    documents.append_message(context.folder, message)


def _size(row: dict[str, Any]) -> int:
    import json

    return len(json.dumps(row, ensure_ascii=False).encode()) + 1
