"""How a text of SQL is taken apart, and what is put into its statements; all without Spark."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from headrace_runtime.failures import TaskFailure
from headrace_runtime.sql_endpoint.parameters import name_markers
from headrace_runtime.sql_task.bind import insert_texts, used_values
from headrace_runtime.sql_task.parameters import read_parameters
from headrace_runtime.sql_task.statements import split_statements

NOW = datetime(2026, 3, 4, 10, 30)  # a Wednesday


def texts(text: str, whole: tuple[str, ...] = ()) -> list[str]:
    return [statement.text for statement in split_statements(text, lambda candidate: candidate in whole)]


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        ("select 1; select 2", ["select 1", "select 2"]),
        ("select ';' ; select \";\" as `a;b`;", ["select ';'", 'select ";" as `a;b`']),
        (r"select 'it\'s;' ; select 'it''s;'", [r"select 'it\'s;'", "select 'it''s;'"]),
        (r"select r'\' ; select 2", [r"select r'\'", "select 2"]),
        ("select 1 -- a; comment\n + 2", ["select 1 -- a; comment\n + 2"]),
        ("select 1 -- goes on \\\n; still\n; select 2", ["select 1 -- goes on \\\n; still", "select 2"]),
        ("/* a /* nested; */ one; */ select 1;", ["/* a /* nested; */ one; */ select 1"]),
        ("select 1 /* never closed; ", ["select 1 /* never closed;"]),
        ("create view v as $$ a: ';' $$; select 1", ["create view v as $$ a: ';' $$", "select 1"]),
        (";; -- nothing\n; /* nothing */ ;", []),
        ("\ufeffselect 1\r\n;\r\nselect 2", ["select 1", "select 2"]),
        ("begin transaction; select 1", ["begin transaction", "select 1"]),
        (
            "select 'never closed; ",
            [
                "select 'never closed",
            ],
        ),
    ],
)
def test_statements_end_at_semicolons_that_are_code(text: str, statements: list[str]) -> None:
    assert texts(text) == statements


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("select ?, ? + ?", "select  :_headrace_0,  :_headrace_1 +  :_headrace_2"),
        ("select '?', \"?\", `?`, ? -- why?\n/* ? */ limit?", None),
        ("select 1", "select 1"),
    ],
)
def test_markers_without_names_get_some(text: str, named: str | None) -> None:
    written = named or "select '?', \"?\", `?`,  :_headrace_0 -- why?\n/* ? */ limit :_headrace_1"
    assert name_markers(text) == written


def test_a_script_ends_where_the_parser_says_so() -> None:
    inner = "BEGIN\n SELECT 1;\n IF true THEN SELECT CASE WHEN 1 THEN 2 END; END IF;\nEND"

    assert texts(f"{inner}; select 2", whole=(inner,)) == [inner, "select 2"]
    assert texts(f"-- why; \n done: {inner} done -- end\n; select 2", whole=(f"-- why; \n done: {inner} done",)) == [
        f"-- why; \n done: {inner} done -- end",
        "select 2",
    ]
    assert texts("BEGIN SELECT 1; select 2") == ["BEGIN SELECT 1; select 2"]


def test_each_statement_knows_where_it_begins() -> None:
    found = split_statements("-- first\nselect 1;\n\n  -- second\n\nselect\n2", lambda _: False)

    assert [(each.line, each.first_word_line) for each in found] == [(1, 2), (4, 6)]


def test_texts_are_put_in_everywhere_but_in_comments() -> None:
    parameters = read_parameters({"day": "2026-03-01", "t": "a.b"}, [])

    assert (
        insert_texts("select '{{day}}' from {{ t }} -- {{no}}\n", parameters)
        == "select '2026-03-01' from a.b -- {{no}}\n"
    )
    with pytest.raises(TaskFailure, match=r"\{\{dya\}\} has no value: the task's parameters are day, t"):
        insert_texts("select '{{dya}}'", parameters)


def test_a_text_cannot_bring_another_reference_or_statement() -> None:
    parameters = read_parameters({"a": "{{b}}; drop table x", "b": "no"}, [])

    assert insert_texts("select {{a}}", parameters) == "select {{b}}; drop table x"


def test_only_markers_in_code_are_bound() -> None:
    parameters = read_parameters({"a": "1", "b": "2", "c": "3"}, [])

    assert used_values("select :a, ':b', x::int, IDENTIFIER(:c || '.t') -- :b", parameters) == {"a": "1", "c": "3"}


@pytest.mark.parametrize(
    ("declared", "given", "value", "text"),
    [
        ({"text_value": {"value": "x"}}, None, "x", "x"),
        ({"text_value": {"value": "x"}}, "y", "y", "y"),
        ({"numeric_value": {"value": 3.0}}, None, 3, "3"),
        ({"numeric_value": {"value": 3.5}}, None, 3.5, "3.5"),
        ({"numeric_value": {"value": 3}}, " 12 ", 12, "12"),
        ({"numeric_value": {"value": 3}}, "1234567890123456789", 1234567890123456789, "1234567890123456789"),
        (
            {"numeric_value": {"value": 3}},
            "-12345678901234567891",
            Decimal("-12345678901234567891"),
            "-12345678901234567891",
        ),
        ({"date_value": {"date_value": "2026-01-02"}}, None, date(2026, 1, 2), "2026-01-02"),
        ({"date_value": {"dynamic_date_value": "YESTERDAY"}}, None, date(2026, 3, 3), "2026-03-03"),
        (
            {"date_value": {"date_value": "2026-01-02", "precision": "MINUTE_PRECISION"}},
            "2026-01-02 03:04",
            datetime(2026, 1, 2, 3, 4),
            "2026-01-02 03:04",
        ),
        ({"enum_value": {"values": ["a"], "enum_options": "a\nb"}}, None, "a", "a"),
        (
            {"enum_value": {"values": ["a", "b"], "multi_values_options": {"prefix": "'", "suffix": "'"}}},
            None,
            ["a", "b"],
            "'a','b'",
        ),
        (
            {"enum_value": {"values": ["a"], "multi_values_options": {"separator": "|"}}},
            '["c", "d"]',
            ["c", "d"],
            "c|d",
        ),
    ],
)
def test_parameters_of_a_saved_query_have_its_types(
    declared: dict[str, Any], given: str | None, value: object, text: str
) -> None:
    parameter = read_parameters({} if given is None else {"p": given}, [{"name": "p", **declared}], NOW)["p"]

    assert (parameter.value, parameter.text_of("")) == (value, text)
    assert type(parameter.value) is type(value)


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [
        ("TODAY", "2026-03-04 00:00:00", "2026-03-04 23:59:59"),
        ("LAST_7_DAYS", "2026-02-25 00:00:00", "2026-03-03 23:59:59"),
        ("THIS_WEEK", "2026-03-02 00:00:00", "2026-03-08 23:59:59"),
        ("LAST_MONTH", "2026-02-01 00:00:00", "2026-02-28 23:59:59"),
        ("LAST_YEAR", "2025-01-01 00:00:00", "2025-12-31 23:59:59"),
        ("LAST_12_MONTHS", "2025-03-01 00:00:00", "2026-02-28 23:59:59"),
        ("LAST_8_HOURS", "2026-03-04 02:30:00", "2026-03-04 10:30:00"),
    ],
)
def test_ranges_follow_the_clock(name: str, start: str, end: str) -> None:
    document = {"dynamic_date_range_value": name, "precision": "SECOND_PRECISION"}
    parameters = read_parameters({}, [{"name": "r", "date_range_value": document}], NOW)

    assert insert_texts("{{r.start}}/{{ r.end }}", parameters) == f"{start}/{end}"
    assert parameters["r"].value["min"] == datetime.fromisoformat(start)


@pytest.mark.parametrize(
    ("declared", "given", "message"),
    [
        ({"numeric_value": {"value": 1}}, "many", "parameter p: 'many' is not a number"),
        ({"date_value": {"date_value": "2026-01-01"}}, "soon", "parameter p: 'soon' is not a date"),
        ({"date_range_value": {}}, "soon", "parameter p: "),
    ],
)
def test_a_text_that_does_not_fit_the_type_is_refused(declared: dict[str, Any], given: str, message: str) -> None:
    with pytest.raises(TaskFailure, match=message):
        read_parameters({"p": given}, [{"name": "p", **declared}], NOW)
