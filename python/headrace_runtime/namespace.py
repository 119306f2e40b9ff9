"""The names that user code finds without an import: `dbutils`, `spark`, `sc`, `sql`, `table`, `display`, …

Nothing is made before it is used: a light task must not pay for Spark, nor for `dbutils`.
"""

from __future__ import annotations

import sys
from types import ModuleType

from .sdk_runtime import load_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any

# Objects that code may hold, and ask for their class; the other names are functions.
_OBJECTS = ("spark", "sc", "sqlContext", "dbutils")
_FUNCTIONS = ("sql", "table", "udf", "display", "displayHTML", "getArgument")


def make_main_module() -> ModuleType:
    """A fresh `__main__` for user code, in the place of ours."""
    module = ModuleType("__main__")
    module.__dict__.update({name: make_stand_in(name) for name in (*_OBJECTS, *_FUNCTIONS)})
    module.__builtins__ = sys.modules["builtins"]  # type: ignore[attr-defined]
    sys.modules["__main__"] = module
    return module


def make_stand_in(name: str) -> Any:
    """What becomes the real thing when it is used."""
    return LazyObject(name) if name in _OBJECTS else _lazy_function(name)


def load_names_of(code: CodeType, namespace: dict[str, Any]) -> None:
    """Put the real objects in place of those stand-ins that this code mentions."""
    mentioned = _names_in(code)
    for name in _OBJECTS:
        if name in mentioned and type(namespace.get(name)) is LazyObject:
            namespace[name] = load_name(name)


class LazyObject:
    """Stands for an object until it is used, and then passes everything on to it."""

    __slots__ = ("_lazy_name",)

    def __init__(self, name: str) -> None:
        object.__setattr__(self, "_lazy_name", name)

    def __getattr__(self, name: str) -> Any:
        return getattr(load_name(self._lazy_name), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(load_name(self._lazy_name), name, value)

    def __dir__(self) -> list[str]:
        return dir(load_name(self._lazy_name))

    def __repr__(self) -> str:
        return repr(load_name(self._lazy_name))

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        """For `isinstance(spark, SparkSession)`."""
        return type(load_name(self._lazy_name))


def _lazy_function(name: str) -> Any:
    def call(*args: Any, **keywords: Any) -> Any:
        return load_name(name)(*args, **keywords)

    call.__name__ = call.__qualname__ = name
    return call


def _names_in(code: CodeType) -> set[str]:
    names: set[str] = set()
    pending = [code]
    while pending:
        current = pending.pop()
        names.update(current.co_names)
        pending += [constant for constant in current.co_consts if isinstance(constant, type(code))]
    return names
