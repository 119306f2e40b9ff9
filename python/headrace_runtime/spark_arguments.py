"""Spares tasks what pyspark imports in order to ask whether a value is NumPy's: its own test tools, and with them
pandas, pyarrow and unittest, 0.3 s of each process. It asks so of each argument of a call to the JVM, and of each
literal. Nothing is NumPy's where nobody has imported it.

Written against the insides of pyspark 4.2.0; where a name of theirs is missing, pyspark's own code stays.
"""

from __future__ import annotations

import functools
import sys

from .import_hooks import run_after_import

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

_FUNCTIONS = "pyspark.sql.functions"
# Of that module.
_USED = ("lit", "array", "Column", "_invoke_function", "_enum_to_value")
# What has its own name for it when it is imported.
_TAKEN_BY = (_FUNCTIONS, "pyspark.sql.session")


def patch_converters() -> None:
    """Of arguments, now; of literals, when their functions are there."""
    from pyspark.sql import types

    def is_scalar(self: Any, value: Any) -> bool:
        kind = _numpy_class("generic")
        return kind is not None and isinstance(value, kind)

    def is_array(self: Any, value: Any) -> bool:
        kind = _numpy_class("ndarray")
        return kind is not None and isinstance(value, kind) and value.ndim == 1

    for name, can_convert in (("NumpyScalarConverter", is_scalar), ("NumpyArrayConverter", is_array)):
        converter: Any = getattr(types, name, None)
        if hasattr(converter, "can_convert"):
            converter.can_convert = can_convert
    run_after_import(f"{_FUNCTIONS}.builtin", _patch_literals)


def _numpy_class(name: str) -> Any:
    """None also while it is half-way through its import, on another thread."""
    return getattr(sys.modules.get("numpy"), name, None)


def _patch_literals(module: ModuleType) -> None:
    builtin: Any = module
    if not all(hasattr(builtin, name) for name in _USED):
        return  # of another version, or half-way through its own import
    original = builtin.lit
    try:
        from pyspark.sql.utils import is_remote
    except ImportError:
        return

    @functools.wraps(original)
    def lit(col: Any) -> Any:
        if "numpy" in sys.modules or is_remote():
            return original(col)
        if isinstance(col, builtin.Column):
            return col
        if not isinstance(col, list):
            return builtin._invoke_function("lit", builtin._enum_to_value(col))
        if any(isinstance(each, builtin.Column) for each in col):
            return original(col)  # refuses it, in its own words
        return builtin.array(*[lit(each) for each in col])

    builtin.lit = lit
    for name in _TAKEN_BY:
        taker: Any = sys.modules.get(name)
        if getattr(taker, "lit", None) is original:
            taker.lit = lit
