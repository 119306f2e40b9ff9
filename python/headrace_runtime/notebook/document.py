"""`notebook.json`: the cells and outputs so far, replaced whole as they change."""

from __future__ import annotations

import json
import os
import re
import threading
import time

from .. import documents, known_secrets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..documents import CellState, NotebookOutput, TableColumn, TextOutput
    from .source import Cell

# Text of one cell; the whole of it is in the log. A page of it is some 4 kB.
CELL_TEXT_CHARACTERS_MAX = 256 * 1024
# What a browser should still open at once; outputs beyond it are replaced by a sentence.
NOTEBOOK_BYTES_MAX = 24 * 1024 * 1024
CELL_OUTPUTS_MAX = 200
# Of a cell under way, what it prints shows this late.
TEXT_SECONDS = 1.0
# Between two writes, times what the last one took: a notebook of 10,000 cells must not spend its time on this file.
PAUSE_SHARE = 20
STDERR = "stderr"
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")


class CellRecord:
    """A cell and what became of it."""

    def __init__(self, cell: Cell) -> None:
        self.language = cell.language
        self.source = cell.source
        self.title = cell.title
        self.state: CellState = "waiting"
        self.started_at_ms: int | None = None
        self.elapsed_ms: int | None = None
        self.outputs: list[NotebookOutput] = []
        self._text_left = CELL_TEXT_CHARACTERS_MAX
        self._is_cut = False

    def add(self, output: NotebookOutput) -> None:
        """Append an output; texts in a row become one, and an error is never left out."""
        if output["kind"] == "text":
            self.add_text(output["text"], is_error=output.get("stream") == STDERR)
        elif len(self.outputs) < CELL_OUTPUTS_MAX or output["kind"] == "error":
            self.outputs.append(output)
        else:
            self._mark_cut(f"\n… more than {CELL_OUTPUTS_MAX} outputs; the rest is not kept …\n")

    def add_text(self, text: str, *, is_error: bool = False) -> None:
        """What the cell prints, to standard output or to standard error."""
        if self._text_left <= 0 or not text:
            return
        kept = text[: self._text_left]
        self._text_left -= len(kept)
        self._append_text(kept, is_error=is_error)
        if len(kept) < len(text):
            self._redact_end()
        if self._text_left <= 0:
            self._mark_cut(
                f"\n… the cell printed more than {CELL_TEXT_CHARACTERS_MAX} characters; the log has more …\n"
            )

    def _append_text(self, text: str, *, is_error: bool = False) -> None:
        last = self.outputs[-1] if self.outputs else None
        if last is not None and last["kind"] == "text":
            is_same = (last.get("stream") == STDERR) == is_error
            if is_same or len(self.outputs) >= CELL_OUTPUTS_MAX:
                last["text"] += text
                return
        added: TextOutput = {"kind": "text", "text": text}
        if is_error:
            added["stream"] = "stderr"
        self.outputs.append(added)

    def _redact_end(self) -> None:
        """Half a secret is not found any more."""
        last = self.outputs[-1]
        if last["kind"] == "text":
            last["text"] = known_secrets.redact_head(last["text"])

    def _mark_cut(self, note: str) -> None:
        if not self._is_cut:
            self._is_cut = True
            self._append_text(note)

    def describe(self) -> dict[str, Any]:
        """What changes; for `restore` in a fresh process."""
        return {
            "state": self.state,
            "started_at_ms": self.started_at_ms,
            "elapsed_ms": self.elapsed_ms,
            "outputs": self.outputs,
        }

    def to_json(self) -> str:
        cell: dict[str, Any] = {"language": self.language, "source": self.source, **self.describe()}
        if self.title is not None:
            cell["title"] = self.title
        cell["outputs"] = [_without_secrets(output) for output in self.outputs]
        return json.dumps(cell, ensure_ascii=False)


