"""`dbutils.library`: a fresh Python for the cells that follow, mostly after `%pip install`."""

from __future__ import annotations

from ..failures import PythonRestart
from .help import WithHelp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..context import TaskContext


class Library(WithHelp):
    """Starts Python anew."""

    def __init__(self, context: TaskContext) -> None:
        self._context = context

    def restartPython(self) -> None:
        """Go on with the next cell in a fresh Python: variables and imports are gone; widgets, task values, temporary
        views and what %pip has installed stay."""
        if self._context.notebook_path is None:
            raise RuntimeError(
                "dbutils.library.restartPython() belongs into a notebook: a script has no cells to go on with"
            )
        raise PythonRestart
