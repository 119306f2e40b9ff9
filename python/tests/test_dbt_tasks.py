"""dbt tasks: what is made for them, and a real project run to its end in the task's own session."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from headrace_runtime.context import TaskContext
from headrace_runtime.dbt_task import adapter
from headrace_runtime.dbt_task.project import find_targets
from headrace_runtime.dbt_task.results import Results, describe_failure_of
from headrace_runtime.paths import PathMap
from support.attempts import Workspace, an_attempt

PROJECT = Path(__file__).parent / "dbt_project"
LIBRARIES = [{"pypi": {"package": name, "repo": None}} for name in ("dbt-core==1.11.16", "dbt-spark==1.10.3")]


def a_task(*commands: str, **changes: Any) -> dict[str, Any]:
    return {
        "kind": "dbt",
        "project_directory": "/Users/ann/shop",
        "profiles_directory": None,
        "commands": list(commands),
        "catalog": "",
        "schema": "shop_out",
        "warehouse_id": None,
        **changes,
    }


def a_result(name: str, status: str, message: str | None = None) -> SimpleNamespace:
    node = SimpleNamespace(unique_id=f"model.shop.{name}", name=name, resource_type="model")
    return SimpleNamespace(node=node, status=status, message=message, execution_time=1.23456)


def an_outcome(*results: SimpleNamespace, exception: Exception | None = None) -> SimpleNamespace:
    return SimpleNamespace(success=False, exception=exception, result=SimpleNamespace(results=list(results)))


def test_the_commands_say_which_targets_the_profile_has() -> None:
    assert find_targets(
        [["run", "--target", "prod"], ["test", "-t", "prod"], ["run", "--target=dev"], ["run", "-t"]]
    ) == [
        "prod",
        "dev",
    ]


def test_a_failure_names_the_models_that_failed() -> None:
    broken = "Runtime Error in model east (models/east.sql)\n  [TABLE_OR_VIEW_NOT_FOUND] no such table\n  line 3\n"
    results = [a_result("ok", "success"), a_result("east", "error", broken), a_result("later", "skipped")]

    assert describe_failure_of("dbt run", an_outcome(*results)).message == (
        "dbt run: model east failed: [TABLE_OR_VIEW_NOT_FOUND] no such table line 3"
    )
    many = describe_failure_of("dbt run", an_outcome(*[a_result(f"m{n}", "error", "x") for n in range(5)]))
    assert many.message.endswith("; and 2 more")
    unread = describe_failure_of("dbt run", SimpleNamespace(exception=ValueError("no such profile"), result=None))
    assert unread.message == "dbt run: no such profile"


def test_results_stand_beside_the_log_after_each_command(tmp_path: Path) -> None:
    attempt: Any = an_attempt(tmp_path, 1, a_task("dbt run"))
    context = TaskContext(str(tmp_path), attempt, PathMap(str(tmp_path)))
    project = tmp_path / "project"
    for file in ("target/compiled/a.sql", "target/manifest.json", "target/partial_parse.msgpack", "models/a.sql"):
        (project / file).parent.mkdir(parents=True, exist_ok=True)
        (project / file).write_text("x")
    results = Results(context)

    results.add("dbt run", an_outcome(a_result("east", "error", "m" * 9_000)))
    results.keep_artifacts(str(project))

    [command] = json.loads((tmp_path / "dbt-results.json").read_text())["commands"]
    [node] = command["results"]
    assert (command["command"], command["success"], node["status"], node["execution_time"]) == (
        "dbt run",
        False,
        "error",
        1.235,
    )
    assert len(node["message"]) == 2_000
    with tarfile.open(tmp_path / "dbt-artifacts.tar.gz") as archive:
        assert archive.getnames() == ["target/manifest.json", "target/compiled/a.sql"]


def test_a_profile_of_the_project_reaches_a_server_without_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[str, str, dict[str, Any]]] = []

    class Connection:
        def __init__(self, server_hostname: str, http_path: str, **keywords: Any) -> None:
            calls.append((server_hostname, http_path, keywords))

    names = ("databricks", "databricks.sql", "databricks.sql.client")
    for name in names:
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setattr(sys.modules["databricks.sql.client"], "Connection", Connection, raising=False)
    monkeypatch.setattr(adapter, "_is_installed", lambda name: True)
    attempt: Any = {**an_attempt(tmp_path, 1, a_task("dbt run")), "api": {"url": "http://here:80/", "token": "t"}}

    adapter.let_clients_use_http(TaskContext(str(tmp_path), attempt, PathMap(str(tmp_path))))
    for host in ("http://here:80", "here:80", "https://elsewhere"):
        Connection(host, "/sql/1.0/warehouses/w", access_token="t")

    here = {"_connection_uri": "http://here:80/sql/1.0/warehouses/w", "enable_telemetry": False, "access_token": "t"}
    assert [keywords for _, _, keywords in calls] == [here, here, {"access_token": "t"}]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([], "dbt project /Workspace/Users/ann/shop does not exist"),
        (["models/a.sql"], "/Workspace/Users/ann/shop has no dbt_project.yml"),
    ],
)
def test_a_project_that_is_not_there_is_named(workspace: Workspace, files: list[str], message: str) -> None:
    for file in files:
        workspace.write(f"workspace/Users/ann/shop/{file}", "")
    workspace.write("fake/dbt/cli/main.py", "def dbtRunner():\n    pass\n")

    outcome = run_with_path(workspace, a_task("dbt run"), workspace.root / "fake")

    assert (outcome["code"], outcome["message"]) == ("RESOURCE_NOT_FOUND", message)


def test_without_dbt_the_task_says_what_to_name(workspace: Workspace) -> None:
    outcome = workspace.run(a_task("dbt run"))

    assert outcome.code == "LIBRARY_INSTALLATION_ERROR"
    assert outcome.message.startswith("dbt is not installed (")


def test_a_real_project_is_built_and_a_failing_test_named(spark_workspace: Workspace) -> None:
    refuse_without_index()
    shutil.copytree(PROJECT, spark_workspace.root / "workspace/Users/ann/shop")

    # One command: each reads the whole project first. Nothing depends on what the failing test looks at.
    command = "dbt build --vars '{floor: 8}'"
    outcome = spark_workspace.run(a_task(command), libraries=LIBRARIES, seconds_max=900)

    sentence = f"{command}: test no_negative_amount failed: Got 1 result, configured to fail if != 0"
    assert outcome.message == sentence, outcome.log
    folder = spark_workspace.root / "attempts" / "1" / "1"
    [built] = json.loads((folder / "dbt-results.json").read_text())["commands"]
    kinds = sorted(f"{node['unique_id'].partition('.')[0]} {node['status']}" for node in built["results"])
    assert kinds == ["model success"] * 3 + ["seed success", "snapshot success", "test fail"] + ["test pass"] * 2
    with tarfile.open(folder / "dbt-artifacts.tar.gz") as archive:
        assert {"target/manifest.json", "target/run_results.json", "logs/dbt.log"} <= set(archive.getnames())
    assert not (spark_workspace.root / "workspace/Users/ann/shop/target").exists()


def run_with_path(workspace: Workspace, task: dict[str, Any], folder: Path) -> dict[str, Any]:
    """With a package of the test's own in place of dbt."""
    attempt_folder = workspace.prepare(task)
    code = (
        f"import sys; sys.path.insert(0, {str(folder)!r}); from headrace_runtime.launch import main; main(sys.argv[1])"
    )
    path = str(Path(__file__).resolve().parents[1])
    environment = {**os.environ, "PYTHONPATH": path}
    subprocess.run([sys.executable, "-c", code, str(attempt_folder)], env=environment, check=False, capture_output=True)
    failure: dict[str, Any] = json.loads((attempt_folder / "result.json").read_text())["failure"]
    return failure


def refuse_without_index() -> None:
    """Skips loudly: the name of the reason stands in the summary."""
    command = [sys.executable, "-m", "pip", "index", "versions", "dbt-core"]
    found = subprocess.run(command, capture_output=True, check=False, timeout=120)
    if found.returncode != 0:
        pytest.skip("NO PACKAGE INDEX CAN BE REACHED: dbt was not tried")
