"""Alerts: what the result of an alert's query says goes to the server, which decides the alert's state."""

from __future__ import annotations

from urllib.parse import quote

from .. import display, documents
from ..api_client import ApiError, get_json, post_json
from ..failures import TaskFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..context import TaskContext
    from ..documents import FailureCode, SqlTask, TableOutput, TextOutput
    from .run import SqlSource

ALL_ROWS = "*"


def run_alert(
    context: TaskContext, task: SqlTask, run_source: Callable[[TaskContext, SqlTask, SqlSource, AlertLook], None]
) -> str:
    """Gives the alert's new state. A query that fails is its state, too."""
    from .run import SqlSource

    alert_id = task["alert_id"] or ""
    path = f"/api/headrace/alerts/{quote(alert_id, safe='')}/work"
    try:
        work = get_json(context, path)
    except ApiError as error:
        code: FailureCode = "RESOURCE_NOT_FOUND" if error.code == "RESOURCE_DOES_NOT_EXIST" else "CLUSTER_ERROR"
        raise TaskFailure(code, f"alert {alert_id} could not be read: {error}") from None
    source = SqlSource(str(work["display_name"]), str(work["query_text"]))
    source.declared, source.catalog, source.schema = work["parameters"], work["catalog"], work["schema"]
    look = AlertLook(work, path)
    try:
        run_source(context, task, source, look)
    except TaskFailure as failure:
        if failure.code == "RUN_EXECUTION_ERROR" and look.state is None:
            _report(context, path, {"error": failure.message})
        raise
    state = look.state or "UNKNOWN"
    documents.append_message(context.folder, {"kind": "task_value", "name": documents.ALERT_STATE_NAME, "value": state})
    return state


class AlertLook:
    """Reads what the alert compares from the result, while that is shown."""

    def __init__(self, work: dict[str, Any], path: str) -> None:
        self.state: str | None = None
        self._operand: dict[str, Any] = work["operand"]
        self._threshold: dict[str, Any] | None = work["threshold"]
        self._path = path
        self._report: dict[str, Any] | None = None

    def show(self, frame: Any) -> TableOutput | TextOutput:
        """The result as every SQL task shows it. What is aggregated is over all of its rows, of one computation."""
        read = [each for each in (self._operand, self._threshold) if each is not None]
        is_whole = any(each.get("aggregation") for each in read)
        if is_whole:
            frame = frame.persist()
        try:
            table = display.spark_table(frame)
            if table["kind"] == "table":
                values = [_measure(frame, table, each) for each in read]
                self._report = {"is_empty": not table["rows"], "value": values[0]}
                if self._threshold is not None:
                    self._report["threshold"] = values[1]
            return table
        finally:
            if is_whole:
                frame.unpersist()

    def conclude(self, context: TaskContext) -> str:
        """The sentence for the page; the server has the state then."""
        if self._report is None:
            raise TaskFailure("RUN_EXECUTION_ERROR", "the alert's query ends with a statement that gives no rows")
        answer = _report(context, self._path, self._report)
        self.state = str(answer["state"])
        if self.state == "ERROR":
            raise TaskFailure("RUN_EXECUTION_ERROR", str(answer.get("message") or "the alert cannot be evaluated"))
        value = (
            "no rows" if self._report["is_empty"] else f"{describe_operand(self._operand)} is {self._report['value']}"
        )
        sentence = f"{self.state} (was {answer['previous_state']}): {value}"
        print(f"alert: {sentence}", flush=True)
        return f"{sentence}\n"


def describe_operand(operand: dict[str, Any]) -> str:
    aggregation = operand.get("aggregation")
    return f"{aggregation}({operand['name']})" if aggregation else str(operand["name"])


def _measure(frame: Any, table: TableOutput, operand: dict[str, Any]) -> Any:
    """As JSON: of the first row, or of all. Names of columns are as Spark takes them, in any case."""
    name = str(operand["name"])
    aggregation = operand.get("aggregation")
    if aggregation == "COUNT" and name == ALL_ROWS:
        return frame.count()
    names = [column["name"] for column in table["columns"]]
    found = [index for index, each in enumerate(names) if each.casefold() == name.casefold()]
    if not found:
        raise TaskFailure(
            "RUN_EXECUTION_ERROR", f"the alert looks at column {name}, and its query gives {', '.join(names)}"
        )
    if aggregation:
        return _aggregate(frame, found[0], aggregation)
    return _scalar(table["rows"][0][found[0]]) if table["rows"] else None


def _aggregate(frame: Any, index: int, aggregation: str) -> Any:
    from pyspark.sql import functions

    apply = {
        "SUM": functions.sum,
        "COUNT": functions.count,
        "COUNT_DISTINCT": functions.count_distinct,
        "AVG": functions.avg,
        "MEDIAN": functions.median,
        "MIN": functions.min,
        "MAX": functions.max,
        "STDDEV": functions.stddev,
    }[aggregation]
    # Names may stand twice, or hold anything.
    numbered = frame.toDF(*[f"c{number}" for number in range(len(frame.columns))])
    return _scalar(display.to_json(numbered.agg(apply(f"c{index}")).collect()[0][0]))


def _scalar(value: Any) -> Any:
    """Arrays and structs are compared as texts."""
    import json

    return json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else value


def _report(context: TaskContext, path: str, report: dict[str, Any]) -> Any:
    try:
        return post_json(context, path, report)
    except ApiError as error:
        raise TaskFailure("CLUSTER_ERROR", f"the alert's state could not be stored: {error}") from None
