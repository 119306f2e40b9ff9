"""What a notebook keeps over `dbutils.library.restartPython()`, written by the old Python and read by the fresh one."""

from __future__ import annotations

import json
import os

from .. import documents
from ..dbutils import get_dbutils

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..context import TaskContext
    from .document import NotebookFile

FILE = "restart.json"


def save(context: TaskContext, document: NotebookFile, position: list[int]) -> None:
    """`position` leads to the cell that asked: its index, and in cells that include a notebook the index within."""
    state = {
        "position": position,
        "widgets": get_dbutils().widgets.describe(),
        "task_values": context.own_task_values,
        "cells": document.describe(),
    }
    documents.replace_file(os.path.join(context.folder, FILE), json.dumps(state, ensure_ascii=False))


def take_up(context: TaskContext, document: NotebookFile) -> list[int]:
    """The position, empty when the notebook has not begun; the rest is put back where it was."""
    path = os.path.join(context.folder, FILE)
    try:
        with open(path, encoding="utf-8") as file:
            state = json.load(file)
    except FileNotFoundError:
        return []
    os.unlink(path)
    get_dbutils().widgets.restore(state["widgets"])
    context.own_task_values.update(state["task_values"])
    document.restore(state["cells"])
    position: list[int] = state["position"]
    return position
