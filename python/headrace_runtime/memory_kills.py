"""Whether the kernel killed for lack of memory: what a SIGKILL alone does not tell."""

from __future__ import annotations

# Of the whole machine, containers included.
_COUNTERS = "/proc/vmstat"


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
