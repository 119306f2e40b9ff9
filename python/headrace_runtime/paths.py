"""Where `/Workspace`, `/dbfs`, `/Volumes` and `dbfs:/` are on this machine.

User code written for a hosted workspace opens `/Workspace/…`, `/dbfs/…` and `/Volumes/…` with plain Python. Where a link
or a mount leads from such a prefix to the data root (hosted_mounts.py), nothing is to be done. Elsewhere the calls of
`open`, `io`, `os` (and with them `os.path`, `pathlib`, `shutil`, `glob` and imports from `sys.path`) translate names
that begin with one of them. A prefix that is a mount of somebody else's is left alone, and no other name is ever touched.

Not translated: names handed to C code directly (`io.FileIO`, `sqlite3`, pyarrow's own file systems), to other
processes, and functions that a module took out of `os` before the task started (`from os import stat`).
"""

from __future__ import annotations

import builtins
import io
import os
import posixpath
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

WORKSPACE_FOLDER = "workspace"
DBFS_FOLDER = "dbfs"
VOLUMES_FOLDER = "volumes"
LIBRARIES_FOLDER = "libraries"

# Functions of `os` that take one path, and that take two. Those written in Python (`walk`, `makedirs`, …) call these.
_ONE_PATH = [
    "access",
    "chmod",
    "chown",
    "chdir",
    "lchown",
    "listdir",
    "lstat",
    "mkdir",
    "mkfifo",
    "mknod",
    "open",
    "readlink",
    "remove",
    "rmdir",
    "scandir",
    "stat",
    "statvfs",
    "truncate",
    "unlink",
    "utime",
    "getxattr",
    "listxattr",
    "setxattr",
    "removexattr",
]
_TWO_PATHS = ("link", "rename", "replace", "symlink")
_PATH_KEYWORDS = ("path", "file", "src", "dst")


class PathMap:
    """Translates names of the hosted product into files below one data root."""

    def __init__(self, data_root: str) -> None:
        self.data_root = os.path.abspath(data_root)
        self.workspace = os.path.join(self.data_root, WORKSPACE_FOLDER)
        self.dbfs = os.path.join(self.data_root, DBFS_FOLDER)
        self.volumes = os.path.join(self.data_root, VOLUMES_FOLDER)
        self.libraries = os.path.join(self.data_root, LIBRARIES_FOLDER)
        roots = hosted_roots(self.data_root)
        # Prefixes that mean our folders, and of those the ones that do not lead there by themselves.
        self._ours = {prefix: root for prefix, root in roots.items() if not _is_somebody_elses(prefix, root)}
        self._roots = {prefix: root for prefix, root in self._ours.items() if not _leads_to(prefix, root)}
        if "/dbfs" in self._ours and "/dbfs" not in self._roots:
            self._roots["/dbfs/Volumes"] = self.volumes
        self._prefixes = tuple(self._roots)

    def translate(self, name: Any) -> Any:
        """The real name of a path that Python code gave; any other value comes back as it is."""
        if isinstance(name, str):
            return self._translate_text(name) if name.startswith(self._prefixes) else name
        if isinstance(name, bytes):
            text = os.fsdecode(name)
            return os.fsencode(self._translate_text(text)) if text.startswith(self._prefixes) else name
        if isinstance(name, os.PathLike):
            inner = os.fspath(name)
            translated = self.translate(inner)
            return name if translated is inner else translated
        return name

    def locate_hosted(self, name: str) -> str:
        """The file below the data root of a name with one of our prefixes; any other name comes back as it is."""
        return self._translate_text(name, self._ours)

    def _translate_text(self, name: str, roots: dict[str, str] | None = None) -> str:
        for prefix, root in (self._roots if roots is None else roots).items():
            if name == prefix or name.startswith(prefix + "/"):
                if prefix == "/dbfs" and (name == "/dbfs/Volumes" or name.startswith("/dbfs/Volumes/")):
                    return _below(self.volumes, name[len("/dbfs/Volumes") :])
                return _below(root, name[len(prefix) :])
        return name

    def locate_workspace(self, name: str) -> str:
        """The file of a workspace path, `/Workspace/Users/…` or `/Users/…`; relative ones start at the root."""
        if name == "/Workspace" or name.startswith("/Workspace/"):
            name = name[len("/Workspace") :]
        return _below(self.workspace, name)

    def git_folder_of(self, name: str) -> str | None:
        """The Git folder that a workspace path is in, as far as its name tells: `/Repos/<folder>/<name>/…`."""
        parts = name.removeprefix("/Workspace").split("/")
        if len(parts) < 5 or parts[:2] != ["", "Repos"] or parts[2].startswith("."):
            return None
        return self.locate_workspace("/".join(parts[:4]))

    def locate_storage(self, name: str) -> str | None:
        """The file of a name as `dbutils.fs` and job settings write it; None for other file systems.

        Without a scheme a name belongs to DBFS, as in the hosted product, but for /Volumes and /Workspace.
        """
        scheme, rest = split_scheme(name)
        if scheme == "file":
            return self.locate_hosted("/" + rest.lstrip("/"))
        if scheme not in ("", "dbfs"):
            return None
        absolute = posixpath.normpath("/" + rest.lstrip("/"))
        for prefix, root in (("/Volumes", self.volumes), ("/Workspace", self.workspace)):
            if absolute == prefix or absolute.startswith(prefix + "/"):
                return _below(root, absolute[len(prefix) :])
        if scheme == "" and (absolute == "/dbfs" or absolute.startswith("/dbfs/")):
            absolute = absolute[len("/dbfs") :]
        return _below(self.dbfs, absolute)

    def locate_code(self, name: str) -> str | None:
        """The file of a Python file or a wheel that job settings name, without a look at whether it exists."""
        scheme, _ = split_scheme(name)
        if scheme:
            return self.locate_storage(name)
        if name.startswith(("/Volumes/", "/dbfs/")):
            return self.locate_hosted(name)
        in_workspace = self.locate_workspace(name)
        if name.startswith("/") and not name.startswith("/Workspace/") and not _exists_in_some_form(in_workspace):
            return name
        return in_workspace

    def show(self, text: str) -> str:
        """Put the names that people know back into a text with real ones."""
        for prefix, root in (("/Workspace", self.workspace), ("/dbfs", self.dbfs), ("/Volumes", self.volumes)):
            text = text.replace(root + "/", prefix + "/")
        return text


