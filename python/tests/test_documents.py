"""`documents.py` and `protocol.ts` describe the same files: the names, the version and the failure codes agree."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from headrace_runtime import documents

ROOT = Path(__file__).resolve().parents[2]
PROTOCOL = (ROOT / "packages/worker/src/protocol.ts").read_text()

# Written by the notebook as plain objects, whose shape the contract of the API checks when the page reads them.
NOTEBOOK = {"path", "cells", "language", "source", "title", "started_at_ms", "elapsed_ms", "outputs"}
# Lines of messages.jsonl, likewise plain.
MESSAGES = {"value"}


def test_both_sides_name_the_same_fields() -> None:
    named = set(re.findall(r"readonly (\w+)\??:", PROTOCOL))
    # Types of table columns are written without `readonly`.
    named |= set(re.findall(r"readonly \{ (\w+): string; (\w+): string \}\[\]", PROTOCOL)[0])

    assert named - NOTEBOOK - MESSAGES == python_fields()


def test_both_sides_speak_one_version() -> None:
    assert f"protocolVersion = {documents.PROTOCOL_VERSION};" in PROTOCOL


def test_both_sides_know_the_same_failure_codes() -> None:
    result = PROTOCOL[PROTOCOL.index("interface ResultDocument") :]
    typescript = re.findall(r"'([A-Z_]+)'", result[: result.index("\n}")])

    assert sorted(typescript) == sorted(literals("FailureCode"))


def test_messages_beyond_what_the_worker_reads_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MESSAGES_BYTES_MAX", 100)
    documents.append_message(str(tmp_path), {"kind": "task_value", "name": "a", "value": "x" * 40})

    with pytest.raises(ValueError, match="all task values of one task together"):
        documents.append_message(str(tmp_path), {"kind": "task_value", "name": "b", "value": "x" * 40})

    assert len((tmp_path / documents.MESSAGES_FILE).read_text().splitlines()) == 1


def test_both_sides_have_the_same_limit_of_messages() -> None:
    folder = (ROOT / "packages/worker/src/attempt-folder.ts").read_text()

    assert f"messagesBytesMax = {documents.MESSAGES_BYTES_MAX // 2**20} * 1024 * 1024" in folder


def python_fields() -> set[str]:
    classes = [node for node in ast.walk(tree()) if isinstance(node, ast.ClassDef)]
    return {
        field.target.id
        for each in classes
        for field in each.body
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
    }


def literals(name: str) -> list[str]:
    [assignment] = [
        node
        for node in ast.walk(tree())
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == name
    ]
    return [node.value for node in ast.walk(assignment.value) if isinstance(node, ast.Constant)]


def tree() -> ast.Module:
    return ast.parse(Path(documents.__file__).read_text())
