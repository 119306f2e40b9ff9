"""`dbutils.library`: only what notebooks call after `%pip install`."""

from __future__ import annotations

import importlib

from .help import WithHelp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..context import TaskContext


class Library(WithHelp):
    """Makes packages of `%pip install` importable."""

    def __init__(self, context: TaskContext) -> None:
        self._context = context

    def restartPython(self) -> None:
        """Packages are importable at once; the process goes on, and modules already imported keep their version."""
        importlib.invalidate_caches()
