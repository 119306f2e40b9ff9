"""Reads notebooks in their source form: `.py` and `.sql` with cell markers, plain files, and `.ipynb`."""

from __future__ import annotations

import json
import re

from ..failures import TaskFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from ..documents import CellLanguage

PYTHON_HEADER = "# Databricks notebook source"
SQL_HEADER = "-- Databricks notebook source"
SCALA_HEADER = "// Databricks notebook source"
# In the metadata of `.ipynb` that was exported from a hosted workspace.
_NOTEBOOK_METADATA = "application/vnd.databricks.v1+notebook"
_CELL_METADATA = "application/vnd.databricks.v1+cell"

# `%%sql` is how notebooks outside hosted workspaces write the same; other `%%` are IPython's own.
_FIRST_MAGIC = re.compile(r"\s*%(?:%(?=(?:md|sql|sh|fs)\b))?(\w+)[ \t]*")
# How the first magic of a cell decides its language; line magics that stay Python are IPython's.
_LANGUAGES: dict[str, CellLanguage] = {
    "md": "markdown",
    "sql": "sql",
    "run": "run",
    "python": "python",
}


class Cell:
    """One cell of a source file."""

    __slots__ = ("code", "language", "source", "title")

    def __init__(self, language: CellLanguage, source: str, code: str, title: str | None = None) -> None:
        self.language = language
        self.title = title
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
    if first_line == SCALA_HEADER or path.lower().endswith(".scala"):
        refuse_language("Scala")
    if path.lower().endswith(".r"):
        refuse_language("R")
    language: CellLanguage = "sql" if path.endswith(".sql") else "python"
    return [Cell(language, text, text)] if text.strip() else []


def refuse_language(language: str) -> NoReturn:
    """It is a notebook, and not one that can run here."""
    raise TaskFailure(
        "RUN_EXECUTION_ERROR", f"this notebook is written in {language}: Headrace runs Python and SQL notebooks"
    )


def _parse_marked(text: str, comment: str, default: CellLanguage) -> list[Cell]:
    separator = re.compile(rf"^{comment} COMMAND -+[ \t]*$", re.MULTILINE)
    body = text.partition("\n")[2]
    cells = (_parse_marked_cell(part, comment, default) for part in separator.split(body))
    return [cell for cell in cells if cell.source.strip()]


def _parse_marked_cell(part: str, comment: str, default: CellLanguage) -> Cell:
    titles = re.compile(rf"^{comment} DBTITLE \d+,(.*)$\n?", re.MULTILINE)
    magic = re.compile(rf"^{comment} MAGIC ?(.*)$")
    title = titles.search(part)
    cell = _parse_untitled(titles.sub("", part, count=1).strip("\n").split("\n"), magic, comment, default)
    cell.title = title[1].strip() or None if title else None
    return cell


def _parse_untitled(lines: list[str], magic: re.Pattern[str], comment: str, default: CellLanguage) -> Cell:
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
        return Cell("python" if match or source.lstrip().startswith("%%") else default, source, source)
    return Cell(language, source, source[match.end() :].lstrip("\n"))


def _parse_ipynb(text: str) -> list[Cell]:
    try:
        notebook = json.loads(text)
        cells, metadata = notebook["cells"], notebook.get("metadata", {})
        default = _language_of(metadata)
        return [cell for cell in (_parse_ipynb_cell(cell, default) for cell in cells) if cell.source.strip()]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise TaskFailure(
            "RUN_EXECUTION_ERROR",
            f"the notebook's file is no valid .ipynb of format 4: {type(error).__name__}: {error}",
        ) from None


def _language_of(metadata: dict[str, Any]) -> CellLanguage:
    named = (
        metadata.get(_NOTEBOOK_METADATA, {}).get("language"),
        metadata.get("kernelspec", {}).get("language"),
        metadata.get("language_info", {}).get("name"),
    )
    language = next((name for name in named if name), "python").lower()
    if language in ("scala", "r"):
        refuse_language(language.capitalize())
    return "sql" if language == "sql" else "python"


def _parse_ipynb_cell(cell: dict[str, Any], default: CellLanguage) -> Cell:
    raw = cell.get("source", "")
    source = "".join(raw) if isinstance(raw, list) else str(raw)
    if cell.get("cell_type") != "code":
        return Cell("markdown", source, source)
    parsed = make_cell(source, default)
    details = cell.get("metadata", {}).get(_CELL_METADATA, {})
    parsed.title = (details.get("title") or None) if details.get("showTitle", True) else None
    return parsed
