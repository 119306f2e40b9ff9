"""What users do with the Python SDK, from upload to error classes. Nothing here needs Spark."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import (
    DatabricksError,
    InvalidParameterValue,
    OperationFailed,
    PermissionDenied,
    ResourceAlreadyExists,
    ResourceDoesNotExist,
    Unauthenticated,
)
from databricks.sdk.service import compute, jobs
from databricks.sdk.service import workspace as files

GREETING = b"""# Databricks notebook source
dbutils.widgets.text("name", "nobody")
name = dbutils.widgets.get("name")
print("hello", name)
# COMMAND ----------
dbutils.jobs.taskValues.set("length", len(name))
dbutils.notebook.exit(name.upper())
"""
FAILING = b"raise ValueError('no rows for 2013-01-01')\n"
SLEEPING = b"import time\nprint('asleep', flush=True)\ntime.sleep(600)\n"
PATIENCE = timedelta(minutes=3)


@pytest.fixture(scope="session")
def folder(workspace: WorkspaceClient) -> str:
    path = f"/Users/{workspace.current_user.me().user_name}/sdk"
    workspace.workspace.mkdirs(path)
    for name, content in {"failing.py": FAILING, "sleeping.py": SLEEPING}.items():
        workspace.workspace.upload(
            f"{path}/{name}", io.BytesIO(content), format=files.ImportFormat.AUTO, overwrite=True
        )
    workspace.workspace.upload(
        f"{path}/greeting",
        io.BytesIO(GREETING),
        format=files.ImportFormat.SOURCE,
        language=files.Language.PYTHON,
        overwrite=True,
    )
    return path


def python_task(key: str, file: str, **rest: object) -> jobs.Task:
    return jobs.Task(
        task_key=key,
        spark_python_task=jobs.SparkPythonTask(python_file=file),
        **rest,  # type: ignore[arg-type]
    )


def test_uploaded_files_come_back_as_they_were(workspace: WorkspaceClient, folder: str) -> None:
    listed = {entry.path: entry.object_type for entry in workspace.workspace.list(folder)}

    assert listed[f"{folder}/greeting"] == files.ObjectType.NOTEBOOK
    assert listed[f"{folder}/failing.py"] == files.ObjectType.FILE
    with workspace.workspace.download(f"{folder}/failing.py") as downloaded:
        assert downloaded.read() == FAILING
    with pytest.raises(ResourceAlreadyExists):
        workspace.workspace.upload(f"{folder}/failing.py", io.BytesIO(b"x"), format=files.ImportFormat.AUTO)


def test_a_job_runs_and_its_waiter_returns(workspace: WorkspaceClient, folder: str) -> None:
    created = workspace.jobs.create(
        name="greet",
        parameters=[jobs.JobParameterDefinition(name="name", default="ada")],
        tasks=[
            jobs.Task(task_key="greet", notebook_task=jobs.NotebookTask(notebook_path=f"{folder}/greeting")),
            jobs.Task(
                task_key="again",
                depends_on=[jobs.TaskDependency(task_key="greet")],
                notebook_task=jobs.NotebookTask(
                    notebook_path=f"{folder}/greeting",
                    base_parameters={"length": "{{tasks.greet.values.length}}"},
                ),
            ),
        ],
    )

    run = workspace.jobs.run_now(job_id=created.job_id, job_parameters={"name": "grace"}).result(PATIENCE)

    assert run.state and run.state.result_state == jobs.RunResultState.SUCCESS
    assert [task.task_key for task in run.tasks or []] == ["greet", "again"]
    for task in run.tasks or []:
        output = workspace.jobs.get_run_output(task.run_id)
        assert output.notebook_output and output.notebook_output.result == "GRACE"
    with pytest.raises(InvalidParameterValue, match="multiple tasks is not supported"):
        workspace.jobs.get_run_output(run.run_id)


def test_a_failed_run_raises_from_its_waiter(workspace: WorkspaceClient, folder: str) -> None:
    waiter = workspace.jobs.submit(
        run_name="fails",
        tasks=[
            jobs.SubmitTask(
                task_key="check", spark_python_task=jobs.SparkPythonTask(python_file=f"{folder}/failing.py")
            )
        ],
    )

    with pytest.raises(OperationFailed, match="Task check failed with message: Workload failed"):
        waiter.result(PATIENCE)
    [task] = workspace.jobs.get_run(waiter.run_id).tasks or []
    assert task.state and task.state.life_cycle_state == jobs.RunLifeCycleState.TERMINATED
    assert task.state.result_state == jobs.RunResultState.FAILED
    output = workspace.jobs.get_run_output(task.run_id)
    assert output.error == "ValueError: no rows for 2013-01-01"
    assert "failing.py" in (output.error_trace or "") and "headrace_runtime" not in (output.error_trace or "")


def test_a_run_is_cancelled(workspace: WorkspaceClient, folder: str) -> None:
    waiter = workspace.jobs.submit(
        run_name="sleeps",
        tasks=[
            jobs.SubmitTask(
                task_key="sleep", spark_python_task=jobs.SparkPythonTask(python_file=f"{folder}/sleeping.py")
            )
        ],
    )

    run = workspace.jobs.cancel_run_and_wait(waiter.run_id, timeout=PATIENCE)

    assert run.state and run.state.result_state == jobs.RunResultState.CANCELED
    assert run.status and run.status.termination_details
    assert run.status.termination_details.code == jobs.TerminationCodeCode.USER_CANCELED


def test_lists_come_page_by_page(workspace: WorkspaceClient, folder: str) -> None:
    names = {f"paged {number}" for number in range(25)}
    for name in names:
        workspace.jobs.create(name=name, tasks=[python_task("one", f"{folder}/failing.py")])

    listed = [job.settings.name for job in workspace.jobs.list(limit=10) if job.settings]

    assert names <= set(listed)
    assert len(listed) == len([*workspace.jobs.list()])
    [found] = workspace.jobs.list(name="paged 7", expand_tasks=True)
    assert found.settings and [task.task_key for task in found.settings.tasks or []] == ["one"]


def test_a_job_of_150_tasks_is_put_together_from_its_pages(workspace: WorkspaceClient, folder: str) -> None:
    tasks = [python_task(f"t{number:03}", f"{folder}/failing.py") for number in range(150)]
    job_id = workspace.jobs.create(name="wide", tasks=tasks).job_id

    settings = workspace.jobs.get(job_id).settings

    assert settings and [task.task_key for task in settings.tasks or []] == [task.task_key for task in tasks]


def test_settings_are_changed_and_the_job_deleted(workspace: WorkspaceClient, folder: str) -> None:
    job_id = workspace.jobs.create(name="before", tasks=[python_task("a", f"{folder}/failing.py")]).job_id
    assert job_id is not None

    workspace.jobs.update(job_id, new_settings=jobs.JobSettings(name="after", max_concurrent_runs=3))
    updated = workspace.jobs.get(job_id).settings
    workspace.jobs.reset(job_id, jobs.JobSettings(name="reset", tasks=[python_task("b", f"{folder}/failing.py")]))
    after_reset = workspace.jobs.get(job_id).settings
    workspace.jobs.delete(job_id)

    assert updated and (updated.name, updated.max_concurrent_runs, len(updated.tasks or [])) == (
        "after",
        3,
        1,
    )
    assert after_reset and [task.task_key for task in after_reset.tasks or []] == ["b"]
    with pytest.raises(ResourceDoesNotExist):
        workspace.jobs.get(job_id)


def test_errors_arrive_as_the_classes_of_the_sdk(workspace: WorkspaceClient, server: dict[str, str]) -> None:
    with pytest.raises(ResourceDoesNotExist):
        workspace.jobs.get_run(999_999_999)
    with pytest.raises(ResourceDoesNotExist):
        workspace.clusters.get("no-such-cluster")
    with pytest.raises(ResourceDoesNotExist):
        workspace.workspace.get_status("/no/such/file")
    with pytest.raises(InvalidParameterValue, match="depends on 'ghost'"):
        workspace.jobs.create(
            name="bad",
            tasks=[python_task("a", "/x.py", depends_on=[jobs.TaskDependency(task_key="ghost")])],
        )
    stranger = WorkspaceClient(host=server["url"], token="hrp_unknown", auth_type="pat")
    with pytest.raises((Unauthenticated, PermissionDenied)):
        stranger.current_user.me()


def test_clusters_tokens_and_catalogs_answer(workspace: WorkspaceClient) -> None:
    [default, *_] = list(workspace.clusters.list())
    assert workspace.clusters.get(default.cluster_id or "").cluster_id == default.cluster_id
    assert isinstance(default.state, compute.State)

    token = workspace.tokens.create(comment="from the SDK", lifetime_seconds=600)
    assert token.token_info and token.token_info.token_id in {each.token_id for each in workspace.tokens.list()}
    workspace.tokens.delete(token.token_info.token_id or "")

    assert {"main", "dev"} <= {catalog.name for catalog in workspace.catalogs.list()}
    schema = workspace.schemas.create("sdk_schema", "dev", comment="made by the SDK")
    assert schema.full_name == "dev.sdk_schema"
    assert [table.name for table in workspace.tables.list("dev", "sdk_schema")] == []
    workspace.schemas.delete("dev.sdk_schema")
    with pytest.raises(ResourceDoesNotExist):
        workspace.schemas.get("dev.sdk_schema")


def test_a_bad_request_is_refused_and_nothing_is_stored(workspace: WorkspaceClient) -> None:
    before = len([*workspace.jobs.list()])

    with pytest.raises(DatabricksError) as refused:
        workspace.api_client.do("POST", "/api/2.2/jobs/create", body={"name": 5, "tasks": "none"})

    assert refused.value.error_code == "INVALID_PARAMETER_VALUE"
    assert "tasks" in str(refused.value)
    assert len([*workspace.jobs.list()]) == before
