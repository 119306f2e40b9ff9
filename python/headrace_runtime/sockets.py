"""The host's two doors: one worker at a time, frame by frame, and the tasks, one request a connection."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import tempfile
from typing import TYPE_CHECKING, Any

from .host_secrets import hide_values
from .protocol import HOST_PROTOCOL_VERSION, Frame, FrameDecoder, encode_frame
from .zygotes import help_to_install

if TYPE_CHECKING:
    from .host import Host

# A key and its certificate: whoever speaks to this host over a network shows that they have both, and so does the host.
WORKER_KEY_FILE = "worker-key.pem"
# A secret of 128 KiB in base64.
REQUEST_BYTES_MAX = 256 * 1024


class WorkerConnection(asyncio.Protocol):
    """One connection; it is the worker's only after a `hello` of the right version."""

    def __init__(self, door: WorkerSocket) -> None:
        self._door = door
        self._decoder = FrameDecoder()
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, received: bytes) -> None:
        """Called by the loop."""
        try:
            frames = self._decoder.feed(received)
        except ValueError as error:
            self.refuse(str(error))
            return
        for frame in frames:
            if frame["op"] == "ping":
                self.say({"op": "pong"})
            elif frame["op"] == "hello" or self._door.connection is self:
                self._door.host.on_frame(self, frame)

    def connection_lost(self, error: Exception | None) -> None:
        """Called by the loop; tasks go on."""
        if self._door.connection is self:
            self._door.connection = None
            self._door.host.watch_linger()

    def refuse(self, reason: str) -> None:
        """Say why, and hang up."""
        self.say({"op": "error", "message": reason})
        if self.transport is not None:
            self.transport.close()

    def say(self, frame: Frame) -> None:
        """Send one frame."""
        if self.transport is not None:
            self.transport.write(encode_frame(frame))


class WorkerSocket:
    """Where the worker connects. The newest connection is the worker: the older one belongs to a dead process."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.connection: WorkerConnection | None = None

    async def listen(self, folder: str, config: dict[str, Any]) -> None:
        """Open the door: for this machine, or at the address that the host was given."""
        loop = asyncio.get_running_loop()
        if config["listen"] is None:
            path = os.path.join(config["socket_folder"], "host.sock")
            await loop.create_unix_server(lambda: WorkerConnection(self), path)
            os.chmod(path, 0o600)
            return
        address, _, port = config["listen"].rpartition(":")
        context = _only_holders_of(os.path.join(folder, WORKER_KEY_FILE))
        await loop.create_server(lambda: WorkerConnection(self), address.strip("[]"), int(port), ssl=context)

    def accept(self, connection: WorkerConnection, hello: Frame) -> None:
        """Answer with all that the worker may have missed."""
        if hello["version"] != HOST_PROTOCOL_VERSION:
            connection.refuse(
                f"this host speaks protocol {HOST_PROTOCOL_VERSION}, the worker {hello['version']}; "
                "let its attempts end, then start the cluster anew"
            )
            return
        before, self.connection = self.connection, connection
        if before is not None and before is not connection and before.transport is not None:
            before.transport.close()
        connection.say(
            {
                "op": "hello",
                "version": HOST_PROTOCOL_VERSION,
                "pid": os.getpid(),
                "spark": self.host.lending.state,
                "attempts": self.host.describe_attempts(),
                "answers_ping": True,
            }
        )
        self.host.lending.say_again()
        self.host.watch_linger()

    def say(self, frame: Frame) -> None:
        """To the worker, if there is one."""
        if self.connection is not None:
            self.connection.say(frame)


def place_sockets(config: dict[str, Any], listen: str | None) -> None:
    """`listen` is `<address>:<port>` where the worker is on another machine; the folder may be ours to choose."""
    config["listen"] = listen
    if "socket_folder" not in config:
        config["socket_folder"] = tempfile.mkdtemp(prefix="hr-")


def _only_holders_of(key_file: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(key_file)
    context.load_verify_locations(key_file)
    return context


class TaskSocket:
    """Where tasks ask for Spark, and tell which secrets their logs must not show; each has keys of its own."""

    def __init__(self, host: Host) -> None:
        self._host = host

    async def listen(self, path: str) -> None:
        """Open the door."""
        await asyncio.start_unix_server(self._answer, path, limit=REQUEST_BYTES_MAX)
        os.chmod(path, 0o600)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = json.loads(await reader.readline())
            attempt_id, key = int(request["attempt_id"]), str(request["key"])
            if request["op"] == "attach":
                answer = await self._host.lending.attach(attempt_id, key, request.get("jars", []))
            elif request["op"] in ("environment", "java"):
                answer = help_to_install(self._host, attempt_id, key, request)
            elif request["op"] == "redact":
                answer = hide_values(self._host.attempts.get(attempt_id), key, request["values"])
            else:
                raise ValueError(f"unknown request {request['op']!r}")
        except (ValueError, KeyError, TypeError) as error:
            answer = {"error": f"not a request: {error}", "code": "CLUSTER_ERROR"}
        except ConnectionError:
            answer = {}
        try:
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        except ConnectionError:
            pass  # the task is gone
        writer.close()
