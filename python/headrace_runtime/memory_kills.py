"""Whether the kernel killed for lack of memory: what a SIGKILL alone does not tell."""

from __future__ import annotations

import time

# Of the whole machine, containers included.
_COUNTERS = "/proc/vmstat"
# A large process may need seconds to end after the kernel has killed and counted it.
LOOK_SECONDS = 5.0


def count_memory_kills(path: str = _COUNTERS) -> int | None:
    """How many processes the kernel has killed for lack of memory since it started; None when it does not say."""
    try:
        with open(path, "rb") as file:
            for line in file:
                if line.startswith(b"oom_kill "):
                    return int(line.split()[1])
    except (OSError, ValueError):
        pass
    return None


def has_killed_since(before: int | None, path: str = _COUNTERS) -> bool | None:
    """None when that cannot be known."""
    now = count_memory_kills(path)
    return None if before is None or now is None else now > before


class RecentKills:
    """Whether the kernel has killed in the last two spans between looks: what is older is not the end of a process now."""

    def __init__(self, path: str = _COUNTERS) -> None:
        self._path = path
        self._before = self._latest = count_memory_kills(path)
        self._looked_at = time.monotonic()

    def look(self) -> None:
        """Call it often while the process lives."""
        now = time.monotonic()
        if now - self._looked_at >= LOOK_SECONDS:
            self._looked_at = now
            self._before, self._latest = self._latest, count_memory_kills(self._path)

    def has_killed(self) -> bool | None:
        """None when that cannot be known."""
        return has_killed_since(self._before, self._path)
