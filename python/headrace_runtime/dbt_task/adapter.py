"""How dbt reaches Spark: over the task's own session (dbt-spark), or over the warehouse's endpoint (dbt-databricks)."""

from __future__ import annotations

import os
from urllib.parse import quote

from .. import attach
from ..failures import TaskFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..context import TaskContext
    from ..documents import DbtTask

# Statements of one session run one after another.
SESSION_THREADS = 1
# As dbt's own examples have it.
WAREHOUSE_THREADS = 4
# No id of a warehouse, so it means the default one.
DEFAULT_WAREHOUSE = "default"


def find_output(context: TaskContext, task: DbtTask) -> dict[str, Any]:
    """What the profile says of the connection."""
    if _is_installed("dbt-databricks"):
        return _over_warehouse(context, task)
    if _is_installed("dbt-spark"):
        return {
            "type": "spark",
            "method": "session",
            "host": "NA",
            "schema": task["schema"],
            "threads": SESSION_THREADS,
        }
    raise TaskFailure("LIBRARY_INSTALLATION_ERROR", _describe_missing())


def enter_catalog(context: TaskContext, task: DbtTask, output: dict[str, Any]) -> None:
    """Names of two parts, which are all that dbt-spark writes, lead into the task's catalog."""
    if output["type"] != "spark":
        return
    session = attach.get_session()
    catalog = find_catalog(context, task)
    if catalog:
        session.catalog.setCurrentCatalog(catalog)


def find_catalog(context: TaskContext, task: DbtTask) -> str:
    return task["catalog"] or context.attempt["spark"]["default_catalog"]


def _over_warehouse(context: TaskContext, task: DbtTask) -> dict[str, Any]:
    """The address that this task reaches the server at, which may be plain HTTP on the loopback: clients insist on https
    only where they make the address themselves."""
    api = context.attempt["api"]
    path = f"/sql/1.0/warehouses/{quote(task['warehouse_id'] or DEFAULT_WAREHOUSE, safe='')}"
    return {
        "type": "databricks",
        # With its scheme: the client would else look for settings by https, for minutes.
        "host": api["url"].rstrip("/"),
        "http_path": path,
        # Not in the file, which user code may copy: dbt reads it from the environment.
        "token": "{{ env_var('DBT_ACCESS_TOKEN') }}",
        "catalog": find_catalog(context, task),
        "schema": task["schema"],
        "threads": WAREHOUSE_THREADS,
        "connection_parameters": {"_connection_uri": f"{api['url'].rstrip('/')}{path}", "enable_telemetry": False},
    }


def set_variables(context: TaskContext) -> None:
    """Names that profiles of projects read, as hosted, and dbt's own settings."""
    api = context.attempt["api"]
    os.environ.setdefault("DBT_HOST", api["url"])
    os.environ["DBT_ACCESS_TOKEN"] = api["token"]
    # Nobody's tasks tell others what they run.
    os.environ["DO_NOT_TRACK"] = "1"
    os.environ["DBT_SEND_ANONYMOUS_USAGE_STATS"] = "false"
    os.environ.setdefault("DBT_USE_COLORS", "false")


def let_clients_use_http(context: TaskContext) -> None:
    """For profiles of projects: they name the host, and the client insists on https, also where the server has none."""
    url = context.attempt["api"]["url"].rstrip("/")
    if not url.startswith("http://") or not _is_installed("databricks-sql-connector"):
        return
    from importlib import import_module

    # Of what is installed for the task alone.
    connection: Any = import_module("databricks.sql.client").Connection
    connect = connection.__init__

    def connect_here(self: Any, server_hostname: str, http_path: str, *args: Any, **keywords: Any) -> None:
        if _without_scheme(server_hostname) == _without_scheme(url):
            keywords.setdefault("_connection_uri", f"{url}/{http_path.lstrip('/')}")
            keywords.setdefault("enable_telemetry", False)
        connect(self, server_hostname, http_path, *args, **keywords)

    connection.__init__ = connect_here


def _without_scheme(host: str) -> str:
    return host.partition("://")[2].rstrip("/") if "://" in host else host.rstrip("/")


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
