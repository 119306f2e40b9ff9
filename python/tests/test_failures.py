"""What a person reads when a task failed."""

from __future__ import annotations

from headrace_runtime.failures import describe_error


def a_spark_error(text: str) -> Exception:
    """As pyspark raises them: only the name of the module tells."""
    return type("AnalysisException", (Exception,), {"__module__": "pyspark.errors.exceptions.captured"})(text)


def test_a_missing_schema_comes_with_the_statement_that_makes_it() -> None:
    error = a_spark_error("[SCHEMA_NOT_FOUND] The schema `dev`.`nope` cannot be found. Verify the spelling.\nJVM stack")

    assert describe_error(error) == (
        "AnalysisException: [SCHEMA_NOT_FOUND] The schema `dev`.`nope` cannot be found. Verify the spelling."
        " To make it: CREATE SCHEMA dev.nope"
    )


def test_other_spark_errors_are_their_first_line() -> None:
    assert describe_error(a_spark_error("[X] no.\nplan")) == "AnalysisException: [X] no."