def _without_secrets(output: NotebookOutput) -> NotebookOutput:
    if output["kind"] == "text":
        return {**output, "text": known_secrets.redact_text(_as_shown(output["text"]))}
    if output["kind"] == "html":
        return {"kind": "html", "html": known_secrets.redact_text(output["html"])}
    if output["kind"] == "error":
        message, trace = (known_secrets.redact_text(output[name]) for name in ("message", "trace"))
        return {"kind": "error", "message": message, "trace": trace}
    if output["kind"] == "table":
        columns: list[TableColumn] = [
            {"name": known_secrets.redact_text(column["name"]), "type": column["type"]} for column in output["columns"]
        ]
        return {**output, "columns": columns, "rows": known_secrets.redact_json(output["rows"])}
    return output  # nobody reads an image as text


def _as_shown(text: str) -> str:
    """Without colours, and of a line that was written over and over its last state, as a terminal shows them."""
    if "\x1b" in text:
        text = _ANSI.sub("", text)
    if "\r" in text:
        text = "\n".join([line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n")])
    return text


class NotebookFile:
    """Writes the document, as often as that stays cheap."""

    def __init__(self, folder: str, path: str, cells: list[Cell]) -> None:
        self._file = os.path.join(folder, documents.NOTEBOOK_FILE)
        self._path = path
        self.records = [CellRecord(cell) for cell in cells]
        # Of cells that have not changed since, and of those that will not change any more.
        self._texts: dict[int, str] = {}
        self._ended_bytes = 0
        # What user code forks has a copy of all this, and must not write.
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._written_at = float("-inf")
        self._pause = 0.0

    def change_cell(self, index: int) -> None:
        """The record has changed, and may change again."""
        self._texts.pop(index, None)
        self.write_soon(0)

    def end_cell(self, index: int) -> None:
        """The record will not change any more."""
        text = self.records[index].to_json()
        if self._ended_bytes + len(text) > NOTEBOOK_BYTES_MAX:
            record = self.records[index]
            errors = [output for output in record.outputs if output["kind"] == "error"]
            record.outputs = [
                {
                    "kind": "text",
                    "text": f"not shown: the notebook's outputs have more than {NOTEBOOK_BYTES_MAX} bytes\n",
                },
                *errors,
            ]
            text = record.to_json()
        self._texts[index] = text
        self._ended_bytes += len(text)
        self.write_soon(0)

    def describe(self) -> list[dict[str, Any]]:
        """For `restore` in a fresh process."""
        return [record.describe() for record in self.records]

    def restore(self, described: list[dict[str, Any]]) -> None:
        """Back to where an earlier process was."""
        for index, (record, before) in enumerate(zip(self.records, described, strict=False)):
            for name, value in before.items():
                setattr(record, name, value)
            if record.state not in ("waiting", "running"):
                self.end_cell(index)

    def skip_waiting(self) -> None:
        """No cell that has not begun will."""
        for index, record in enumerate(self.records):
            if record.state == "waiting":
                record.state = "skipped"
                self._texts.pop(index, None)

    def write_soon(self, seconds: float) -> None:
        """In so many seconds at the latest, or later when writing takes long; now if the last time is that long ago."""
        if self._pid != os.getpid():
            return
        left = self._written_at + max(self._pause, seconds) - time.monotonic()
        if left <= 0:
            self.write()
        elif self._timer is None:
            self._timer = threading.Timer(left, self._write_late)
            self._timer.daemon = True
            self._timer.start()

    def write(self) -> None:
        """Now."""
        if self._pid != os.getpid():
            return
        with self._lock:
            begun = time.monotonic()
            cells = ",".join([self._text_of(index) for index in range(len(self.records))])
            head = f'{{"version":{documents.PROTOCOL_VERSION},"path":{json.dumps(self._path, ensure_ascii=False)}'
            documents.replace_file(self._file, f'{head},"cells":[{cells}]}}')
            self._written_at = time.monotonic()
            self._pause = PAUSE_SHARE * (self._written_at - begun)

    def close(self) -> None:
        """The last time."""
        timer = self._timer
        if timer is not None:
            timer.cancel()
        self.write()

    def _write_late(self) -> None:
        self._timer = None
        try:
            self.write()
        except OSError:
            pass  # the cell's end will try again, and fail where it can be told

    def _text_of(self, index: int) -> str:
        text = self._texts.get(index)
        if text is not None:
            return text
        record = self.records[index]
        text = record.to_json()
        if record.state != "running":
            self._texts[index] = text
        return text
