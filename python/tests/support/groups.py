"""Control groups of the kernel that this machine lets tests make, with whatever controllers."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from headrace_runtime import control_groups
from headrace_runtime.control_groups import kill_group_members, remove_group


@contextmanager
def group_names() -> Iterator[str]:
    """How the names of a test's groups begin; none is left afterwards."""
    try:
        folder = control_groups._find_own_group("/proc")
        prefix = os.path.join(folder, f"test-{os.getpid()}.")
        os.mkdir(f"{prefix}0")
        os.rmdir(f"{prefix}0")
    except (OSError, ValueError) as error:
        pytest.skip(f"NOT TESTED: no control group of version 2 can be made here: {error}")
    yield prefix
    left = [f"{folder}/{name}" for name in os.listdir(folder) if f"{folder}/{name}".startswith(prefix)]
    for path in left:
        kill_group_members(path)
    deadline = time.monotonic() + 30
    while not all([remove_group(path) for path in left]):
        assert time.monotonic() < deadline
        time.sleep(0.01)
