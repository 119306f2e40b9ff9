"""Runs a function right after a module was imported, without importing it ourselves."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

    AfterImport = Callable[[ModuleType], None]


def run_after_import(name: str, action: AfterImport) -> None:
    """Call `action(module)` once `name` is imported; at once if it is already."""
    module = sys.modules.get(name)
    if module is not None:
        action(module)
        return
    _finder.actions[name] = action
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)


class AfterImportFinder:
    """Not derived from `importlib.abc`, whose import alone would cost a light task more than the rest of its start."""

    def __init__(self) -> None:
        self.actions: dict[str, AfterImport] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        action = self.actions.get(fullname)
        if action is None:
            return None
        for finder in sys.meta_path:
            if finder is self:
                continue
            spec = finder.find_spec(fullname, path, target)
            if spec is not None and spec.loader is not None:
                acting: Any = ActingLoader(spec.loader, action)
                spec.loader = acting
                del self.actions[fullname]
                return spec
        return None


class ActingLoader:
    """The real loader, followed by the action."""

    def __init__(self, loader: Any, action: AfterImport) -> None:
        self._loader = loader
        self._action = action

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        module.__loader__ = self._loader
        self._loader.exec_module(module)
        self._action(module)


_finder = AfterImportFinder()
