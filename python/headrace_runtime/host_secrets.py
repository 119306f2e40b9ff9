"""Which secrets the host keeps out of logs and messages: those that its cluster was given, and those that tasks read."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .known_secrets import CLUSTER_VARIABLE
from .redaction import Redactor, StreamRedactor

if TYPE_CHECKING:
    from .hosted import Attempt

COPY_BYTES = 256 * 1024


class ClusterSecrets:
    """Values that stood behind `{{secrets/…}}` in the cluster's configuration and environment."""

    def __init__(self, folder: str, config: dict[str, Any]) -> None:
        self._folder = folder
        self.values = [base64.b64decode(value) for value in config.get("secret_values", [])]
        # Tasks read them from there: a variable is for their programs to inherit, and has a size limit.
        self.environment = {CLUSTER_VARIABLE: os.path.join(folder, "config.json")} if self.values else {}
        self._redactor = Redactor(self.values) if self.values else None

    def hide_in(self, attempt: Attempt) -> None:
        """From the first line on."""
        if self.values and attempt.pump is not None:
            attempt.pump.hide(self.values)

    @contextmanager
    def hidden_file(self, path: str) -> Iterator[str]:
        """Where to write what shall stand at `path` without secrets: there, or in the host's folder until the end."""
        if self._redactor is None:
            yield path
            return
        draft = os.path.join(self._folder, "unredacted.log")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.close(descriptor)
        try:
            yield draft
        finally:
            stream = StreamRedactor(self._redactor)
            with open(draft, "rb") as source, open(path, "ab") as target:
                while piece := source.read(COPY_BYTES):
                    target.write(stream.feed(piece))
                target.write(stream.flush())
            os.unlink(draft)

    def redact_text(self, text: str) -> str:
        """A message of the host or its driver."""
        return text if self._redactor is None else self._redactor.redact(text.encode()).decode()


def hide_values(attempt: Attempt | None, key: str, values: list[str]) -> dict[str, Any]:
    """A task has read secrets; it waits for this answer before it uses them."""
    if attempt is None or not attempt.is_live or attempt.redact_key != key or attempt.pump is None:
        return {"error": "this task is not known here (any more)"}
    attempt.pump.hide(base64.b64decode(value) for value in values)
    return {}
