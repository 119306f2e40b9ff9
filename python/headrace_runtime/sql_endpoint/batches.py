"""The rows of a result while they arrive: in memory as far as they are few, then in a file of this attempt's."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from typing import Any

MEMORY_BYTES_MAX = 32 * 1024 * 1024


class Batches:
    """Record batches in the order in which they arrived; `ordered` gives them in the result's."""

    def __init__(self) -> None:
        self.bytes = 0
        self._kept: list[Any] = []
        self._path: str | None = None
        self._writer: Any = None
        self._sink: Any = None

    def add(self, batch: Any) -> None:
        import pyarrow

        self.bytes += batch.nbytes
        if self._writer is None and self.bytes <= MEMORY_BYTES_MAX:
            self._kept.append(batch)
            return
        if self._writer is None:
            descriptor, self._path = tempfile.mkstemp(prefix="statement-", suffix=".arrow")
            os.close(descriptor)
            self._sink = pyarrow.OSFile(self._path, "wb")
            self._writer = pyarrow.ipc.new_file(self._sink, batch.schema)
        self._writer.write_batch(batch)

    def ordered(self, order: list[int]) -> Iterator[Any]:
        import pyarrow

        reader = None
        if self._writer is not None:
            self._end_writing()
            reader = pyarrow.ipc.open_file(pyarrow.memory_map(self._path))
        for index in order:
            if index < len(self._kept):
                yield self._kept[index]
            else:
                assert reader is not None
                yield reader.get_batch(index - len(self._kept))

    def close(self) -> None:
        self._end_writing()
        if self._path is not None:
            os.unlink(self._path)
            self._path = None

    def _end_writing(self) -> None:
        if self._sink is not None:
            self._writer.close()
            self._sink.close()
            self._sink = None
