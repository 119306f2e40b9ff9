"""How dbt reaches Spark: over the task's own session (dbt-spark), or over the warehouse's endpoint (dbt-databricks)."""

from __future__ import annotations

import os

from .. import attach
from ..failures import TaskFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..context import TaskContext
    from ..documents import DbtTask

# Statements of one session run one after another.
SESSION_THREADS = 1


def find_output(context: TaskContext, task: DbtTask) -> dict[str, Any]:
    """What the profile says of the connection."""
    if not _is_installed("dbt-spark"):
        raise TaskFailure("LIBRARY_INSTALLATION_ERROR", _describe_missing())
    return {"type": "spark", "method": "session", "host": "NA", "schema": task["schema"], "threads": SESSION_THREADS}


def enter_catalog(context: TaskContext, task: DbtTask) -> None:
    """Names of two parts, which are all that dbt-spark writes, lead into the task's catalog."""
    session = attach.get_session()
    catalog = task["catalog"] or context.attempt["spark"]["default_catalog"]
    if catalog:
        session.catalog.setCurrentCatalog(catalog)


def set_variables(context: TaskContext) -> None:
    """Names that profiles of projects read, as hosted, and dbt's own settings."""
    api = context.attempt["api"]
    os.environ.setdefault("DBT_HOST", api["url"])
    os.environ.setdefault("DBT_ACCESS_TOKEN", api["token"])
    # Nobody's tasks tell others what they run.
    os.environ["DO_NOT_TRACK"] = "1"
    os.environ["DBT_SEND_ANONYMOUS_USAGE_STATS"] = "false"
    os.environ.setdefault("DBT_USE_COLORS", "false")


def _is_installed(name: str) -> bool:
    from importlib import metadata

    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _describe_missing() -> str:
    return (
        "no adapter of dbt is installed: name dbt-databricks or dbt-spark in the task's libraries, or leave the libraries "
        "out to get the default ones"
    )
