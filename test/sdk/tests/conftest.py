"""A server of its own for the unmodified databricks-sdk, started and stopped through the headrace command."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from databricks.sdk import WorkspaceClient

repository = Path(__file__).resolve().parents[3]


def headrace(*arguments: str) -> None:
    node = repository / "node_modules" / ".bin" / "node"
    main = repository / "packages" / "cli" / "src" / "main.ts"
    command = [str(node), "--conditions=source", str(main), *arguments]
    result = subprocess.run(command, capture_output=True, text=True, env=_environment(), timeout=120)
    assert result.returncode == 0, f"headrace {' '.join(arguments)}\n{result.stdout}\n{result.stderr}"


def _environment() -> dict[str, str]:
    """Without the variables by which the SDK, or we, would find another server."""
    prefixes = ("DATABRICKS_", "HEADRACE_HOST", "HEADRACE_TOKEN")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}
    # Repositories that the tests make are files of this machine.
    return {**kept, "HEADRACE_GIT_PROTOCOLS": "https,file"}


@pytest.fixture(scope="session")
def server() -> Iterator[dict[str, str]]:
    folder = Path(tempfile.mkdtemp(prefix="hr-sdk-"))
    try:
        headrace("up", "--state-dir", str(folder), "--port", "0", "--tls", "--detach")
        document = json.loads((folder / "server.json").read_text())
        # Most tests need no trust; those of https take the other address, and the authority.
        yield {**document, "url": document["local_url"], "https_url": document["url"]}
    finally:
        headrace("down", "--state-dir", str(folder))
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def workspace(server: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> WorkspaceClient:
    config_file = tmp_path_factory.mktemp("home") / "none"
    return WorkspaceClient(host=server["url"], token=server["token"], auth_type="pat", config_file=str(config_file))
