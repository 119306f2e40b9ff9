"""What is put in the place of pyspark's own functions, and when it is not."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
from headrace_runtime import spark_arguments


def builtin_of(version_has: list[str]) -> Any:
    module: Any = ModuleType("builtin")
    for name in version_has:
        setattr(module, name, type(name, (), {}))
    return module


def test_literals_are_ours_where_pyspark_is_as_it_was() -> None:
    module = builtin_of([*spark_arguments._USED])
    original = module.lit

    spark_arguments._patch_literals(module)

    assert module.lit is not original


@pytest.mark.parametrize("missing", ["array", "Column", "_invoke_function", "_enum_to_value"])
def test_literals_stay_those_of_a_pyspark_that_has_changed(missing: str) -> None:
    module = builtin_of([name for name in spark_arguments._USED if name != missing])
    original = module.lit

    spark_arguments._patch_literals(module)

    assert module.lit is original
