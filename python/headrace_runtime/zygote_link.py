"""The host's end of a zygote: starts it, hands it orders, hears who ended, and notices its death."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from .processes import environment_with_room


class ZygoteLink:
    """One zygote process, of the host's interpreter or an environment's. `on_ended` gets each message of the kind;
    `on_death` comes once. Below `groups` its children make control groups."""

    def __init__(
        self,
        modules: list[str],
        *,
        python: str | None = None,
        groups: str | None = None,
        on_ended: Callable[[dict[str, Any]], None],
        on_death: Callable[[], None],
    ) -> None:
        self._on_ended = on_ended
        self._on_death = on_death
        self._buffer = bytearray()
        # Its imports are done: a child is there at once.
        self.is_ready = False
        self._socket, theirs = socket.socketpair()
        with theirs:
            # Executed, not forked: it must be started again, when killed, by a host that has threads by then.
            self.process = subprocess.Popen(
                [
                    python or sys.executable,
                    *("-s", "-m", f"{__package__}.zygote"),
                    *(str(theirs.fileno()), str(os.getpid())),
                    *([] if groups is None else [f"--groups={groups}"]),
                    *modules,
                ],
                pass_fds=(theirs.fileno(),),
                env=environment_with_room(),
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        # Orders are small and the zygote takes them at once; one that does not is broken.
        self._socket.settimeout(30)
        asyncio.get_running_loop().add_reader(self._socket.fileno(), self._receive)

    def send_order(self, order: dict[str, Any], descriptors: tuple[int, int]) -> None:
        """Have a child forked; the descriptors are the zygote's from now on."""
        line = json.dumps(order, separators=(",", ":")).encode() + b"\n"
        try:
            sent = socket.send_fds(self._socket, [line], list(descriptors))
            if sent < len(line):
                self._socket.sendall(line[sent:])
        except OSError:
            self.process.kill()  # its death is noticed, and ends the attempt, as any death is
        finally:
            for fd in descriptors:
                os.close(fd)

    def close(self) -> None:
        """End it, and with it its children. Closed already, when it died, there is nothing left to do."""
        if self._socket.fileno() == -1:
            return
        asyncio.get_running_loop().remove_reader(self._socket.fileno())
        self._socket.close()
        self.process.kill()
        self.process.wait()

    def _receive(self) -> None:
        try:
            received = self._socket.recv(1 << 16)
        except OSError:
            received = b""
        if not received:
            self.close()
            self._on_death()
            return
        self._buffer += received
        *lines, rest = self._buffer.split(b"\n")
        self._buffer = bytearray(rest)
        for line in lines:
            message = json.loads(line)
            if message["op"] == "ended":
                self._on_ended(message)
            elif message["op"] == "ready":
                self.is_ready = True
