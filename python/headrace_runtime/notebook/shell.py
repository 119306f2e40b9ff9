"""The IPython shell that runs Python cells inside the task's own process.

Imported only by a notebook task: IPython costs 0.3 s. A kernel in a process of its own would cost 1.5–2.9 s.
"""

from __future__ import annotations

import os
import sys
import tokenize
import warnings
from typing import TYPE_CHECKING, Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Type
from traitlets.config import Config

from .. import display
from ..namespace import load_names_of

if TYPE_CHECKING:
    from types import ModuleType

INLINE_BACKEND = "module://matplotlib_inline.backend_inline"
# Lets a cell use `await` outside a function, as IPython does.
_ALLOW_AWAIT = 0x2000


class TaskDisplayPublisher(DisplayPublisher):
    """`IPython.display.display` and matplotlib's figures become outputs of the cell."""

    def publish(self, data: Any, metadata: Any = None, *args: Any, **keywords: Any) -> None:
        display.publish(display.from_bundle(data))

    def clear_output(self, wait: bool = False) -> None:
        """Progress bars ask for this; a log cannot take back what it has."""


class TaskDisplayHook(DisplayHook):
    """The value of a cell's last expression becomes an output, without IPython's `Out[1]:`."""

    cell_source = ""

    def quiet(self) -> bool:
        """A semicolon at the end of a cell hides its value; IPython would look for the cell in its history."""
        hook: Any = self
        try:
            return bool(hook.semicolon_at_end_of_expression(self.cell_source))
        except (tokenize.TokenError, SyntaxError):
            return False  # a cell with a `!command` need not be Python from end to end

    def start_displayhook(self) -> None:
        pass

    def write_output_prompt(self) -> None:
        pass

    def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
        output = display.from_bundle(format_dict)
        if output["kind"] == "text":
            sys.stdout.write(output["text"])
        else:
            display.publish(output)

    def finish_displayhook(self) -> None:
        pass


class TaskShell(InteractiveShell):
    """Leaves the reporting of errors to the notebook's runner."""

    display_pub_class = Type(TaskDisplayPublisher)
    displayhook_class = Type(TaskDisplayHook)

    def showtraceback(self, *args: Any, **keywords: Any) -> None:
        pass

    def showsyntaxerror(self, *args: Any, **keywords: Any) -> None:
        pass

    def showindentationerror(self) -> None:
        pass

    def enable_gui(self, gui: Any = None) -> None:
        """`%matplotlib` asks for an event loop; a task has no window."""


class CellShell:
    """Runs cells in one namespace."""

    def __init__(self, module: ModuleType, folder: str) -> None:
        # Figures of pyplot appear in the cell that made them; read when user code imports matplotlib.
        os.environ.setdefault("MPLBACKEND", INLINE_BACKEND)
        config = Config()
        config.HistoryManager.enabled = False
        config.InteractiveShell.colors = "nocolor"
        config.InteractiveShell.cache_size = 0
        config.InteractiveShell.autocall = 0
        self.namespace: dict[str, Any] = module.__dict__
        self._shell: Any = TaskShell.instance(
            config=config,
            user_module=module,
            user_ns=module.__dict__,
            ipython_dir=os.path.join(folder, "ipython"),
        )
        # IPython's own took `io.open` when it was imported, in a zygote before that was made to know hosted folders.
        self.namespace.pop("open", None)
        self._cell_name = "<cell>"
        compiler: Any = self._shell.compile
        compiler.get_code_name = lambda *args: self._cell_name
        # IPython's advice about sys.exit is for people at a keyboard.
        warnings.filterwarnings("ignore", message="To exit: use 'exit', 'quit', or Ctrl-D.")

    def register_magic(self, name: str, function: Any, kind: str = "line") -> None:
        self._shell.register_magic_function(function, magic_kind=kind, magic_name=name)

    def run(self, code: str, cell_name: str) -> BaseException | None:
        """Run one cell; gives what it raised."""
        self._load_names(code)
        hook = self._shell.displayhook
        outer_name, outer_source = self._cell_name, hook.cell_source
        self._cell_name, hook.cell_source = cell_name, code
        try:
            result = self._shell.run_cell(code, store_history=False)
        finally:
            self._cell_name, hook.cell_source = outer_name, outer_source
        error: BaseException | None = result.error_before_exec or result.error_in_exec
        return error

    def _load_names(self, code: str) -> None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                compiled = compile(
                    self._shell.transform_cell(code), "<cell>", "exec", flags=_ALLOW_AWAIT, dont_inherit=True
                )
        except (SyntaxError, ValueError):
            return  # running the cell will say so
        load_names_of(compiled, self.namespace)
