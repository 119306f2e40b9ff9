"""The project that a dbt task runs: a copy, because dbt writes into its project and several runs may have the same one."""

from __future__ import annotations

import json
import os
import shutil

from ..failures import TaskFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..context import TaskContext
    from ..documents import DbtTask

PROJECT_FILE = "dbt_project.yml"
PROFILES_FILE = "profiles.yml"
# What an earlier run of dbt has made, and what is no part of a project.
_LEFT_OUT = ("target", "logs", ".git", ".venv", "__pycache__", ".user.yml")
# Projects hold texts and small seeds; data belongs into tables.
PROJECT_BYTES_MAX = 512 * 1024 * 1024
TARGET = "headrace"


class Project:
    def __init__(self, folder: str, profile: str, profiles_folder: str) -> None:
        self.folder = folder
        self.profile = profile
        self.profiles_folder = profiles_folder


def prepare_project(context: TaskContext, task: DbtTask) -> Project:
    """Copy it into the attempt's own folder; where the task names no profiles of its own, a folder for ours."""
    source = context.paths.locate_workspace(task["project_directory"])
    shown = context.paths.show(source)
    if not os.path.isfile(os.path.join(source, PROJECT_FILE)):
        what = f"{shown} has no {PROJECT_FILE}" if os.path.isdir(source) else f"dbt project {shown} does not exist"
        raise TaskFailure("RESOURCE_NOT_FOUND", what)
    size_bytes = _measure(source)
    if size_bytes > PROJECT_BYTES_MAX:
        raise TaskFailure(
            "RUN_EXECUTION_ERROR",
            f"dbt project {shown} has {size_bytes} bytes, and at most {PROJECT_BYTES_MAX} are copied",
        )
    folder = os.path.join(context.folder, "work", "dbt_project")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns(*_LEFT_OUT), symlinks=True)
    return Project(folder, _read_profile_name(folder), _find_profiles(context, task, source))


def write_profile(project: Project, output: dict[str, Any], targets: list[str]) -> None:
    """`targets` are the names by which the commands ask for one; all mean the same."""
    os.makedirs(project.profiles_folder, mode=0o700, exist_ok=True)
    names = targets or [TARGET]
    profile = {project.profile: {"target": names[0], "outputs": {name: output for name in names}}}
    path = os.path.join(project.profiles_folder, PROFILES_FILE)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(profile, file, indent=1)  # JSON is YAML


def find_targets(commands: list[list[str]]) -> list[str]:
    """What `--target x` and `-t x` name."""
    found = []
    for words in commands:
        for index, word in enumerate(words):
            name, equals, value = word.partition("=")
            if name not in ("--target", "-t"):
                continue
            target = value if equals else words[index + 1] if index + 1 < len(words) else ""
            if target and target not in found:
                found.append(target)
    return found


def _measure(folder: str) -> int:
    size_bytes = 0
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in _LEFT_OUT]
        size_bytes += sum(os.lstat(os.path.join(parent, name)).st_size for name in files)
    return size_bytes


def _read_profile_name(folder: str) -> str:
    """As dbt_project.yml has it."""
    import yaml  # type: ignore[import-untyped]  # comes with dbt

    with open(os.path.join(folder, PROJECT_FILE), encoding="utf-8") as file:
        try:
            document = yaml.safe_load(file)
        except yaml.YAMLError as error:
            raise TaskFailure("RUN_EXECUTION_ERROR", f"{PROJECT_FILE} is no YAML: {error}") from None
    profile = document.get("profile") if isinstance(document, dict) else None
    return profile if isinstance(profile, str) and profile else TARGET


def _find_profiles(context: TaskContext, task: DbtTask, source: str) -> str:
    written = task["profiles_directory"]
    if written is None:
        return os.path.join(context.folder, "work", "dbt_profiles")
    folder = context.paths.locate_workspace(written) if written.startswith("/") else os.path.join(source, written)
    if not os.path.isfile(os.path.join(folder, PROFILES_FILE)):
        raise TaskFailure(
            "RESOURCE_NOT_FOUND", f"profiles_directory {context.paths.show(folder)} has no {PROFILES_FILE}"
        )
    return folder
