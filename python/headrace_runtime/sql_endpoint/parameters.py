"""Binds a statement's parameters through Spark's parameterised SQL: a value never becomes part of the text."""

from __future__ import annotations

import json
from typing import Any

from .documents import ElementDocument, ParameterDocument
from .errors import StatementFailure, find_spark_error

COLLECTIONS = {"ARRAY": "array", "MAP": "map"}


def bind(session: Any, jvm: Any, parameters: list[ParameterDocument]) -> Any:
    """The second argument of the session's `sql`: a map of columns, or an array of them."""
    literals = _literals(session, jvm, parameters)
    if not parameters or parameters[0]["name"] is None:
        return jvm.PythonUtils.toArray(literals)
    arguments = jvm.java.util.HashMap()
    for parameter, literal in zip(parameters, literals, strict=True):
        arguments.put(parameter["name"], literal)
    return arguments


def _literals(session: Any, jvm: Any, parameters: list[ParameterDocument]) -> list[Any]:
    """Texts as they are; others read by Spark itself, which knows what an INT or a DATE looks like."""
    functions = jvm.org.apache.spark.sql.functions
    typed = [each for each in parameters if each["type"] != "STRING" or each["value"] is None]
    read = iter(_read_values(session, jvm, typed))
    return [
        next(read) if each["type"] != "STRING" or each["value"] is None else functions.lit(each["value"])
        for each in parameters
    ]


def _read_values(session: Any, jvm: Any, parameters: list[ParameterDocument]) -> list[Any]:
    """Each as a literal of its type."""
    if not parameters:
        return []
    try:
        return _fold(session, jvm, parameters)
    except Exception as error:
        if len(parameters) > 1:
            for parameter in parameters:  # to find the one
                _read_values(session, jvm, [parameter])
        raise _name_parameter(parameters[0], error) from None


def _fold(session: Any, jvm: Any, parameters: list[ParameterDocument]) -> list[Any]:
    functions = jvm.org.apache.spark.sql.functions
    values: list[str | None] = []
    casts = ", ".join(f"{_write(_element(each), values)} as p{index}" for index, each in enumerate(parameters))
    literals = [functions.lit(value) for value in values]
    frame = session.sql(f"select {casts}", jvm.PythonUtils.toArray(literals))
    # Folded over there: on its way through Python a SMALLINT would become an INT.
    folding = getattr(getattr(jvm.org.apache.spark.sql.catalyst.optimizer, "ConstantFolding$"), "MODULE$")
    expressions = folding.apply(frame.queryExecution().analyzed()).expressions()
    utilities = jvm.org.apache.spark.sql.classic.ExpressionUtils
    return [utilities.column(expressions.apply(index).child()) for index in range(len(parameters))]


def _element(parameter: ParameterDocument) -> ElementDocument:
    """An array or a map comes as a text that holds its elements."""
    value, kind = parameter["value"], parameter["type"]
    return {"type": kind, "value": json.loads(value or "[]") if kind in COLLECTIONS else value}


def _write(element: ElementDocument, values: list[str | None]) -> str:
    """SQL with a ? for each single value, which is added to `values`."""
    value, kind = element["value"], element["type"]
    if isinstance(value, list):
        return f"{COLLECTIONS[kind]}({', '.join(_write(each, values) for each in value)})"
    values.append(value)
    # The types were checked by the server: nothing else can stand in this text.
    return f"cast(? as {kind})"


def _name_parameter(parameter: ParameterDocument, error: Exception) -> Exception:
    """Spark's reason without the text of ours that it was found in."""
    thrown = find_spark_error(error)
    if thrown is None:
        return error
    java, condition = thrown
    reason = str(java.getMessage()).partition("\n== SQL")[0]
    name = "a parameter" if parameter["name"] is None else f"parameter '{parameter['name']}'"
    return StatementFailure(f"{name}: {reason}", sql_state=str(java.getSqlState()), error_class=condition)
