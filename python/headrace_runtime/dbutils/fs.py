"""`dbutils.fs`: files of DBFS, volumes, the workspace and this machine, all plain files here."""

from __future__ import annotations

import os
import posixpath
import shutil
from collections import namedtuple

from ..paths import split_scheme
from .help import WithHelp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..context import TaskContext

HEAD_BYTES_DEFAULT = 65_536
# A folder listing goes into memory and often into a log; beyond this a table is the better tool.
LISTED_FILES_MAX = 100_000


class FileInfo(namedtuple("FileInfo", ["path", "name", "size", "modificationTime"])):
    """One entry of a folder; the name of a folder ends with a slash."""

    __slots__ = ()

    def isDir(self) -> bool:
        return str(self.name).endswith("/")

    def isFile(self) -> bool:
        return not self.isDir()


class FileSystem(WithHelp):
    """Files: dbfs:/…, /Volumes/…, file:/…"""

    def __init__(self, context: TaskContext) -> None:
        self._paths = context.paths

    def ls(self, path: str) -> list[FileInfo]:
        """List a folder, or one file."""
        real = self._existing(path)
        shown = _normal(path)
        if not os.path.isdir(real):
            return [_file_info(real, shown)]
        names = sorted(os.listdir(real))
        if len(names) > LISTED_FILES_MAX:
            raise ValueError(f"{shown} has {len(names)} entries and the limit of one listing is {LISTED_FILES_MAX}")
        return [_file_info(os.path.join(real, name), posixpath.join(shown, name)) for name in names]

    def head(self, file: str, maxBytes: int = HEAD_BYTES_DEFAULT, max_bytes: int | None = None) -> str:
        """The first bytes of a file as text."""
        real = self._existing(file)
        if os.path.isdir(real):
            raise IsADirectoryError(f"{_normal(file)} is a folder; head reads files")
        with open(real, "rb") as opened:
            return opened.read(maxBytes if max_bytes is None else max_bytes).decode("utf-8", "replace")

    def put(self, file: str, contents: str, overwrite: bool = False) -> bool:
        """Write a text to a file."""
        real = self._locate(file)
        if os.path.exists(real) and not overwrite:
            raise FileExistsError(f"{_normal(file)} exists; give overwrite=True to replace it")
        os.makedirs(os.path.dirname(real), exist_ok=True)
        encoded = contents.encode("utf-8")
        with open(real, "wb") as opened:
            opened.write(encoded)
        print(f"Wrote {len(encoded)} bytes.")
        return True

    def mkdirs(self, dir: str) -> bool:
        """Make a folder and its parents."""
        os.makedirs(self._locate(dir), exist_ok=True)
        return True

    def rm(self, dir: str, recurse: bool = False) -> bool:
        """Remove a file or folder; False if there is none."""
        real = self._locate(dir)
        self._refuse_root(real, dir)
        if not os.path.lexists(real):
            return False
        if not os.path.isdir(real) or os.path.islink(real):
            os.remove(real)
        elif recurse:
            shutil.rmtree(real)
        elif os.listdir(real):
            raise OSError(f"{_normal(dir)} is a folder that is not empty; give recurse=True to remove it")
        else:
            os.rmdir(real)
        return True

    def cp(self, source: str, dest: str, recurse: bool = False) -> bool:
        """Copy a file, or with recurse=True a folder."""
        real_source, real_dest = self._existing(source), self._locate(dest)
        if os.path.isdir(real_source):
            if not recurse:
                raise IsADirectoryError(f"{_normal(source)} is a folder; give recurse=True to copy it")
            shutil.copytree(real_source, real_dest, dirs_exist_ok=True)
            return True
        shutil.copyfile(real_source, _target_file(real_source, real_dest, dest))
        return True

    def mv(self, source: str, dest: str, recurse: bool = False) -> bool:
        """Move a file, or with recurse=True a folder."""
        real_source, real_dest = self._existing(source), self._locate(dest)
        self._refuse_root(real_source, source)
        if os.path.isdir(real_source) and not recurse:
            raise IsADirectoryError(f"{_normal(source)} is a folder; give recurse=True to move it")
        shutil.move(real_source, _target_file(real_source, real_dest, dest))
        return True

    def mounts(self) -> list[object]:
        """No mounts: cloud storage is read by its own address."""
        return []

    def mount(self, *args: object, **keywords: object) -> bool:
        """Not supported."""
        raise NotImplementedError(
            "dbutils.fs.mount is not supported: read the storage by its own address, or copy the files"
        )

    def updateMount(self, *args: object, **keywords: object) -> bool:
        """Not supported."""
        return self.mount()

    def unmount(self, mount_point: str = "") -> bool:
        """Not supported: there are no mounts."""
        raise NotImplementedError(f"dbutils.fs.unmount: nothing is mounted at {mount_point!r}, for there are no mounts")

    def refreshMounts(self) -> bool:
        """Nothing to refresh."""
        return True

    def _locate(self, path: str) -> str:
        real = self._paths.locate_storage(str(path))
        if real is None:
            scheme = split_scheme(str(path))[0]
            raise ValueError(
                f"{path}: dbutils.fs does not reach {scheme}: addresses; read them with spark or a library for it"
            )
        return real

    def _refuse_root(self, real: str, path: str) -> None:
        """An empty variable in a path must not cost everybody's files."""
        paths = self._paths
        roots = {os.path.realpath(root) for root in (paths.data_root, paths.dbfs, paths.volumes, paths.workspace)}
        if os.path.realpath(real) in {*roots, "/"}:
            raise ValueError(f"{_normal(path)} is the root of everybody's files: name what is in it, one by one")
        if os.path.islink(real) and os.path.relpath(real, paths.volumes).count(os.sep) == 2:
            raise ValueError(f"{_normal(path)} is an external volume: DROP VOLUME forgets it, and its files stay")

    def _existing(self, path: str) -> str:
        real = self._locate(path)
        if not os.path.exists(real):
            # User code asks for this class name in the text to find out whether a file exists.
            raise FileNotFoundError(f"java.io.FileNotFoundException: No such file or directory {_normal(path)}")
        return real


def _normal(path: str) -> str:
    """The path as results show it: with its scheme, without doubled slashes."""
    scheme, rest = split_scheme(str(path))
    clean = posixpath.normpath("/" + rest.lstrip("/"))
    if scheme == "" and clean.startswith("/Workspace/"):
        return f"file:{clean}"
    if scheme == "" and (clean == "/dbfs" or clean.startswith("/dbfs/")):
        clean = clean[len("/dbfs") :] or "/"
    return f"{scheme or 'dbfs'}:{clean}"


def _file_info(real: str, shown: str) -> FileInfo:
    state = os.stat(real)
    name = posixpath.basename(shown)
    modified_at_ms = state.st_mtime_ns // 1_000_000
    if os.path.isdir(real):
        return FileInfo(shown + "/", name + "/", 0, modified_at_ms)
    return FileInfo(shown, name, state.st_size, modified_at_ms)


def _target_file(real_source: str, real_dest: str, dest: str) -> str:
    """Where a file lands: inside a folder that exists or is written with a slash, else under the name given."""
    if os.path.isdir(real_dest) or dest.endswith("/"):
        real_dest = os.path.join(real_dest, os.path.basename(real_source))
    os.makedirs(os.path.dirname(real_dest), exist_ok=True)
    return real_dest
