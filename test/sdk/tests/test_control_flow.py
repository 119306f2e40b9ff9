"""Conditions, for-each, runs of other jobs and repairs, as the Python SDK sees them. Nothing here needs Spark."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import InvalidParameterValue, OperationFailed, ResourceDoesNotExist
from databricks.sdk.service import jobs
from databricks.sdk.service import workspace as files

PATIENCE = timedelta(minutes=3)
# Succeeds for every word but "bad", unless it is told to be forgiving.
SCRIPT = b"""import sys
word, mood = sys.argv[1:3]
print("got", word)
if word == "bad" and mood != "forgiving":
    raise ValueError(f"no {word} words")
"""


@pytest.fixture(scope="session")
def script(workspace: WorkspaceClient) -> str:
    path = f"/Users/{workspace.current_user.me().user_name}/control-flow.py"
    workspace.workspace.upload(path, io.BytesIO(SCRIPT), format=files.ImportFormat.AUTO, overwrite=True)
    return path


def script_task(script: str, word: str) -> jobs.SparkPythonTask:
    return jobs.SparkPythonTask(python_file=script, parameters=[word, "{{job.parameters.mood}}"])


def for_each(script: str, inputs: str) -> jobs.Task:
    nested = jobs.Task(task_key="word", spark_python_task=script_task(script, "{{input}}"))
    return jobs.Task(task_key="words", for_each_task=jobs.ForEachTask(inputs=inputs, task=nested, concurrency=10))


def make_job(workspace: WorkspaceClient, name: str, tasks: list[jobs.Task]) -> int:
    mood = jobs.JobParameterDefinition(name="mood", default="strict")
    job_id = workspace.jobs.create(name=name, parameters=[mood], tasks=tasks).job_id
    assert job_id is not None
    return job_id


def results_of(run: jobs.Run) -> dict[str, str]:
    """The last attempt of each task."""
    ordered = sorted(run.tasks or [], key=lambda task: task.run_id or 0)
    return {
        task.task_key: task.state.result_state.value
        for task in ordered
        if task.state is not None and task.state.result_state is not None
    }


def test_a_condition_has_an_outcome_and_a_branch(workspace: WorkspaceClient, script: str) -> None:
    strict = jobs.ConditionTask(op=jobs.ConditionTaskOp.EQUAL_TO, left="{{job.parameters.mood}}", right="strict")
    job_id = make_job(
        workspace,
        "branches",
        [
            jobs.Task(task_key="is_strict", condition_task=strict),
            jobs.Task(
                task_key="yes",
                depends_on=[jobs.TaskDependency(task_key="is_strict", outcome="true")],
                spark_python_task=script_task(script, "good"),
            ),
            jobs.Task(
                task_key="no",
                depends_on=[jobs.TaskDependency(task_key="is_strict", outcome="false")],
                spark_python_task=script_task(script, "good"),
            ),
        ],
    )

    run = workspace.jobs.run_now_and_wait(job_id, timeout=PATIENCE)

    assert results_of(run) == {"is_strict": "SUCCESS", "yes": "SUCCESS", "no": "EXCLUDED"}
    conditions = [task.condition_task for task in run.tasks or [] if task.condition_task]
    assert [condition.outcome for condition in conditions] == ["true"]


def test_a_for_each_has_stats_and_all_its_iterations(workspace: WorkspaceClient, script: str) -> None:
    inputs = "[" + ", ".join(f'"word {n}"' for n in range(120)) + "]"
    job_id = make_job(workspace, "many words", [for_each(script, inputs)])

    run = workspace.jobs.run_now_and_wait(job_id, timeout=PATIENCE)

    (outer,) = run.tasks or []
    assert outer.for_each_task is not None and outer.for_each_task.stats is not None
    stats = outer.for_each_task.stats.task_run_stats
    assert stats is not None
    assert (stats.total_iterations, stats.succeeded_iterations, stats.failed_iterations) == (120, 120, 0)
    assert outer.run_id is not None
    # More than a page: the client asks for the rest and appends it.
    iterations = workspace.jobs.get_run(outer.run_id).iterations or []
    assert len({iteration.run_id for iteration in iterations}) == 120


def test_a_repair_runs_only_what_failed(workspace: WorkspaceClient, script: str) -> None:
    job_id = make_job(workspace, "mended", [for_each(script, '["good", "bad", "better"]')])
    started = workspace.jobs.run_now(job_id)
    with pytest.raises(OperationFailed):
        started.result(timeout=PATIENCE)
    run_id = started.run_id
    with pytest.raises(InvalidParameterValue):
        workspace.jobs.repair_run(run_id, rerun_tasks=["nowhere"])

    repaired = workspace.jobs.repair_run_and_wait(
        run_id, rerun_all_failed_tasks=True, job_parameters={"mood": "forgiving"}, timeout=PATIENCE
    )

    assert results_of(repaired) == {"words": "SUCCESS"}
    history = workspace.jobs.get_run(run_id, include_history=True).repair_history or []
    assert [entry.type for entry in history] == [jobs.RepairHistoryItemType.ORIGINAL, jobs.RepairHistoryItemType.REPAIR]
    latest = history[-1].id
    with pytest.raises(InvalidParameterValue, match=str(latest)):
        workspace.jobs.repair_run(run_id, rerun_tasks=["words"])


def test_a_task_starts_another_job_and_links_its_run(workspace: WorkspaceClient, script: str) -> None:
    child = make_job(workspace, "child", [jobs.Task(task_key="t", spark_python_task=script_task(script, "good"))])
    parent = make_job(workspace, "parent", [jobs.Task(task_key="other", run_job_task=jobs.RunJobTask(job_id=child))])

    run = workspace.jobs.run_now_and_wait(parent, timeout=PATIENCE)

    (task,) = run.tasks or []
    assert task.run_id is not None
    output = workspace.jobs.get_run_output(task.run_id).run_job_output
    assert output is not None and output.run_id is not None
    child_run = workspace.jobs.get_run(output.run_id)
    assert child_run.trigger == jobs.TriggerType.RUN_JOB_TASK


def test_cancel_all_and_delete(workspace: WorkspaceClient, script: str) -> None:
    sleeping = jobs.ConditionTask(op=jobs.ConditionTaskOp.EQUAL_TO, left="1", right="1")
    job_id = make_job(workspace, "deleted", [jobs.Task(task_key="is_one", condition_task=sleeping)])
    run = workspace.jobs.run_now_and_wait(job_id, timeout=PATIENCE)
    assert run.run_id is not None

    workspace.jobs.cancel_all_runs(job_id=job_id)
    workspace.jobs.delete_run(run.run_id)

    assert list(workspace.jobs.list_runs(job_id=job_id)) == []
    with pytest.raises((InvalidParameterValue, ResourceDoesNotExist)):
        workspace.jobs.get_run(run.run_id)
