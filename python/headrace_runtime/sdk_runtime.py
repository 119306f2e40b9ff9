"""Supplies the module `databricks.sdk.runtime`, and `pyspark.dbutils`, to user code.

Only these two names: the vendor's Apache-2.0 package stays as it is installed. The module is put in place before any
import, so `from databricks.sdk.runtime import dbutils` does not load that package (1.2 s on two cores, 2026-11).
"""

from __future__ import annotations

import sys
from types import ModuleType

from .import_hooks import run_after_import

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

RUNTIME_MODULE = "databricks.sdk.runtime"
NAMES = ("dbutils", "spark", "sc", "sqlContext", "sql", "table", "udf", "display", "displayHTML", "getArgument")

# `importlib.machinery.ModuleSpec` without the import.
_module_spec = type(sys.__spec__)


def install_runtime_modules() -> None:
    runtime = RuntimeModule(RUNTIME_MODULE)
    for module in (runtime, DbutilsModule("pyspark.dbutils")):
        module.__spec__ = _module_spec(module.__name__, None)
        sys.modules[module.__name__] = module
    run_after_import("databricks", _make_submodule_reachable)
    run_after_import("databricks.sdk", lambda module: setattr(module, "runtime", runtime))
    run_after_import("databricks.sdk.service.workspace", _hide_what_is_read)


def load_name(name: str) -> Any:
    """The object that user code knows under one of `NAMES`; what needs Spark attaches to it."""
    if name == "dbutils":
        from .dbutils import get_dbutils

        return get_dbutils()
    if name in ("display", "displayHTML"):
        from . import display

        return getattr(display, name)
    if name == "getArgument":
        return load_name("dbutils").widgets.getArgument
    if name == "udf":
        from pyspark.sql.functions import udf

        return udf
    from .attach import get_session

    session = get_session()
    if name == "spark":
        return session
    if name == "sc":
        return session.sparkContext
    if name == "sqlContext":
        from pyspark.sql import SQLContext

        return SQLContext(session.sparkContext, session)
    return session.sql if name == "sql" else session.table


class RuntimeModule(ModuleType):
    """Makes each name on first use."""

    is_local_implementation = False
    # The vendor's package asks for these when it looks for credentials; DATABRICKS_HOST and _TOKEN have them.
    init_runtime_native_auth = None
    init_runtime_native_unified = None

    @staticmethod
    def init_runtime_repl_auth() -> tuple[None, None]:
        return None, None

    @staticmethod
    def init_runtime_legacy_auth() -> tuple[None, None]:
        return None, None

    @property
    def __all__(self) -> tuple[str, ...]:
        """Python asks for this when somebody imports `*`, and then for each name: that must not make a session."""
        self.__dict__["_starred"] = set(NAMES)
        return NAMES

    def __getattr__(self, name: str) -> Any:
        if name not in NAMES:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        starred = self.__dict__.get("_starred", set())
        if name in starred:
            from .namespace import make_stand_in

            starred.remove(name)
            return make_stand_in(name)
        value = load_name(name)
        setattr(self, name, value)
        return value


class DbutilsModule(ModuleType):
    """`from pyspark.dbutils import DBUtils; DBUtils(spark)`, the older spelling."""

    @staticmethod
    def DBUtils(spark: object = None) -> Any:
        return load_name("dbutils")


def _hide_what_is_read(module: ModuleType) -> None:
    """A secret that user code reads through the vendor's client is one that logs must not show."""
    api: Any = getattr(module, "SecretsAPI", None)
    if api is None:
        return
    get_secret = api.get_secret

    def get_and_hide(self: Any, *args: Any, **keywords: Any) -> Any:
        import base64

        from . import known_secrets

        secret = get_secret(self, *args, **keywords)
        if secret.value:
            known_secrets.learn(base64.b64decode(secret.value))
        return secret

    api.get_secret = get_and_hide


def _make_submodule_reachable(databricks: ModuleType) -> None:
    """`import databricks.sdk.runtime` finds the last part in place and so skips the middle: load that when asked for."""

    def load_submodule(name: str) -> Any:
        if name == "sdk":
            import importlib

            return importlib.import_module("databricks.sdk")
        raise AttributeError(f"module 'databricks' has no attribute {name!r}")

    databricks.__dict__["__getattr__"] = load_submodule