def hosted_roots(data_root: str) -> dict[str, str]:
    """Which folder each prefix of the hosted product means."""
    folders = {"/Workspace": WORKSPACE_FOLDER, "/dbfs": DBFS_FOLDER, "/Volumes": VOLUMES_FOLDER}
    return {prefix: os.path.join(data_root, folder) for prefix, folder in folders.items()}


def split_scheme(name: str) -> tuple[str, str]:
    """`dbfs:/a` → (`dbfs`, `/a`); a name without a scheme has the empty one."""
    head, colon, rest = name.partition(":")
    if colon and head.isalnum() and rest.startswith("/"):
        return head.lower(), rest
    return "", name


class Translated:
    """A function of `os` or `io` whose path arguments are translated.

    An object and not a function, because built-in functions do not turn into methods when a class keeps one.
    """

    def __init__(self, original: Callable[..., Any], *, module: str, path_count: int) -> None:
        self.__wrapped__ = original
        self.__name__ = original.__name__
        self.__qualname__ = self.__name__
        self.__module__ = module
        self.__doc__ = original.__doc__
        self._path_count = path_count

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        if args:
            count = self._path_count
            args = (*map(_translate, args[:count]), *args[count:])
        for name in _PATH_KEYWORDS:
            if name in keywords:
                keywords[name] = _translate(keywords[name])
        return self.__wrapped__(*args, **keywords)

    def __reduce__(self) -> str:
        # Pickled by module and name, like the function it stands for.
        return self.__name__


_active: PathMap | None = None


def activate_translation(paths: PathMap) -> None:
    """Make this process see the hosted folders. Once per process: tasks do not share one."""
    global _active
    _active = paths
    install_wrappers()
    sys.path_hooks.insert(0, _make_path_hook(paths))


def _translate(name: Any) -> Any:
    return name if _active is None else _active.translate(name)


def install_wrappers() -> None:
    """Wrap the functions; until a translation is active they do what they always did. A zygote may do this once."""
    if isinstance(builtins.open, Translated):
        return
    opener = Translated(builtins.open, module="io", path_count=1)
    builtins.open = opener  # called like the original
    io.open = opener
    for names, path_count in ((_ONE_PATH, 1), (_TWO_PATHS, 2)):
        for name in names:
            original = getattr(os, name, None)
            if original is not None:
                translated = Translated(original, module="os", path_count=path_count)
                _replace_in_os(name, original, translated)
    _patch_old_pathlib(opener)


def _leads_to(prefix: str, root: str) -> bool:
    """Whether a link or a mount makes the prefix our folder for every program."""
    try:
        return os.path.samefile(prefix, root)
    except OSError:
        return False


def _is_somebody_elses(prefix: str, root: str) -> bool:
    """Whether somebody means this name on this machine: a mount, or macOS, where /Volumes holds the disks.

    A plain folder does not count: one stray program that makes `/Volumes` would move every task's files.
    """
    if not os.path.isdir(prefix) or _leads_to(prefix, root):
        return False
    return sys.platform == "darwin" or os.path.ismount(prefix)


def _below(root: str, rest: str) -> str:
    """A path below a root; `..` cannot climb out of it."""
    inside = posixpath.normpath("/" + rest.lstrip("/")).lstrip("/")
    return os.path.join(root, inside) if inside else root


def _exists_in_some_form(path: str) -> bool:
    stem = os.path.splitext(path)[0]
    return any(os.path.exists(candidate) for candidate in (path, stem, path + ".py"))


def _replace_in_os(name: str, original: Callable[..., Any], wrapper: Translated) -> None:
    setattr(os, name, wrapper)
    # `shutil` and others ask these sets whether a function takes `dir_fd=` and the like.
    for abilities in (os.supports_dir_fd, os.supports_effective_ids, os.supports_fd, os.supports_follow_symlinks):
        if original in abilities:
            abilities.add(wrapper)


def _patch_old_pathlib(opener: Translated) -> None:
    """Python 3.10's pathlib keeps its own references to the functions of `os`."""
    pathlib = sys.modules.get("pathlib")
    accessor = getattr(pathlib, "_NormalAccessor", None)
    if accessor is None:
        return
    for name in (*_ONE_PATH, *_TWO_PATHS):
        if hasattr(accessor, name):
            setattr(accessor, name, staticmethod(getattr(os, name)))
    accessor.open = staticmethod(opener)


def _make_path_hook(paths: PathMap) -> Callable[[str], Any]:
    def import_from_hosted_folder(entry: str) -> Any:
        """The import system calls `posix` directly, so entries of `sys.path` need a translation of their own."""
        real = paths.translate(entry)
        if real == entry:
            raise ImportError("not a folder of the hosted product")
        for hook in sys.path_hooks:
            if hook is not import_from_hosted_folder:
                try:
                    return hook(real)
                except ImportError:
                    continue
        raise ImportError(f"no importer for {entry}")

    return import_from_hosted_folder
