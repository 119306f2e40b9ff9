"""Runs the init scripts of a cluster, before its host starts.

Each is run by the program that its first line names (`/bin/bash` where it names none), in the host's environment and
with what it prints in a file of the cluster's log folder. One that is not there, fails, hangs or prints without end
ends the start: `start-failure.json` in the host's folder says why. What a script leaves running ends with the host.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from typing import Any, TypedDict

from .host_secrets import ClusterSecrets
from .paths import PathMap

FAILURE_FILE = "start-failure.json"
# A package installer's own log is far smaller; what is larger fills the disk.
OUTPUT_BYTES_MAX = 16 * 1024 * 1024
SHOWN_LINES = 10
SHOWN_CHARS = 2_000
POLL_SECONDS = 0.02


class InitScripts(TypedDict):
    """What `config.json` says of them."""

    paths: list[str]
    log_folder: str
    timeout_ms: int


class InitScriptError(Exception):
    """A script stands in the way of the start; the message is for people."""


def run_init_scripts(folder: str, config: dict[str, Any]) -> None:
    """Run those of the configuration, in their order; leaves the process where one fails."""
    scripts: InitScripts | None = config.get("init_scripts")
    if scripts is None:
        return
    try:
        _run_all(folder, config, scripts)
    except (InitScriptError, OSError) as error:
        message = str(error) if isinstance(error, InitScriptError) else f"an init script could not be run: {error}"
        message = ClusterSecrets(folder, config).redact_text(message)
        with open(os.path.join(folder, FAILURE_FILE), "w", encoding="utf-8") as file:
            json.dump({"code": "INIT_SCRIPT_FAILURE", "message": message}, file)
        sys.exit(1)


def _run_all(folder: str, config: dict[str, Any], scripts: InitScripts) -> None:
    paths = PathMap(config["data_root"])
    deadline = time.monotonic() + scripts["timeout_ms"] / 1000
    log_folder = paths.locate_storage(scripts["log_folder"])
    if log_folder is None:
        raise InitScriptError(f"the log folder {scripts['log_folder']} cannot be reached from here")
    log_folder = os.path.join(log_folder, "init_scripts")
    os.makedirs(log_folder, exist_ok=True)
    started_at = time.strftime("%Y%m%d_%H%M%S", time.gmtime())
    environment = {
        **os.environ,
        "DB_CLUSTER_ID": config["cluster_id"],
        "DB_CLUSTER_NAME": config.get("cluster_name", ""),
        "DB_IS_DRIVER": "TRUE",
        "DB_DRIVER_IP": "127.0.0.1",
    }
    secrets = ClusterSecrets(folder, config)
    for number, path in enumerate(scripts["paths"]):
        script = paths.locate_storage(path)
        if script is None or not os.path.isfile(script):
            raise InitScriptError(f"init script {path} was not found")
        log_path = os.path.join(log_folder, f"{started_at}_{number:02}_{os.path.basename(path)}.log")
        # What it prints may be a secret of the cluster: then it is shown once it can be hidden.
        with secrets.hidden_file(log_path) as printed:
            _run(path, script, printed, folder=folder, environment=environment, deadline=deadline)


def _run(path: str, script: str, log_path: str, *, folder: str, environment: dict[str, str], deadline: float) -> None:
    with open(log_path, "ab") as log:
        process = subprocess.Popen(
            [*_interpreter(script), script],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    problem = _await_end(process, log_path, deadline)
    if problem is not None:
        _kill_group(process)
        raise InitScriptError(f"init script {path} {problem}{_last_lines(log_path)}")


def _await_end(process: subprocess.Popen[bytes], log_path: str, deadline: float) -> str | None:
    while process.poll() is None:
        if time.monotonic() > deadline:
            return "did not end in time, and was ended"
        if os.path.getsize(log_path) > OUTPUT_BYTES_MAX:
            return f"printed more than {OUTPUT_BYTES_MAX} bytes, and was ended"
        time.sleep(POLL_SECONDS)
    if process.returncode == 0:
        return None
    if process.returncode < 0:
        return f"was ended by signal {-process.returncode}"
    return f"ended with code {process.returncode}"


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # nothing of it is left
    process.wait()


def _interpreter(script: str) -> list[str]:
    with open(script, "rb") as file:
        first = file.readline(4096)
    if first.startswith(b"#!"):
        words = shlex.split(first[2:].decode(errors="replace").strip())
        if words:
            return words
    return [shutil.which("bash") or "/bin/sh"]


def _last_lines(log_path: str) -> str:
    with open(log_path, "rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - 4 * SHOWN_CHARS))
        lines = file.read().decode(errors="replace").strip().splitlines()[-SHOWN_LINES:]
    text = "\n".join(lines)[-SHOWN_CHARS:]
    return f": {text}" if text else ""
