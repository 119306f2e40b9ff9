"""`%pip` and `dbutils.library.restartPython()`: packages of one notebook alone, and a fresh Python that has them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.attempts import Workspace
from support.wheels import make_wheel


@pytest.fixture
def index(workspace: Workspace, tmp_path: Path) -> Path:
    folder = tmp_path / "index"
    for version in ("1.0", "2.0"):
        make_wheel(folder, "toolbox", {"toolbox.py": f"VERSION = 'toolbox {version}'\n"}, version=version)
    workspace.environment = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder), "PIP_CONFIG_FILE": os.devnull}
    return folder


@pytest.mark.usefixtures("index")
def test_a_notebook_installs_for_itself_alone(workspace: Workspace) -> None:
    outcome = workspace.run_notebook(
        "# MAGIC %pip install toolbox==1.0\n# COMMAND ----------\nimport toolbox\nprint(toolbox.VERSION)"
    )

    assert outcome.result["state"] == "succeeded", outcome.log
    assert outcome.log.endswith("toolbox 1.0\n")
    assert not (workspace.root / "libraries").exists()


@pytest.mark.usefixtures("index")
def test_a_restart_keeps_what_is_not_pythons(workspace: Workspace) -> None:
    outcome = workspace.run_notebook(
        """dbutils.widgets.text("name", "ann")
dbutils.jobs.taskValues.set("n", 1)
print("before")
import toolbox
# COMMAND ----------
# MAGIC %pip install toolbox==2.0
# COMMAND ----------
dbutils.library.restartPython()
print("never")
# COMMAND ----------
import toolbox
print(toolbox.VERSION, dbutils.widgets.get("name"), dbutils.jobs.taskValues.get("me", "n"), "n" in globals())
""",
        libraries=[{"pypi": {"package": "toolbox==1.0", "repo": None}}],
    )

    assert outcome.result["state"] == "succeeded", outcome.log
    assert outcome.log.endswith("toolbox 2.0 ann 1 False\n")
    assert outcome.task_values == {"n": 1}
    assert [cell["state"] for cell in outcome.cells] == ["succeeded"] * 4
    assert outcome.cells[0]["outputs"] == [{"kind": "text", "text": "before\n"}]
    assert "never" not in outcome.log


@pytest.mark.usefixtures("index")
def test_a_restart_in_an_included_notebook_goes_on_within_it(workspace: Workspace) -> None:
    workspace.write(
        "workspace/Users/ann/setup",
        "# Databricks notebook source\nprint('one')\n# COMMAND ----------\n# MAGIC %pip install toolbox\n"
        "# COMMAND ----------\ndbutils.library.restartPython()\n# COMMAND ----------\nprint('two')\n",
    )

    outcome = workspace.run_notebook(
        "print('zero')\n# COMMAND ----------\n# MAGIC %run ./setup\n# COMMAND ----------\n"
        "import toolbox\nprint(toolbox.VERSION)"
    )

    lines = [line for line in outcome.log.splitlines() if line in ("zero", "one", "two") or "toolbox 2" in line]
    assert lines == ["zero", "one", "two", "toolbox 2.0"], outcome.log


@pytest.mark.usefixtures("index")
def test_an_installation_that_fails_says_why(workspace: Workspace) -> None:
    outcome = workspace.run_notebook("# MAGIC %pip install toolbox==9")

    assert outcome.code == "LIBRARY_INSTALLATION_ERROR"
    assert "No matching distribution found for toolbox==9" in outcome.message


def test_a_script_has_no_cell_to_go_on_with(workspace: Workspace) -> None:
    outcome = workspace.run_script("dbutils.library.restartPython()")

    assert "belongs into a notebook" in outcome.message
