"""python_wheel_task: installing libraries once, finding entry points, and what goes wrong with them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.attempts import Workspace
from support.wheels import make_wheel

JOB = """
import sys
def main():
    print("ingest", sys.argv[1:])
def transform():
    from databricks.sdk.runtime import dbutils
    dbutils.jobs.taskValues.set(key="n", value=len(sys.argv))
"""
POINTS = "[packages]\ningest = events.job:main\ntransform = events.job:transform\n"


@pytest.fixture
def wheel(workspace: Workspace) -> str:
    files = {"events/__init__.py": "def by_name():\n    print('by name')\n", "events/job.py": JOB}
    make_wheel(workspace.root / "workspace/Shared/.internal", "events", files, entry_points=POINTS)
    return "/Workspace/Shared/.internal/events-1.0-py3-none-any.whl"


def libraries(workspace: Workspace) -> list[Path]:
    return [path for path in (workspace.root / "libraries").iterdir() if not path.name.startswith(".")]


def test_an_entry_point_gets_positional_and_named_parameters(workspace: Workspace, wheel: str) -> None:
    outcome = workspace.run_wheel(wheel, "events", "ingest", "a", "b", named_parameters={"date": "2026-01-01"})

    assert outcome.result["state"] == "succeeded", outcome.log
    assert outcome.printed == "ingest ['a', 'b', '--date=2026-01-01']\n"


def test_a_wheel_is_installed_once_and_compiled(workspace: Workspace, wheel: str) -> None:
    workspace.run_wheel(wheel, "events", "transform")
    (installed,) = libraries(workspace)
    before = installed.stat().st_ino

    outcome = workspace.run_wheel(wheel, "events", "transform")

    assert outcome.task_values == {"n": 1}
    assert [path.stat().st_ino for path in libraries(workspace)] == [before]
    assert list(installed.glob("lib/python*/site-packages/events/__pycache__/job.*.pyc"))


def test_two_tasks_install_at_once_without_harm(workspace: Workspace, wheel: str) -> None:
    with ThreadPoolExecutor(3) as pool:
        outcomes = list(pool.map(lambda n: workspace.run_wheel(wheel, "events", "ingest", attempt_id=n), range(3)))

    assert [outcome.result["state"] for outcome in outcomes] == ["succeeded"] * 3
    assert len(libraries(workspace)) == 1


def test_a_function_of_the_package_is_an_entry_point_too(workspace: Workspace, wheel: str) -> None:
    assert workspace.run_wheel(wheel, "events", "by_name").printed == "by name\n"


def test_a_missing_entry_point_lists_those_that_exist(workspace: Workspace, wheel: str) -> None:
    outcome = workspace.run_wheel(wheel, "events", "ingset")

    assert outcome.code == "RUN_EXECUTION_ERROR"
    assert outcome.message == "package events 1.0 has no entry point 'ingset'; it has: ingest, transform"


def test_a_missing_package_is_named(workspace: Workspace, wheel: str) -> None:
    outcome = workspace.run_wheel(wheel, "evnets", "ingest")

    assert outcome.message.startswith("package evnets is not installed")


def test_a_broken_wheel_fails_with_the_installers_lines(workspace: Workspace) -> None:
    workspace.write("dbfs/broken-1.0-py3-none-any.whl", "this is no zip")

    outcome = workspace.run_wheel("dbfs:/broken-1.0-py3-none-any.whl", "broken", "main")

    assert outcome.code == "LIBRARY_INSTALLATION_ERROR"
    assert "library dbfs:/broken-1.0-py3-none-any.whl could not be installed: " in outcome.message
    assert "Failed to read" in outcome.message
    assert libraries(workspace) == []
    assert list((workspace.root / "libraries").glob(".installing-*")) == []


def test_a_missing_wheel_is_named(workspace: Workspace) -> None:
    outcome = workspace.run_wheel("/Volumes/a/b/c/none-1.0-py3-none-any.whl", "none", "main")

    assert outcome.code == "LIBRARY_INSTALLATION_ERROR"
    assert "the file does not exist" in outcome.message


def test_requirements_that_the_environment_has_are_not_installed_again(workspace: Workspace) -> None:
    files = {"needy/__init__.py": "def main():\n    import packaging\n    print('ok')\n"}
    requires = ("packaging", "pytest>=1 ; python_version > '3'", "nothing-like-it ; extra == 'x'")
    make_wheel(workspace.root / "dbfs", "needy", files, requires=requires)

    outcome = workspace.run_wheel("dbfs:/needy-1.0-py3-none-any.whl", "needy", "main")

    assert outcome.printed == "ok\n"
    assert len(libraries(workspace)) == 1


def test_a_missing_requirement_is_installed_beside(workspace: Workspace, tmp_path: Path) -> None:
    index = tmp_path / "index"
    make_wheel(index, "headrace_test_dependency", {"headrace_test_dependency.py": "ANSWER = 42\n"})
    code = "def main():\n    from headrace_test_dependency import ANSWER\n    print(ANSWER)\n"
    make_wheel(workspace.root / "dbfs", "needy", {"needy/__init__.py": code}, requires=("headrace_test_dependency>=1",))
    workspace.environment = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(index)}

    outcome = workspace.run_wheel("dbfs:/needy-1.0-py3-none-any.whl", "needy", "main")

    assert outcome.result["state"] == "succeeded", outcome.log
    assert outcome.printed == "42\n"
    assert len(libraries(workspace)) == 1


def test_a_package_that_no_index_has_fails_with_its_name(workspace: Workspace) -> None:
    workspace.environment = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(workspace.root)}

    outcome = workspace.run_wheel("", "x", "main", libraries=[{"pypi": {"package": "headrace-nothing==9"}}])

    assert outcome.code == "LIBRARY_INSTALLATION_ERROR"
    assert outcome.message.startswith("library headrace-nothing==9 could not be installed: ")
    assert "headrace-nothing was not found" in outcome.message


def test_an_exception_of_a_wheel_shows_only_its_frames(workspace: Workspace) -> None:
    make_wheel(workspace.root / "dbfs", "bad", {"bad/__init__.py": "def main():\n    1 / 0\n"})

    outcome = workspace.run_wheel("dbfs:/bad-1.0-py3-none-any.whl", "bad", "main")

    assert outcome.message == "ZeroDivisionError: division by zero"
    assert outcome.trace.count("File ") == 1
