"""Results that Spark has, or can tell, without a job: a job would cost more than all the rest of such a statement.

Their columns are texts, all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

TextRow = Sequence["str | None"]


def read_local_rows(frame: Any, column_count: int, jvm: Any) -> list[TextRow] | None:
    """None where it takes a job."""
    plan = frame.queryExecution().optimizedPlan()
    kind = _kind_of(plan)
    if kind == "Project" and _kind_of(plan.child()) == "OneRowRelation":
        # `select 1`: Spark would compile a program for it, and run that as a task.
        return [_evaluate(plan, column_count, jvm)] if _is_plain(plan) else None
    if kind in ("LocalRelation", "CommandResult"):
        return _collect(frame)
    return None


def _kind_of(plan: Any) -> str:
    return str(plan.getClass().getSimpleName())


def _is_plain(plan: Any) -> bool:
    return bool(plan.deterministic()) and bool(plan.subqueriesAll().isEmpty())


def _evaluate(plan: Any, column_count: int, jvm: Any) -> TextRow:
    """As Spark's own optimizer does where a table has its rows in the plan."""
    catalyst = jvm.org.apache.spark.sql.catalyst
    nothing = jvm.PythonUtils.toSeq([])
    projection = catalyst.expressions.InterpretedMutableProjection(plan.projectList(), nothing)
    row = projection.apply(catalyst.InternalRow.empty())
    return [None if row.isNullAt(index) else str(row.getUTF8String(index).toString()) for index in range(column_count)]


def _collect(frame: Any) -> list[TextRow]:
    from pyspark.serializers import BatchedSerializer, CPickleSerializer
    from pyspark.util import _load_from_socket

    pickles = BatchedSerializer(CPickleSerializer())  # type: ignore[no-untyped-call]
    with _load_from_socket(frame.collectToPython(), pickles) as stream:
        return [tuple(row) for row in stream]
