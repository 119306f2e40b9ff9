"""Reading notebooks from their source form."""

from __future__ import annotations

import json
from typing import Any

import pytest
from headrace_runtime.dbutils.widgets import Widgets
from headrace_runtime.failures import TaskFailure
from headrace_runtime.notebook.source import parse_notebook
from headrace_runtime.notebook.sql import run_statements, split_statements

NOTEBOOK = "application/vnd.databricks.v1+notebook"
CELL = "application/vnd.databricks.v1+cell"


def languages(text: str, path: str = "/n.py") -> list[tuple[str, str]]:
    return [(cell.language, cell.code) for cell in parse_notebook(text, path)]


def test_cells_of_a_python_notebook() -> None:
    text = """# Databricks notebook source
# MAGIC %md Hello
# MAGIC there

# COMMAND ----------

# DBTITLE 1,A title
x = 1

# COMMAND ----------

# MAGIC %sql
# MAGIC select 1

# COMMAND ----------

# MAGIC %run ./other $a="b"

# COMMAND ----------

# MAGIC %pip install x
y = 2

# COMMAND ----------

# MAGIC %python
# MAGIC z = 3

# COMMAND ----------

"""

    assert languages(text) == [
        ("markdown", "Hello\nthere"),
        ("python", "x = 1"),
        ("sql", "select 1"),
        ("run", './other $a="b"'),
        ("python", "%pip install x\ny = 2"),
        ("python", "z = 3"),
    ]


@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        ("/n.scala", "val x = 1", "this notebook is written in Scala: Headrace runs Python and SQL notebooks"),
        ("/n", "// Databricks notebook source\nval x = 1", "this notebook is written in Scala: "),
        ("/n.R", "x <- 1", "this notebook is written in R: "),
        (
            "/n.ipynb",
            '{"nbformat": 4, "cells": [], "metadata": {"kernelspec": {"language": "R"}}}',
            "this notebook is written in R: ",
        ),
        ("/n.ipynb", "not json", "the notebook's file is no valid .ipynb of format 4: JSONDecodeError"),
        ("/n.ipynb", "{}", "the notebook's file is no valid .ipynb of format 4: KeyError: 'cells'"),
        ("/n.ipynb", "", "the notebook's file is no valid .ipynb"),
    ],
)
def test_a_notebook_that_cannot_be_run_says_why(path: str, text: str, message: str) -> None:
    with pytest.raises(TaskFailure) as failure:
        parse_notebook(text, path)

    assert failure.value.message.startswith(message)


def test_an_ipynb_has_titles_a_default_language_and_magics() -> None:
    cells = [
        {"cell_type": "code", "source": ["select 1\n", "from t"], "metadata": {}},
        {"cell_type": "code", "source": "%%sql\nselect 2", "metadata": {}},
        {"cell_type": "code", "source": "%python\nx = 1", "metadata": {CELL: {"showTitle": True, "title": "Named"}}},
        {"cell_type": "code", "source": "%%time\nx = 1"},
        {"cell_type": "markdown", "source": ["# T"]},
    ]
    text = json.dumps({"nbformat": 4, "metadata": {NOTEBOOK: {"language": "sql"}}, "cells": cells})

    assert languages(text, "/n.ipynb") == [
        ("sql", "select 1\nfrom t"),
        ("sql", "select 2"),
        ("python", "x = 1"),
        ("python", "%%time\nx = 1"),
        ("markdown", "# T"),
    ]
    assert [cell.title for cell in parse_notebook(text, "/n.ipynb")][2] == "Named"


def test_cells_of_an_sql_notebook() -> None:
    text = """-- Databricks notebook source
-- MAGIC %md Title

-- COMMAND ----------

select 1; -- done

-- COMMAND ----------

-- MAGIC %python
-- MAGIC print(_sqldf)
"""

    assert languages(text, "/n.sql") == [
        ("markdown", "Title"),
        ("sql", "select 1; -- done"),
        ("python", "print(_sqldf)"),
    ]


def test_line_ends_and_marks_of_other_systems() -> None:
    text = "\ufeff# Databricks notebook source\r\na = 1\r\n\r\n# COMMAND ----------\r\nb = 2\r\n"

    assert languages(text) == [("python", "a = 1"), ("python", "b = 2")]


def test_plain_files() -> None:
    assert languages("print(1)\n") == [("python", "print(1)\n")]
    assert languages("select 1", "/q.sql") == [("sql", "select 1")]
    assert languages("\n") == []


def test_jupyter_notebooks() -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# T"]},
        {"cell_type": "code", "source": ["a = 1\n", "a"]},
        {"cell_type": "code", "source": "%sql\nselect 1"},
    ]

    assert languages(json.dumps({"cells": cells, "nbformat": 4}), "/n.ipynb") == [
        ("markdown", "# T"),
        ("python", "a = 1\na"),
        ("sql", "select 1"),
    ]


def test_statements_end_at_semicolons_that_mean_it() -> None:
    text = """
create table a as select ';' as x, "a;b" as y, `c;d` -- ; not here
from t /* nor; here */;
;
-- only a comment;
select 'it\\'s;' ;
"""

    assert len(split_statements(text)) == 2
    assert split_statements("select 1") == ["select 1"]


class Frame:
    columns = ["x"]


class Session:
    """Notes what it is asked to run."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, str] | None]] = []

    def sql(self, statement: str, args: dict[str, str] | None) -> Frame:
        self.calls.append((statement, args))
        return Frame()


def test_widgets_of_sql_and_the_parameters_of_statements() -> None:
    class Context:
        parameters = {"limit": "3"}

    context: Any = Context()
    session = Session()

    text = "create widget text day default '2026-01-01'; select :day, :limit, 'a:no', b::int, :unknown; select ${limit}, ${env}"
    results = list(run_statements(session, text, Widgets(context)))

    assert len(results) == 2
    assert session.calls == [
        ("select :day, :limit, 'a:no', b::int, :unknown", {"day": "2026-01-01", "limit": "3"}),
        ("select 3, ${env}", None),
    ]
