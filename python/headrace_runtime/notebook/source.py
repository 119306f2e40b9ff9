"""Reads notebooks in their source form: `.py` and `.sql` with cell markers, plain files, and `.ipynb`."""

from __future__ import annotations

import json
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..documents import CellLanguage

PYTHON_HEADER = "# Databricks notebook source"
SQL_HEADER = "-- Databricks notebook source"

_FIRST_MAGIC = re.compile(r"\s*%(\w+)[ \t]*")
# How the first magic of a cell decides its language; line magics that stay Python are IPython's.
_LANGUAGES: dict[str, CellLanguage] = {
    "md": "markdown",
    "sql": "sql",
    "run": "run",
    "python": "python",
}


class Cell:
    """One cell of a source file."""

    __slots__ = ("code", "language", "source")

    def __init__(self, language: CellLanguage, source: str, code: str) -> None:
        self.language = language
        #: as people see it, with its magic
        self.source = source
        #: what is to be run: without the magic that names the language
        self.code = code


def parse_notebook(text: str, path: str) -> list[Cell]:
    """The cells of a notebook, empty ones left out."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    first_line = text.partition("\n")[0].strip()
    if first_line == PYTHON_HEADER:
        return _parse_marked(text, "#", "python")
    if first_line == SQL_HEADER:
        return _parse_marked(text, "--", "sql")
    if path.endswith(".ipynb") or (text.lstrip().startswith("{") and '"cells"' in text and '"nbformat"' in text):
        return _parse_ipynb(text)
    language: CellLanguage = "sql" if path.endswith(".sql") else "python"
    return [Cell(language, text, text)] if text.strip() else []


def _parse_marked(text: str, comment: str, default: CellLanguage) -> list[Cell]:
    separator = re.compile(rf"^{comment} COMMAND -+[ \t]*$", re.MULTILINE)
    body = text.partition("\n")[2]
    cells = (_parse_marked_cell(part, comment, default) for part in separator.split(body))
    return [cell for cell in cells if cell.source.strip()]


def _parse_marked_cell(part: str, comment: str, default: CellLanguage) -> Cell:
    title = re.compile(rf"^{comment} DBTITLE \d+,.*$\n?", re.MULTILINE)
    magic = re.compile(rf"^{comment} MAGIC ?(.*)$")
    lines = title.sub("", part, count=1).strip("\n").split("\n")
    matches = [magic.match(line) for line in lines]
    if not any(matches):
        return Cell(default, "\n".join(lines), "\n".join(lines))
    others_are_empty = all(
        match or not line.strip() or line.startswith(comment) for match, line in zip(matches, lines, strict=True)
    )
    if others_are_empty:
        source = "\n".join(match[1] for match in matches if match)
    else:
        source = "\n".join(match[1] if match else line for match, line in zip(matches, lines, strict=True))
    return make_cell(source, default)


def make_cell(source: str, default: CellLanguage) -> Cell:
    """A cell whose first magic, if it has one, names its language."""
    match = _FIRST_MAGIC.match(source)
    name = match[1] if match else ""
    if match and source.lstrip().startswith("%md-sandbox"):
        return Cell("markdown", source, source.lstrip()[len("%md-sandbox") :].strip())
    language = _LANGUAGES.get(name)
    if match is None or language is None:
        # Other magics (%pip, %sh, %fs, %scala) are Python cells whose magic is run or refused there.
        return Cell("python" if match else default, source, source)
    return Cell(language, source, source[match.end() :].lstrip("\n"))


def _parse_ipynb(text: str) -> list[Cell]:
    cells = []
    for cell in json.loads(text).get("cells", []):
        raw = cell.get("source", "")
        source = "".join(raw) if isinstance(raw, list) else str(raw)
        if source.strip():
            kind = cell.get("cell_type")
            cells.append(Cell("markdown", source, source) if kind != "code" else make_cell(source, "python"))
    return cells
