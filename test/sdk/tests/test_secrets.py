"""Secrets through the Python SDK, from the outside and from within a task."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from datetime import timedelta

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import InvalidParameterValue, OperationFailed, ResourceAlreadyExists, ResourceDoesNotExist
from databricks.sdk.service import compute, jobs
from databricks.sdk.service import workspace as sdk

PATIENCE = timedelta(minutes=3)
SECRET = "hunter2-of-the-sdk"
READER = b"""
import os
from databricks.sdk import WorkspaceClient
from databricks.sdk.runtime import dbutils
ours = dbutils.secrets.get(scope="sdk", key="password")
w = WorkspaceClient()
theirs = w.dbutils.secrets.get("sdk", "password")
assert ours == theirs == os.environ["PASSWORD"]
print([s.key for s in dbutils.secrets.list("sdk")], ours, ours[::-1] == "kds")
raise ValueError("cannot sign in with " + ours)
"""


@pytest.fixture(scope="module")
def scope(workspace: WorkspaceClient) -> Iterator[str]:
    workspace.secrets.create_scope("sdk")
    workspace.secrets.put_secret("sdk", "password", string_value=SECRET)
    yield "sdk"
    workspace.secrets.delete_scope("sdk")


def test_scopes_and_secrets_come_and_go(workspace: WorkspaceClient) -> None:
    secrets = workspace.secrets
    secrets.create_scope(scope="passing", initial_manage_principal="users")
    assert ("passing", sdk.ScopeBackendType.DATABRICKS) in [(s.name, s.backend_type) for s in secrets.list_scopes()]

    secrets.put_secret("passing", "text", string_value="v\u00e4lue")
    secrets.put_secret("passing", "bytes", bytes_value=base64.b64encode(b"\xff\x00").decode())
    assert [s.key for s in secrets.list_secrets("passing")] == ["bytes", "text"]
    assert base64.b64decode(secrets.get_secret("passing", "text").value or "").decode() == "v\u00e4lue"
    assert base64.b64decode(secrets.get_secret("passing", "bytes").value or "") == b"\xff\x00"

    secrets.delete_secret("passing", "text")
    secrets.delete_scope("passing")
    assert "passing" not in [s.name for s in secrets.list_scopes()]


def test_access_lists_are_kept(workspace: WorkspaceClient, scope: str) -> None:
    me = workspace.current_user.me().user_name
    secrets = workspace.secrets
    secrets.put_acl(scope, "users", sdk.AclPermission.READ)

    assert secrets.get_acl(scope, "users").permission == sdk.AclPermission.READ
    assert {(a.principal, a.permission) for a in secrets.list_acls(scope)} == {
        (me, sdk.AclPermission.MANAGE),
        ("users", sdk.AclPermission.READ),
    }
    secrets.delete_acl(scope, "users")
    with pytest.raises(ResourceDoesNotExist):
        secrets.get_acl(scope, "users")


def test_mistakes_have_the_classes_that_programs_look_for(workspace: WorkspaceClient, scope: str) -> None:
    secrets = workspace.secrets
    with pytest.raises(ResourceAlreadyExists):
        secrets.create_scope(scope)
    with pytest.raises(ResourceDoesNotExist):
        secrets.get_secret(scope, "none")
    with pytest.raises(ResourceDoesNotExist):
        secrets.list_secrets("none")
    with pytest.raises(InvalidParameterValue):
        secrets.put_secret(scope, "large", string_value="x" * (128 * 1024 + 1))
    with pytest.raises(InvalidParameterValue):
        secrets.create_scope("no name")


def test_the_client_outside_reads_as_notebooks_do(workspace: WorkspaceClient, scope: str) -> None:
    assert workspace.dbutils.secrets.get(scope, "password") == SECRET
    assert workspace.dbutils.secrets.getBytes(scope, "password") == SECRET.encode()


def test_a_task_reads_secrets_in_every_way_and_shows_none(workspace: WorkspaceClient, scope: str) -> None:
    path = f"/Users/{workspace.current_user.me().user_name}/reader.py"
    workspace.workspace.upload(path, io.BytesIO(READER), format=sdk.ImportFormat.AUTO, overwrite=True)
    task = jobs.SubmitTask(
        task_key="read",
        spark_python_task=jobs.SparkPythonTask(python_file=path),
        new_cluster=compute.ClusterSpec(
            spark_version="16.4.x-scala2.12",
            num_workers=0,
            spark_env_vars={"PASSWORD": "{{secrets/sdk/password}}"},
        ),
    )

    waiter = workspace.jobs.submit(run_name="secrets", tasks=[task])
    with pytest.raises(OperationFailed):
        workspace.jobs.wait_get_run_job_terminated_or_skipped(waiter.run_id, timeout=PATIENCE)

    run = workspace.jobs.get_run(waiter.run_id)
    run_id = (run.tasks or [])[0].run_id
    assert run_id is not None
    output = workspace.jobs.get_run_output(run_id)
    assert output.error == "ValueError: cannot sign in with [REDACTED]", output.logs
    assert "['password'] [REDACTED] False" in (output.logs or "")
    assert "hunter2" not in str(output.as_dict()) + str(run.as_dict())
