"""The secrets that this task process knows: kept out of the files that it writes, and told to the host for its log.

Those of the cluster are known from the start, others once they are read. Imported by every task: what it needs, it
imports when there is a secret.
"""

from __future__ import annotations

import json
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .redaction import Redactor

KEY_VARIABLE = "HEADRACE_REDACT_KEY"
CLUSTER_VARIABLE = "HEADRACE_CLUSTER_SECRETS"
# A file without a name, with what an earlier image of this process has learned.
LEARNED_VARIABLE = "HEADRACE_LEARNED_SECRETS"
HOST_SECONDS_MAX = 30
# The host looks for each in all that the task prints.
VALUES_MAX = 1_000
VALUES_BYTES_MAX = 8 * 1024 * 1024

_redactor: Redactor | None = None
_learned: set[bytes] = set()
_learned_bytes = 0
_host: dict[str, str] = {}
_cluster_path: str | None = None


def prepare() -> None:
    """Take what the host says out of the environment, so that programs of user code do not inherit it."""
    global _cluster_path
    _cluster_path = path = os.environ.pop(CLUSTER_VARIABLE, None)
    key = os.environ.pop(KEY_VARIABLE, None)
    if key is not None:
        _host.update(key=key, socket=os.environ["HEADRACE_HOST_SOCKET"], attempt_id=os.environ["HEADRACE_ATTEMPT"])
    if path is not None:
        for value in read_cluster_secrets(path):
            _remember(value)
    learned = os.environ.pop(LEARNED_VARIABLE, None)
    if learned is not None:
        _take_learned(int(learned))


def pass_on() -> dict[str, str]:
    """For the environment of a fresh image of this process, which writes files of the same attempt."""
    passed = {} if _cluster_path is None else {CLUSTER_VARIABLE: _cluster_path}
    if _host:
        passed[KEY_VARIABLE] = _host["key"]
        passed["HEADRACE_HOST_SOCKET"], passed["HEADRACE_ATTEMPT"] = _host["socket"], _host["attempt_id"]
    if _learned:
        import base64
        import tempfile

        with tempfile.TemporaryFile() as file:
            file.write(b"\n".join(base64.b64encode(value) for value in _learned))
            file.seek(0)
            descriptor = os.dup(file.fileno())
        os.set_inheritable(descriptor, True)
        passed[LEARNED_VARIABLE] = str(descriptor)
    return passed


def _take_learned(descriptor: int) -> None:
    global _learned_bytes
    import base64

    with os.fdopen(descriptor, "rb") as file:
        for line in file.read().split(b"\n"):
            value = base64.b64decode(line)
            _remember(value)
            _learned.add(value)
            _learned_bytes += len(value)


def read_cluster_secrets(path: str) -> list[bytes]:
    """What the cluster was given, from the host's configuration."""
    import base64

    with open(path, "rb") as file:
        return [base64.b64decode(value) for value in json.load(file).get("secret_values", [])]


def learn(value: bytes) -> None:
    """Before user code gets it. Raises when the host cannot be told: then its log would show the value."""
    global _learned_bytes
    if value in _learned:
        return
    if len(_learned) >= VALUES_MAX or _learned_bytes + len(value) > VALUES_BYTES_MAX:
        raise RuntimeError(
            f"one task can read {VALUES_MAX} different secrets of {VALUES_BYTES_MAX // 2**20} MiB together, "
            "for all that it prints is searched for them: read fewer, or divide the task"
        )
    _remember(value)
    _tell_host(value)
    _learned.add(value)
    _learned_bytes += len(value)


def redact_text(text: str) -> str:
    """A text without secrets."""
    if _redactor is None:
        return text
    return _redactor.redact(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")


def redact_head(text: str) -> str:
    """Of a text that was cut: also without the beginning of a secret at its end."""
    if _redactor is None:
        return text
    from .redaction import StreamRedactor

    return StreamRedactor(_redactor).feed(text.encode("utf-8", "surrogatepass")).decode("utf-8", "ignore")


def redact_json(value: Any) -> Any:
    """A JSON value without secrets in any of its texts and names."""
    if _redactor is None:
        return value
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        text = json.dumps(value)
        return value if redact_text(text) == text else redact_text(text)
    if isinstance(value, (list, tuple)):
        return [redact_json(entry) for entry in value]
    if isinstance(value, dict):
        return {redact_text(name): redact_json(entry) for name, entry in value.items()}
    return value


def _remember(value: bytes) -> None:
    global _redactor
    if _redactor is None:
        from .redaction import Redactor

        _redactor = Redactor()
    _redactor.add(value)


def _tell_host(value: bytes) -> None:
    if not _host:
        return  # a task without a host has no log
    import base64
    import socket

    request = {
        "op": "redact",
        "attempt_id": int(_host["attempt_id"]),
        "key": _host["key"],
        "values": [base64.b64encode(value).decode()],
    }
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(HOST_SECONDS_MAX)
            connection.connect(_host["socket"])
            connection.sendall(json.dumps(request).encode() + b"\n")
            answer = json.loads(connection.makefile("rb").readline() or b'{"error": "it hung up"}')
    except (OSError, ValueError) as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    if "error" in answer:
        raise RuntimeError(f"no secret can be read, for the host could not be told to hide it: {answer['error']}")
