"""The hosted folder names in plain Python, and that no other name is touched."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import pytest
from headrace_runtime import paths
from headrace_runtime.paths import PathMap
from headrace_runtime.spark_paths import name_for_spark
from support.attempts import Workspace


def _forbid_mounts() -> None:
    """As for whoever is not root."""
    drop_from_bounding_set, cap_sys_admin = 24, 21
    ctypes.CDLL(None).prctl(drop_from_bounding_set, cap_sys_admin, 0, 0, 0)


def _may_mount() -> bool:
    if sys.platform != "linux" or os.geteuid() != 0:
        return False
    return subprocess.run(["unshare", "--mount", "true"], check=False, stderr=subprocess.DEVNULL).returncode == 0


needs_mounts = pytest.mark.skipif(not _may_mount(), reason="only root may mount, and not everywhere")


@pytest.mark.parametrize("way", [pytest.param("mounts", marks=needs_mounts), "rewriting"])
def test_plain_python_reads_and_writes_hosted_folders(workspace: Workspace, way: str) -> None:
    if way == "rewriting":
        workspace.before_start = _forbid_mounts
    workspace.write("workspace/Users/ann/data/a.txt", "from workspace")
    workspace.write("dbfs/landing/b.txt", "from dbfs")
    outcome = workspace.run_script(
        """
import glob, io, os, pathlib, shutil
print(open("/Workspace/Users/ann/data/a.txt").read(), pathlib.Path("/dbfs/landing/b.txt").read_text())
os.makedirs("/Volumes/main/raw/files/new", exist_ok=True)
with io.open("/Volumes/main/raw/files/new/c.txt", "w") as f:
    f.write("c")
shutil.copy("/dbfs/landing/b.txt", "/Volumes/main/raw/files/new/b.txt")
shutil.copytree("/Volumes/main/raw/files/new", "/dbfs/Volumes/main/raw/files/copy")
print(sorted(os.listdir("/Volumes/main/raw/files/new")), os.path.exists("/dbfs/none"), os.path.isdir("/Volumes/main"))
print([os.path.basename(p) for p in sorted(glob.glob("/Volumes/main/raw/files/*/*.txt"))])
print(sorted(name for _, _, names in os.walk("/Volumes/main/raw/files/copy") for name in names))
print(sorted(p.name for p in pathlib.Path("/dbfs/landing").iterdir()))
os.rename("/Volumes/main/raw/files/new/c.txt", "/Volumes/main/raw/files/d.txt")
os.remove("/Volumes/main/raw/files/d.txt")
shutil.rmtree("/Volumes/main/raw/files/new")
pathlib.Path("/Volumes/main/raw/files/copy/c.txt").unlink()
print(os.listdir("/Volumes/main/raw/files"), os.stat(b"/dbfs/landing/b.txt").st_size)
"""
    )

    assert outcome.result["state"] == "succeeded", outcome.log
    assert outcome.log.splitlines() == [
        "from workspace from dbfs",
        "['b.txt', 'c.txt'] False True",
        "['b.txt', 'c.txt', 'b.txt', 'c.txt']",
        "['b.txt', 'c.txt']",
        "['b.txt']",
        "['copy'] 9",
    ]
    assert (workspace.root / "volumes/main/raw/files/copy/b.txt").read_text() == "from dbfs"


@needs_mounts
def test_other_programs_and_c_code_find_mounted_folders_and_nobody_else_sees_them(workspace: Workspace) -> None:
    workspace.write("volumes/main/raw/files/a.txt", "from volume")
    workspace.write("dbfs/b.txt", "from dbfs")
    outcome = workspace.run_script(
        """
