"""`dbutils`: the object that user code finds under that name, in notebooks and in `databricks.sdk.runtime`."""

from __future__ import annotations

from .credentials import Credentials
from .fs import FileSystem
from .library import Library
from .notebook import Notebook
from .secrets import Secrets
from .summaries import Summaries
from .task_values import Jobs
from .widgets import Widgets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..context import TaskContext


class DBUtils:
    """Utilities of a task: credentials, data, fs, jobs, library, notebook, secrets, widgets. `dbutils.<name>.help()` says more."""

    def __init__(self, context: TaskContext) -> None:
        self.fs = FileSystem(context)
        self.jobs = Jobs(context)
        self.notebook = Notebook(context)
        self.widgets = Widgets(context)
        self.secrets = Secrets(context)
        self.library = Library(context)
        self.credentials = Credentials()
        self.data = Summaries()

    def help(self, name: str | None = None) -> None:
        """Print what there is."""
        if name is not None:
            getattr(self, name).help()
            return
        print(self.__doc__)
        for key, utility in vars(self).items():
            print(f"{key}: {(utility.__doc__ or '').splitlines()[0]}")

    def __getattr__(self, name: str) -> object:
        if name.startswith("_"):
            raise AttributeError(name)
        raise AttributeError(f"dbutils.{name} is not supported; there are: {', '.join(vars(self))}")


_dbutils: DBUtils | None = None


def get_dbutils() -> DBUtils:
    """The one `dbutils` of this task."""
    global _dbutils
    if _dbutils is None:
        from ..context import get_context

        _dbutils = DBUtils(get_context())
    return _dbutils
