"""The folder for temporary files of an attempt: it goes with the attempt, and counts as its disk.

It is below the host's folder of sockets, whose path is short: programs make sockets among their temporary files, and the
path of a socket has 107 characters at most.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .hosted import Attempt


def make_temporary(attempt: Attempt, socket_folder: str) -> dict[str, str]:
    """For the attempt's environment; nothing where the cluster names a place of its own."""
    asked = os.environ.get("TMPDIR")
    if asked is not None and os.path.realpath(asked) != os.path.realpath(os.path.dirname(socket_folder)):
        return {}
    attempt.temporary = os.path.join(socket_folder, f"t{attempt.attempt_id}")
    os.makedirs(attempt.temporary, 0o700, exist_ok=True)
    return {"TMPDIR": attempt.temporary}


async def remove_temporary(attempt: Attempt) -> None:
    """Nothing of the attempt runs any more."""
    if attempt.temporary is None:
        return
    try:
        os.rmdir(attempt.temporary)  # the rule: most tasks have left nothing there
    except OSError:
        await asyncio.get_running_loop().run_in_executor(None, lambda: shutil.rmtree(attempt.temporary or "", True))
