"""Binds a statement's parameters through Spark's parameterised SQL: a value never becomes part of the text."""

from __future__ import annotations

import json
import re
from typing import Any

from ..sql_task.statements import read_tokens
from .documents import ElementDocument, ParameterDocument
from .errors import StatementFailure, find_spark_error

COLLECTIONS = {"ARRAY": "array", "MAP": "map"}


def bind(session: Any, jvm: Any, statement: str, parameters: list[ParameterDocument]) -> tuple[str, Any]:
    """Both arguments of the session's `sql`. Never by place: from five on Spark mixes them up (see `name_markers`)."""
    if not parameters:
        return statement, jvm.PythonUtils.toArray([])
    literals = _literals(session, jvm, parameters)
    arguments = jvm.java.util.HashMap()
    for index, (parameter, literal) in enumerate(zip(parameters, literals, strict=True)):
        arguments.put(parameter["name"] or name_of(index), literal)
    return (name_markers(statement) if parameters[0]["name"] is None else statement), arguments


def name_markers(statement: str) -> str:
    """
    Each ? as a name of its own. Spark 4.2 numbers them in the order of a hash set of their places in the text
    (`spark.sql.legacy.parameterSubstitution.constantsOnly`, which Delta 4.4 needs): values would go to others' places.
    """
    pieces: list[str] = []
    count = position = 0
    for start, end in [*((token.start, token.end) for token in read_tokens(statement)), (len(statement),) * 2]:
        for part in re.split(r"(\?)", statement[position:start]):
            if part == "?":
                # A name that stands right after another one would be a path into it.
                pieces.append(f" :{name_of(count)}")
                count += 1
            else:
                pieces.append(part)
        pieces.append(statement[start:end])
        position = end
    return "".join(pieces)


def name_of(index: int) -> str:
    return f"_headrace_{index}"


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
    arguments = jvm.java.util.HashMap()
    for index, value in enumerate(values):
        arguments.put(name_of(index), functions.lit(value))
    frame = session.sql(f"select {casts}", arguments)
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
    """SQL with a marker for each single value, which is added to `values`."""
    value, kind = element["value"], element["type"]
    if isinstance(value, list):
        return f"{COLLECTIONS[kind]}({', '.join(_write(each, values) for each in value)})"
    values.append(value)
    # The types were checked by the server: nothing else can stand in this text.
    return f"cast(:{name_of(len(values) - 1)} as {kind})"


def _name_parameter(parameter: ParameterDocument, error: Exception) -> Exception:
    """Spark's reason without the text of ours that it was found in."""
    thrown = find_spark_error(error)
    if thrown is None:
        return error
    java, condition = thrown
    reason = str(java.getMessage()).partition("\n== SQL")[0]
    name = "a parameter" if parameter["name"] is None else f"parameter '{parameter['name']}'"
    return StatementFailure(f"{name}: {reason}", sql_state=str(java.getSqlState()), error_class=condition)
