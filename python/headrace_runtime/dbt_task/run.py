"""Runs a dbt task: its commands one after another, in this process, until one fails."""

from __future__ import annotations

import os
import shlex
import signal

from ..failures import TaskFailure
from .adapter import enter_catalog, find_output, let_clients_use_http, set_variables
from .project import find_targets, prepare_project, write_profile
from .results import Results, describe_failure_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..context import TaskContext
    from ..documents import DbtTask
    from .project import Project


def run_dbt_task(context: TaskContext, task: DbtTask) -> None:
    """Returns when all commands have succeeded; raises what failed otherwise."""
    commands = [_split(command) for command in task["commands"]]
    runner = _make_runner()
    project = prepare_project(context, task)
    set_variables(context)
    if task["profiles_directory"] is None:
        output = find_output(context, task)
        write_profile(project, output, find_targets(commands))
        if any(words[0] != "deps" for words in commands):
            enter_catalog(context, task, output)
    else:
        let_clients_use_http(context)
    results = Results(context)
    os.chdir(project.folder)
    # dbt cancels what it has under way in the warehouse when it is interrupted, and not when it is told to end.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        for words, written in zip(commands, task["commands"], strict=True):
            print(f"[dbt] {written}", flush=True)
            outcome = runner.invoke(_with_folders(words, project))
            results.add(written, outcome)
            if not outcome.success:
                raise describe_failure_of(written, outcome)
    finally:
        results.keep_artifacts(project.folder)


def _split(command: str) -> list[str]:
    """Without the word `dbt`."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise TaskFailure("RUN_EXECUTION_ERROR", f"{command!r} is no command line: {error}") from None
    if len(words) < 2 or words[0] != "dbt":
        raise TaskFailure(
            "RUN_EXECUTION_ERROR", f"{command!r} is no command of dbt: it begins with 'dbt', as 'dbt run'"
        )
    return words[1:]


def _make_runner() -> Any:
    try:
        from dbt.cli.main import dbtRunner  # type: ignore[import-not-found]
    except ImportError as error:
        raise TaskFailure(
            "LIBRARY_INSTALLATION_ERROR",
            f"dbt is not installed ({error}): name dbt-databricks or dbt-spark in the task's libraries, or leave them out "
            "to get the default ones",
        ) from None
    return dbtRunner()


def _with_folders(words: list[str], project: Project) -> list[str]:
    """What the command itself says of them counts."""
    added = []
    given = {"--project-dir": project.folder, "--profiles-dir": project.profiles_folder, "--profile": project.profile}
    for name, value in given.items():
        if not any(word == name or word.startswith(f"{name}=") for word in words):
            added += [name, value]
    return [*words, *added]
