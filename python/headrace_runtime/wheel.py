"""python_wheel_task: finds the entry point of an installed package and calls it."""

from __future__ import annotations

import re
import sys

from .failures import TaskFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.metadata import Distribution, EntryPoint
    from typing import Any

    from .documents import WheelTask


def run_wheel(task: WheelTask) -> None:
    """Call the entry point with the task's parameters in `sys.argv`; what it returns means nothing."""
    named = [f"--{name}={value}" for name, value in task["named_parameters"].items()]
    sys.argv = [task["entry_point"], *task["parameters"], *named]
    function = find_function(task["package_name"], task["entry_point"])
    function()


def find_function(package_name: str, entry_point: str) -> Callable[[], Any]:
    """The entry point of that name: a console script, one of any group, else a function of the package itself."""
    from importlib import metadata

    try:
        distribution = metadata.distribution(package_name)
    except metadata.PackageNotFoundError:
        raise TaskFailure("RUN_EXECUTION_ERROR", _describe_missing_package(package_name)) from None
    matches = [point for point in distribution.entry_points if point.name == entry_point]
    matches.sort(key=lambda point: point.group != "console_scripts")
    if matches:
        function: Callable[[], Any] = matches[0].load()
        return function
    return _find_in_package(package_name, entry_point, distribution)


def _find_in_package(package_name: str, entry_point: str, distribution: Distribution) -> Callable[[], Any]:
    import importlib

    module_name = re.sub(r"[-.]+", "_", package_name)
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name != module_name:
            raise
        module = None
    function = getattr(module, entry_point, None)
    if not callable(function):
        raise TaskFailure("RUN_EXECUTION_ERROR", _describe_missing_point(package_name, entry_point, distribution))
    found: Callable[[], Any] = function
    return found


def _describe_missing_point(package_name: str, entry_point: str, distribution: Distribution) -> str:
    points: list[EntryPoint] = list(distribution.entry_points)
    names = sorted({point.name for point in points if point.group != "console_scripts"})
    names += sorted({point.name for point in points if point.group == "console_scripts"} - set(names))
    known = f"it has: {', '.join(names)}" if names else "it has none"
    return f"package {package_name} {distribution.version} has no entry point {entry_point!r}; {known}"


def _describe_missing_package(package_name: str) -> str:
    return (
        f"package {package_name} is not installed: none of the task's libraries provides it; "
        "add its wheel to the task's libraries"
    )
