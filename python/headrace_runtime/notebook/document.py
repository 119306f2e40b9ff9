"""`notebook.json`: the cells and outputs so far, replaced whole after each change of a cell's state."""

from __future__ import annotations

import json
import os

from .. import documents, known_secrets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..documents import CellState, NotebookOutput, TableColumn
    from .source import Cell

# Text of one cell; the whole of it is in the log. A page of it is some 4 kB.
CELL_TEXT_CHARACTERS_MAX = 256 * 1024
# What a browser should still open at once; outputs beyond it are replaced by a sentence.
NOTEBOOK_BYTES_MAX = 24 * 1024 * 1024
CELL_OUTPUTS_MAX = 200


class CellRecord:
    """A cell and what became of it."""

    def __init__(self, cell: Cell) -> None:
        self.language = cell.language
        self.source = cell.source
        self.state: CellState = "waiting"
        self.elapsed_ms: int | None = None
        self.outputs: list[NotebookOutput] = []
        self._text_left = CELL_TEXT_CHARACTERS_MAX
        self._is_cut = False

    def add(self, output: NotebookOutput) -> None:
        """Append an output; texts in a row become one, and an error is never left out."""
        if output["kind"] == "text":
            self.add_text(output["text"])
        elif len(self.outputs) < CELL_OUTPUTS_MAX or output["kind"] == "error":
            self.outputs.append(output)
        else:
            self._mark_cut(f"\n… more than {CELL_OUTPUTS_MAX} outputs; the rest is not kept …\n")

    def add_text(self, text: str) -> None:
        if self._text_left <= 0 or not text:
            return
        kept = text[: self._text_left]
        self._text_left -= len(kept)
        self._append_text(kept)
        if len(kept) < len(text):
            self._redact_end()
        if self._text_left <= 0:
            self._mark_cut(
                f"\n… the cell printed more than {CELL_TEXT_CHARACTERS_MAX} characters; the log has more …\n"
            )

    def _append_text(self, text: str) -> None:
        last = self.outputs[-1] if self.outputs else None
        if last is not None and last["kind"] == "text":
            last["text"] += text
        else:
            self.outputs.append({"kind": "text", "text": text})

    def _redact_end(self) -> None:
        """Half a secret is not found any more."""
        last = self.outputs[-1]
        if last["kind"] == "text":
            last["text"] = known_secrets.redact_head(last["text"])

    def _mark_cut(self, note: str) -> None:
        if not self._is_cut:
            self._is_cut = True
            self._append_text(note)

    def to_json(self) -> str:
        cell = {
            "language": self.language,
            "source": self.source,
            "state": self.state,
            "elapsed_ms": self.elapsed_ms,
            "outputs": [_without_secrets(output) for output in self.outputs],
        }
        return json.dumps(cell, ensure_ascii=False)


def _without_secrets(output: NotebookOutput) -> NotebookOutput:
    if output["kind"] == "text":
        return {"kind": "text", "text": known_secrets.redact_text(output["text"])}
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


class NotebookFile:
    """Writes the document. Cells that have ended are turned into JSON once."""

    def __init__(self, folder: str, path: str, cells: list[Cell]) -> None:
        self._file = os.path.join(folder, documents.NOTEBOOK_FILE)
        self._path = path
        self.records = [CellRecord(cell) for cell in cells]
        self._ended: dict[int, str] = {}
        self._ended_bytes = 0

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
        self._ended[index] = text
        self._ended_bytes += len(text)

    def describe(self) -> list[dict[str, Any]]:
        """For `restore` in a fresh process."""
        return [{"state": each.state, "elapsed_ms": each.elapsed_ms, "outputs": each.outputs} for each in self.records]

    def restore(self, described: list[dict[str, Any]]) -> None:
        """Back to where an earlier process was."""
        for index, (record, before) in enumerate(zip(self.records, described, strict=False)):
            record.state, record.elapsed_ms = before["state"], before["elapsed_ms"]
            record.outputs = before["outputs"]
            if record.state not in ("waiting", "running"):
                self.end_cell(index)

    def write(self) -> None:
        cells = ",".join(self._ended.get(index) or record.to_json() for index, record in enumerate(self.records))
        head = f'{{"version":{documents.PROTOCOL_VERSION},"path":{json.dumps(self._path, ensure_ascii=False)}'
        documents.replace_file(self._file, f'{head},"cells":[{cells}]}}')
