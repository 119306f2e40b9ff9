"""`dbutils.widgets`: named parameters of the task. Values come from the task's settings, defaults from the code."""

from __future__ import annotations

from .help import WithHelp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ..context import TaskContext


class InputWidgetNotDefined(Exception):
    """A widget was read that neither the code nor the task's parameters define."""


class Widgets(WithHelp):
    """Parameters of the task."""

    def __init__(self, context: TaskContext) -> None:
        self._parameters = context.parameters
        self._defaults: dict[str, str] = {}
        self._removed: set[str] = set()

    def text(self, name: str, defaultValue: str = "", label: str | None = None) -> None:
        """Define a parameter with a default."""
        self._define(name, defaultValue)

    def combobox(
        self, name: str, defaultValue: str = "", choices: Sequence[str] = (), label: str | None = None
    ) -> None:
        """Define a parameter with suggestions; other values are allowed."""
        self._define(name, defaultValue)

    def dropdown(self, name: str, defaultValue: str, choices: Sequence[str], label: str | None = None) -> None:
        """Define a parameter whose value is one of the choices."""
        self._check_choices(name, [str(defaultValue), self._parameters.get(name, str(defaultValue))], choices)
        self._define(name, defaultValue)

    def multiselect(self, name: str, defaultValue: str, choices: Sequence[str], label: str | None = None) -> None:
        """Define a parameter whose value is some of the choices, joined by commas."""
        value = self._parameters.get(name, str(defaultValue))
        self._check_choices(name, [part for part in value.split(",") if part], choices)
        self._define(name, defaultValue)

    def get(self, name: str) -> str:
        """The value of a parameter."""
        if name not in self._removed:
            if name in self._parameters:
                return self._parameters[name]
            if name in self._defaults:
                return self._defaults[name]
        raise InputWidgetNotDefined(f"No input widget named {name} is defined")

    def getArgument(self, name: str, defaultValue: str | None = None) -> str | None:
        """The value of a parameter, or the default given here when there is none."""
        try:
            return self.get(name)
        except InputWidgetNotDefined:
            if defaultValue is None:
                raise
            return defaultValue

    def getAll(self) -> dict[str, str]:
        """Every parameter, those of the task's settings included."""
        values = {**self._defaults, **self._parameters}
        return {name: value for name, value in values.items() if name not in self._removed}

    def remove(self, name: str) -> None:
        """Remove one parameter."""
        self._defaults.pop(name, None)
        self._removed.add(name)

    def removeAll(self) -> None:
        """Remove all parameters."""
        for name in self.getAll():
            self.remove(name)

    def describe(self) -> dict[str, object]:
        """What code has defined and removed; parameters of the task are not among it."""
        return {"defaults": self._defaults, "removed": sorted(self._removed)}

    def restore(self, described: dict[str, Any]) -> None:
        """Back to what `describe` told, in a fresh process."""
        self._defaults.update(described["defaults"])
        self._removed.update(described["removed"])

    def _define(self, name: str, default: str) -> None:
        self._removed.discard(name)
        self._defaults[name] = str(default)

    def _check_choices(self, name: str, values: Sequence[str], choices: Sequence[str]) -> None:
        known = [str(choice) for choice in choices]
        for value in values:
            if value not in known:
                raise ValueError(f"widget {name}: {value!r} is not one of its choices: {', '.join(known)}")
