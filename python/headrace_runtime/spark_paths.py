"""Makes readers and writers of Spark find `/Volumes/…`, `/dbfs/…` and `/Workspace/…`.

Without a scheme the JVM takes such a name for a folder of this machine, and would make it: data would be written where
nobody looks. Names inside SQL texts are not seen here: the plug-in's parser finds those (jvm/src, HostedPaths.scala).
"""

from __future__ import annotations

import functools

from .context import get_context

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .paths import PathMap

_FORMATS = ("load", "csv", "json", "parquet", "orc", "text", "xml")
# Methods whose arguments may be paths, by class.
_METHODS: dict[str, dict[str, tuple[str, ...]]] = {
    "pyspark.sql.readwriter": {
        "DataFrameReader": _FORMATS,
        "DataFrameWriter": ("save", *_FORMATS[1:]),
    },
    "pyspark.sql.streaming.readwriter": {
        "DataStreamReader": _FORMATS,
        "DataStreamWriter": ("start",),
    },
    "delta.tables": {"DeltaTable": ("forPath", "isDeltaTable"), "DeltaTableBuilder": ("location",)},
}
_PATH_OPTIONS = ("path", "checkpointlocation", "basepath", "badrecordspath", "cloudfiles.schemalocation")


def patch_when_imported() -> None:
    """Each module as soon as somebody imports it."""
    from .import_hooks import run_after_import

    for module, classes in _METHODS.items():
        run_after_import(module, functools.partial(_patch_module, classes=classes))


def name_for_spark(paths: PathMap, name: str) -> str:
    """The address under which the JVM finds a path of Python; any other text comes back as it is."""
    real = paths.locate_hosted(name)
    if real == name:
        return name
    if name.startswith("/Volumes"):
        return f"dbfs:{name}"
    if name.startswith("/dbfs"):
        return f"dbfs:{name[len('/dbfs') :] or '/'}"
    return f"file:{real}"


def _patch_module(module: Any, classes: dict[str, tuple[str, ...]]) -> None:
    for class_name, methods in classes.items():
        patched = getattr(module, class_name)
        for method in methods:
            if hasattr(patched, method):
                _wrap(patched, method)
        for method in ("option", "options"):
            if hasattr(patched, method):
                _wrap_options(patched, method)


def _wrap(patched: Any, method: str) -> None:
    described = patched.__dict__[method]
    original = getattr(described, "__func__", described)

    @functools.wraps(original)
    def call(*args: Any, **keywords: Any) -> Any:
        # A path comes first, or second where the session does; formats and modes are never absolute paths.
        named = {name: _translate(value) if name in ("path", "paths") else value for name, value in keywords.items()}
        return original(*args[:1], *map(_translate, args[1:3]), *args[3:], **named)

    setattr(patched, method, type(described)(call) if isinstance(described, (classmethod, staticmethod)) else call)


def _wrap_options(patched: Any, method: str) -> None:
    original = getattr(patched, method)

    @functools.wraps(original)
    def call(self: Any, *args: Any, **keywords: Any) -> Any:
        if len(args) == 2 and str(args[0]).lower() in _PATH_OPTIONS:
            args = (args[0], _translate(args[1]))
        named = {
            name: _translate(value) if name.lower() in (*_PATH_OPTIONS, "value") else value
            for name, value in keywords.items()
        }
        return original(self, *args, **named)

    setattr(patched, method, call)


def _translate(value: Any) -> Any:
    if isinstance(value, str):
        return name_for_spark(get_context().paths, value) if value.startswith("/") else value
    if isinstance(value, list):
        return [_translate(each) for each in value]
    return value
