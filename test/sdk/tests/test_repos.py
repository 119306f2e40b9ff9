"""Git folders, Git credentials and jobs from Git with the Python SDK, against a repository of this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import OperationFailed, ResourceConflict, ResourceDoesNotExist
from databricks.sdk.service import jobs
from databricks.sdk.service import workspace as files

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="SKIPPED: these tests need the program git")

PATIENCE = timedelta(minutes=3)
NOTEBOOK = """# Databricks notebook source
from lib.names import greet
dbutils.notebook.exit(greet(dbutils.widgets.get("name")))
"""


class Repository:
    def __init__(self, root: Path) -> None:
        self.folder = root / "pipelines.git"
        self.work = root / "work"
        self.git("init", "--quiet", "--bare", "--initial-branch=main", str(self.folder), cwd=root)
        self.git("clone", "--quiet", str(self.folder), str(self.work), cwd=root)
        self.git("symbolic-ref", "HEAD", "refs/heads/main")

    @property
    def url(self) -> str:
        return f"file://{self.folder}"

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        identity = {f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        environment = {**os.environ, **identity, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
        command = ["git", *arguments]
        done = subprocess.run(
            command, cwd=cwd or self.work, env=environment, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def commit(self, texts: dict[str, str]) -> str:
        for name, text in texts.items():
            file = self.work / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "-m", "x")
        self.git("push", "--quiet", "origin", "main")
        return self.git("rev-parse", "HEAD")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repository]:
    made = Repository(tmp_path_factory.mktemp("git"))
    made.commit({"nb/hello.py": NOTEBOOK, "lib/names.py": "def greet(name):\n    return f'hello {name}'\n"})
    yield made


def test_a_git_folder_is_made_updated_and_deleted(workspace: WorkspaceClient, repository: Repository) -> None:
    repo = workspace.repos.create(repository.url, "github", path="/Repos/production/pipelines")

    assert (repo.path, repo.branch) == ("/Repos/production/pipelines", "main")
    status = workspace.workspace.get_status("/Repos/production/pipelines")
    assert (status.object_type, status.object_id) == (files.ObjectType.REPO, repo.id)
    assert [found.id for found in workspace.repos.list(path_prefix="/Repos/production")] == [repo.id]

    commit = repository.commit({"README.md": "second"})
    workspace.repos.update(repo.id, branch="main")
    assert workspace.repos.get(repo.id).head_commit_id == commit
    with workspace.workspace.download("/Repos/production/pipelines/README.md") as downloaded:
        assert downloaded.read() == b"second"

    workspace.repos.delete(repo.id)
    with pytest.raises(ResourceDoesNotExist):
        workspace.repos.get(repo.id)


def test_local_changes_are_a_conflict(workspace: WorkspaceClient, repository: Repository) -> None:
    repo = workspace.repos.create(repository.url, "gitHub", path="/Repos/production/changed")
    file = "/Repos/production/changed/lib/local.py"
    workspace.workspace.upload(file, b"mine", format=files.ImportFormat.AUTO)
    repository.commit({"lib/local.py": "theirs"})

    with pytest.raises(ResourceConflict, match="local changes would be overwritten: .*lib/local.py"):
        workspace.repos.update(repo.id, branch="main")

    workspace.repos.update(repo.id, branch="main", dangerously_force_discard_all=True)
    with workspace.workspace.download(file) as downloaded:
        assert downloaded.read() == b"theirs"
    workspace.repos.delete(repo.id)


def test_a_branch_that_does_not_exist_is_named(workspace: WorkspaceClient, repository: Repository) -> None:
    repo = workspace.repos.create(repository.url, "gitHub", path="/Repos/production/branches")
    with pytest.raises(ResourceDoesNotExist, match="has no branch nope"):
        workspace.repos.update(repo.id, branch="nope")
    workspace.repos.delete(repo.id)


def test_credentials_are_kept_without_their_token(workspace: WorkspaceClient) -> None:
    made = workspace.git_credentials.create("gitHub", git_username="ann", personal_access_token="ghp_1")

    assert made.is_default_for_provider
    workspace.git_credentials.update(made.credential_id, "gitHub", git_username="bob")
    assert [found.git_username for found in workspace.git_credentials.list()] == ["bob"]
    assert workspace.git_credentials.get(made.credential_id).git_provider == "gitHub"
    workspace.git_credentials.delete(made.credential_id)
    assert list(workspace.git_credentials.list()) == []


def test_a_job_runs_from_git_and_its_repair_too(workspace: WorkspaceClient, repository: Repository) -> None:
    commit = repository.commit({"jobs/main.py": "import os, lib.names\nprint(lib.names.greet('file'))\n"})
    source = jobs.GitSource(git_url=repository.url, git_provider=jobs.GitProvider.GIT_HUB, git_branch="main")
    notebook = jobs.NotebookTask(notebook_path="nb/hello", base_parameters={"name": "ada"})
    file = jobs.SparkPythonTask(python_file="jobs/main.py", source=jobs.Source.GIT)
    created = workspace.jobs.create(
        name="from git",
        git_source=source,
        tasks=[
            jobs.Task(task_key="notebook", notebook_task=notebook),
            jobs.Task(task_key="file", spark_python_task=file),
        ],
    )

    run = workspace.jobs.run_now(created.job_id).result(timeout=PATIENCE)

    by_key = {task.task_key: task for task in run.tasks}
    output = workspace.jobs.get_run_output(by_key["notebook"].run_id)
    assert output.notebook_output.result == "hello ada"
    assert workspace.jobs.get_run_output(by_key["file"].run_id).logs == "hello file\n"
    assert run.git_source.git_snapshot.used_commit == commit

    repository.commit({"jobs/main.py": "raise SystemExit('a later commit')\n"})
    again = workspace.jobs.repair_run(run.run_id, rerun_tasks=["file"]).result(timeout=PATIENCE)
    assert again.git_source.git_snapshot.used_commit == commit


def test_a_task_whose_branch_is_missing_fails_with_the_reason(
    workspace: WorkspaceClient, repository: Repository
) -> None:
    source = jobs.GitSource(git_url=repository.url, git_provider=jobs.GitProvider.GIT_HUB, git_branch="gone")
    task = jobs.SubmitTask(task_key="a", notebook_task=jobs.NotebookTask(notebook_path="nb/hello"))
    waiter = workspace.jobs.submit(run_name="gone", git_source=source, tasks=[task])

    with pytest.raises(OperationFailed):
        waiter.result(timeout=PATIENCE)

    run = workspace.jobs.get_run(waiter.run_id)
    assert f"{repository.url} has no branch gone" in run.tasks[0].state.state_message


def test_files_of_a_git_folder_are_readable_by_tasks(workspace: WorkspaceClient, repository: Repository) -> None:
    repo = workspace.repos.create(repository.url, "gitHub", path="/Repos/production/tasks")
    notebook = jobs.NotebookTask(notebook_path="/Repos/production/tasks/nb/hello", base_parameters={"name": "bob"})
    task = jobs.SubmitTask(task_key="a", notebook_task=notebook)

    run = workspace.jobs.submit(run_name="folder", tasks=[task]).result(timeout=PATIENCE)

    assert workspace.jobs.get_run_output(run.tasks[0].run_id).notebook_output.result == "hello bob"
    workspace.repos.delete(repo.id)