import _io, os, sqlite3, subprocess
print(subprocess.run(["cat", "/Volumes/main/raw/files/a.txt", "/dbfs/b.txt"], capture_output=True, text=True).stdout)
print(_io.FileIO("/dbfs/b.txt").read(), open("/dbfs/Volumes/main/raw/files/a.txt").read())
sqlite3.connect("/Volumes/main/raw/files/db").execute("create table t (a)")
os.chdir("/Volumes/main/raw")
print(os.getcwd())
"""
    )

    assert outcome.log.splitlines() == [
        "from volumefrom dbfs",
        "b'from dbfs' from volume",
        "/Volumes/main/raw",
    ]
    assert (workspace.root / "volumes/main/raw/files/db").exists()
    assert not os.path.exists("/Volumes/main")


def test_a_link_of_the_machine_needs_no_rewriting_and_spark_keeps_its_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, link = tmp_path / "data", tmp_path / "Volumes"
    (root / "volumes").mkdir(parents=True)
    link.symlink_to(root / "volumes")
    monkeypatch.setattr(paths, "hosted_roots", lambda data_root: {str(link): f"{data_root}/volumes"})

    mapped = PathMap(str(root))

    assert mapped.translate(f"{link}/main/x") == f"{link}/main/x"
    assert mapped.locate_hosted(f"{link}/main/x") == f"{root}/volumes/main/x"


def test_modules_are_imported_from_hosted_folders(workspace: Workspace) -> None:
    workspace.write("workspace/Users/ann/lib/quality.py", "GRADE = 'GOOD'\n")
    workspace.write("workspace/Users/ann/lib/deep/__init__.py", "from .inner import X\n")
    workspace.write("workspace/Users/ann/lib/deep/inner.py", "X = 5\n")

    outcome = workspace.run_script(
        "import sys\nsys.path.insert(0, '/Workspace/Users/ann/lib')\nimport quality, deep\nprint(quality.GRADE, deep.X)\n"
    )

    assert outcome.log == "GOOD 5\n"


def test_a_missing_file_is_an_ordinary_error(workspace: Workspace) -> None:
    outcome = workspace.run_script("open('/Workspace/Users/ann/none.txt')\n")

    assert outcome.message.startswith(
        "FileNotFoundError: [Errno 2] No such file or directory: '/Workspace/Users/ann/none"
    )


@pytest.mark.parametrize(
    "name", ["/etc/hosts", "relative/dbfs/x", "/dbfsx/y", "/WorkspaceOther", "", "/Volumesque/a", 3, None]
)
def test_other_names_are_never_touched(tmp_path: Path, name: object) -> None:
    assert PathMap(str(tmp_path)).translate(name) is name


def test_spark_gets_an_address_for_each_hosted_folder(tmp_path: Path) -> None:
    paths = PathMap(str(tmp_path))

    assert name_for_spark(paths, "/Volumes/main/raw/a b") == "dbfs:/Volumes/main/raw/a b"
    assert name_for_spark(paths, "/dbfs/landing") == "dbfs:/landing"
    assert name_for_spark(paths, "/dbfs") == "dbfs:/"
    assert name_for_spark(paths, "/Workspace/Users/ann/x.csv") == f"file:{tmp_path}/workspace/Users/ann/x.csv"
    for name in ("/tmp/x", "/Volumes2/x", "dbfs:/Volumes/x", "s3a://b/k", "file:/Volumes/x", "Volumes/x"):
        assert name_for_spark(paths, name) == name


def test_dots_do_not_climb_out(tmp_path: Path) -> None:
    paths = PathMap(str(tmp_path))

    assert paths.locate_storage("dbfs:/../../etc/passwd") == f"{tmp_path}/dbfs/etc/passwd"
    assert paths.locate_workspace("/Workspace/../../x") == f"{tmp_path}/workspace/x"
    assert paths.translate("/dbfs/../../etc/passwd") == f"{tmp_path}/dbfs/etc/passwd"


def test_functions_keep_their_looks(workspace: Workspace) -> None:
    outcome = workspace.run_script(
        """
import os, pickle
class Holder:
    opener = open
    lister = os.listdir
print(Holder().opener("/etc/hostname").close(), len(Holder().lister("/")) > 0)
print(pickle.loads(pickle.dumps(os.stat)) is os.stat, open.__name__, os.stat in os.supports_follow_symlinks)
"""
    )

    assert outcome.log == "None True\nTrue open True\n"
