"""`host.json`: how whoever comes later finds the host, and knows that it is the one that was meant."""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING, Any

from .hosted import now_ms
from .processes import start_time
from .protocol import HOST_PROTOCOL_VERSION

if TYPE_CHECKING:
    from .walls import Walls


def write_host_file(folder: str, config: dict[str, Any], walls: Walls) -> None:
    """Whole, by renaming."""
    path = os.path.join(folder, "host.json")
    facts = {
        "version": HOST_PROTOCOL_VERSION,
        "pid": os.getpid(),
        "start_time": start_time(os.getpid()),
        "host_key": config["host_key"],
        "cluster_id": config["cluster_id"],
        "socket_folder": config["socket_folder"],
        "started_at_ms": now_ms(),
        "control_groups": walls.controllers,
        "control_groups_obstacle": walls.obstacle,
    }
    with open(os.open(f"{path}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(facts, file)
    os.rename(f"{path}.new", path)


def remove_host_files(folder: str, journal: str) -> None:
    """There is nothing left to read."""
    for path in (journal, os.path.join(folder, "host.json")):
        with contextlib.suppress(FileNotFoundError):  # somebody removed the state folder
            os.unlink(path)
