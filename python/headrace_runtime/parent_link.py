"""The way of a notebook's process to the one that started it with `dbutils.notebook.run`: it dies with it, and asks it
for Spark, which its own right to attach would otherwise use up.
"""

from __future__ import annotations

import json
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# `<descriptor>:<pid of the parent>:<depth>`
VARIABLE = "HEADRACE_PARENT_LINK"
ANSWER_BYTES_MAX = 64 * 1024


class ParentLink:
    """A socket to the parent."""

    def __init__(self, descriptor: int, parent_pid: int, depth: int) -> None:
        self._descriptor = descriptor
        self._parent_pid = parent_pid
        #: how many notebooks are above this one
        self.depth = depth

    def request_gateway(self) -> dict[str, Any]:
        """A gateway below the parent's. Raises OSError or ValueError when there is no answer."""
        import socket

        received = bytearray()
        with socket.socket(fileno=os.dup(self._descriptor)) as connection:
            connection.sendall(b"attach\n")
            while not received.endswith(b"\n") and len(received) < ANSWER_BYTES_MAX:
                part = connection.recv(4096)
                if not part:
                    raise ValueError("the notebook that started this one is gone")
                received += part
        answer: dict[str, Any] = json.loads(received)
        return answer

    def pass_on(self) -> dict[str, str]:
        """For the environment of a fresh image of this process."""
        os.set_inheritable(self._descriptor, True)
        return {VARIABLE: describe(self._descriptor, self._parent_pid, self.depth)}


def describe(descriptor: int, parent_pid: int, depth: int) -> str:
    return f"{descriptor}:{parent_pid}:{depth}"


def take() -> ParentLink | None:
    """The link, out of the environment: programs that user code starts have no business with it."""
    text = os.environ.pop(VARIABLE, None)
    if text is None:
        return None
    from .processes import die_with_parent

    descriptor, parent_pid, depth = map(int, text.split(":"))
    os.set_inheritable(descriptor, False)
    die_with_parent(parent_pid)
    return ParentLink(descriptor, parent_pid, depth)
