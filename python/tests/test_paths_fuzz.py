"""No name leads out of the folders that it belongs to, however it is written."""

from __future__ import annotations

import os
import random
from pathlib import Path

from headrace_runtime.failures import TaskFailure
from headrace_runtime.git_checkout import join_below
from headrace_runtime.paths import PathMap

PARTS = ["a", "..", ".", "", "...", "~", "\\..", "%2e%2e", "Volumes", "Workspace", "dbfs", "dbfs:", "file:", " ", "\n"]
HEADS = [
    "/Workspace/",
    "/Workspace",
    "/dbfs/",
    "/Volumes/",
    "/dbfs/Volumes/",
    "dbfs:/",
    "dbfs:",
    "DBFS:/",
    "/",
    "",
    "//",
]
NAMES = 20_000


def make_names(seed: int) -> list[str]:
    chance = random.Random(seed)
    return [
        chance.choice(HEADS) + "/".join(chance.choice(PARTS) for _ in range(chance.randrange(8))) for _ in range(NAMES)
    ]


def is_below(root: str, path: str) -> bool:
    """By the name alone: what `..` is left in it, the kernel would follow."""
    return os.path.normpath(path) == path and (path == root or path.startswith(root + os.sep))


def test_names_of_hosted_folders_stay_below_them(tmp_path: Path) -> None:
    paths = PathMap(str(tmp_path))
    seed = random.randrange(2**32)

    for name in make_names(seed):
        told = (seed, name)
        assert is_below(paths.workspace, paths.locate_workspace(name)), told
        translated = paths.translate(name)
        if translated is not name:
            roots = (paths.workspace, paths.dbfs, paths.volumes)
            assert any(is_below(root, translated) for root in roots), told
        elif name.startswith(("/Workspace/", "/dbfs/", "/Volumes/")):
            raise AssertionError(told)
        if not name.lower().startswith("file:"):
            stored = paths.locate_storage(name)
            assert stored is None or any(
                is_below(root, stored) for root in (paths.workspace, paths.dbfs, paths.volumes)
            ), told


def test_paths_in_a_repository_are_refused_or_stay_in_it() -> None:
    seed = random.randrange(2**32)

    for name in make_names(seed):
        try:
            joined = join_below("/r", name)
        except TaskFailure:
            continue
        assert is_below("/r", os.path.normpath(joined)) and os.path.normpath(joined) != "/r", (seed, name)
