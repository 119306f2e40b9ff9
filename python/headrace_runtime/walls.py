"""The host's part of control groups: which it has, what an attempt's order says of them, and what its end."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from .control_groups import ControlGroups, find_memory_hit, open_control_groups, remove_group
from .limits import describe_excess

if TYPE_CHECKING:
    from .host import Host
    from .hosted import Attempt

# For the last children to die, whose parent was killed a moment ago.
CLOSE_SECONDS_MAX = 0.5


class Walls:
    """Around the attempts of a host, or none."""

    def __init__(self, host: Host) -> None:
        self._host = host
        found = open_control_groups()
        self._groups = found if isinstance(found, ControlGroups) else None
        self.obstacle = found if isinstance(found, str) else None
        # Where the host's output goes.
        print(self.describe(), file=sys.stderr, flush=True)

    @property
    def prefix(self) -> str | None:
        """Of the groups' names, for zygotes."""
        return None if self._groups is None else self._groups.prefix

    @property
    def controllers(self) -> list[str]:
        """What the kernel minds."""
        return [] if self._groups is None else list(self._groups.controllers)

    def describe(self) -> str:
        """For whoever reads the host's log."""
        if self._groups is None:
            return f"limits: a watch and nice levels; no control groups: {self.obstacle}"
        return f"limits: control groups below {self._groups.folder} for {' and '.join(self._groups.controllers)}"

    def order_facts(self, attempt: Attempt) -> dict[str, Any]:
        """What its process needs to raise its walls."""
        if self._groups is None:
            return {}
        return {"memory_bytes_max": self._host.limits.memory_max(attempt), "cpu_weight": attempt.cpu_weight}

    def note_process(self, attempt: Attempt, pid: int, *, is_walled: bool = False) -> None:
        """It has said, or its zygote has, that it is there."""
        attempt.is_walled = attempt.is_walled or is_walled
        if self._groups is not None:
            attempt.group = f"{self._groups.prefix}{pid}"

    def leave(self, attempt: Attempt) -> bool:
        """Its process has ended. False when others are left in its group, which stays for them."""
        if attempt.group is None:
            return True
        used = find_memory_hit(attempt.group) if attempt.is_walled else None
        if used is not None and attempt.exit_code != 0 and not attempt.is_stopping:
            attempt.limit_message = attempt.limit_message or describe_excess(
                "memory", used, self._host.limits.memory_max(attempt)
            )
        return remove_group(attempt.group)

    def remove_empty(self) -> None:
        """Groups of children that went without an attempt."""
        if self._groups is not None:
            self._groups.remove_empty({attempt.group for attempt in self._host.attempts.values()})

    def close(self) -> None:
        """No zygote is left."""
        if self._groups is None:
            return
        deadline = time.monotonic() + CLOSE_SECONDS_MAX
        while self._groups.remove_empty(set()) and time.monotonic() < deadline:
            time.sleep(0.01)
