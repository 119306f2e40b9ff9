"""The environments of a data root: found by what was asked for, built aside, renamed, used by many.

<data root>/libraries/<key>-<content>/    an environment; never changed once it has its name
<data root>/libraries/.requests/<key>     which environment answers a request, and since when
<data root>/libraries/.uses/<environment>/<attempt id>   who uses it, so that the server removes none under a live attempt
<data root>/libraries/.locks/<key>        held by who builds, so that a second one waits instead of building the same
<data root>/libraries/.installing-…       under construction, or left by a crash
"""

from __future__ import annotations

import json
import os
import sys
import time

from . import layer
from .installers import INSTALL_SECONDS_MAX, InstallError, describe_failure, install

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from ..context import TaskContext
    from .requested import Requested

# What was asked for without a version is looked up anew after this long.
RESOLVED_SECONDS_MAX = 24 * 3_600
LOCK_POLL_SECONDS = 0.1
# Part of every key: raise it when an environment is made otherwise from the same request.
LAYOUT_VERSION = 1
PREFIX = "[libraries] "


class Environment:
    """One that is there."""

    def __init__(self, folder: str, modules: list[str]) -> None:
        self.folder = folder
        self.modules = modules


def provide(context: TaskContext, requested: Requested) -> Environment:
    """The environment for a request, made if need be. Raises TaskFailure when it cannot be made."""
    cache = _Cache(context, requested)
    try:
        found = cache.find()
        if found is not None and cache.is_fresh:
            return found
        with cache.locked():
            newer = cache.find()
            if newer is not None and cache.is_fresh:
                return newer
            return cache.build(newer)
    except OSError as error:  # a full disk, a folder that nobody may write
        raise describe_failure(requested.names, InstallError(str(error)), context.paths.show) from None


class _Cache:
    def __init__(self, context: TaskContext, requested: Requested) -> None:
        self.is_fresh = False
        self._context = context
        self._requested = requested
        self._root = context.paths.libraries
        self._key = _make_key(requested)
        self._request_file = os.path.join(self._root, ".requests", self._key)

    def find(self) -> Environment | None:
        """The environment of an earlier request like this one; sets `is_fresh`."""
        try:
            with open(self._request_file, encoding="utf-8") as file:
                answer = json.load(file)
            name, until = str(answer["environment"]), answer["fresh_until"]
        except (OSError, ValueError, KeyError):
            return None
        # First the mark, then the look: the server looks for marks before it removes.
        mark_use(self._context, name)
        folder = os.path.join(self._root, name)
        facts = layer.read_facts(folder)
        if facts is None:
            return None
        self.is_fresh = until is None or time.time() < until
        return Environment(folder, facts["modules"])

    def locked(self) -> Lock:
        return Lock(os.path.join(self._root, ".locks", self._key), self._say)

    def build(self, older: Environment | None) -> Environment:
        """Aside, then renamed. What cannot be looked up anew, because the index is away, stays as it was."""
        begun = time.monotonic()
        self._remove_leftovers()
        aside = self._make_folder()
        try:
            try:
                name = self._fill(aside, begun)
            except InstallError as error:
                failure = describe_failure(self._requested.names, error, self._context.paths.show)
                if older is None:
                    raise failure from None
                self._context.warn(f"{failure.message}; it stays as it was installed before")
                return older
            return self._keep(aside, name)
        finally:
            if os.path.isdir(aside):
                import shutil

                shutil.rmtree(aside, ignore_errors=True)

    def _fill(self, aside: str, begun: float) -> str:
        """Install, and write down what is there; gives the environment's name."""
        import hashlib

        from .distributions import find_broken_below, list_distributions

        base = layer.base_site_packages()
        layer.make_layer(aside, [base])
        installer = install(aside, self._requested, self._say)
        packages = layer.site_packages_of(aside)
        below = list_distributions(base)
        installed = sorted(f"{each.name}=={each.version}" for each in list_distributions(packages).values())
        broken = [str(each) for each in find_broken_below(packages, below)]
        name = f"{self._key[:32]}-{hashlib.sha256(json.dumps(installed).encode()).hexdigest()[:16]}"
        layer.move_scripts(aside, os.path.join(self._root, name))
        for line in broken[:5]:
            self._context.warn(f"the libraries replace a package of the cluster: {line}")
        seconds = round(time.monotonic() - begun, 1)
        if installer != "nothing":
            self._say(f"{', '.join(installed)} in {seconds} s")
        facts: dict[str, Any] = {
            "requested": self._requested.names,
            "installed": installed,
            "installer": installer,
            "modules": layer.list_modules(aside),
            "made_at": round(time.time()),
            "seconds": seconds,
            "is_pinned": _is_pinned(self._requested, installed),
        }
        layer.write_facts(aside, facts)
        return name

    def _keep(self, aside: str, name: str) -> Environment:
        folder = os.path.join(self._root, name)
        mark_use(self._context, name)
        os.chmod(aside, 0o755)
        try:
            os.rename(aside, folder)
        except OSError:
            if layer.read_facts(folder) is None:  # else somebody was first, or looked it up anew and found the same
                raise
        facts = layer.read_facts(folder)
        assert facts is not None
        until = None if facts["is_pinned"] else time.time() + RESOLVED_SECONDS_MAX
        _write_whole(self._request_file, json.dumps({"environment": name, "fresh_until": until}))
        self.is_fresh = True
        return Environment(folder, facts["modules"])

    def _make_folder(self) -> str:
        import tempfile

        return tempfile.mkdtemp(prefix=f".installing-{self._key[:32]}-", dir=self._root)

    def _remove_leftovers(self) -> None:
        """Of a build that was killed: nobody else builds this now."""
        import shutil

        os.makedirs(self._root, exist_ok=True)
        for name in os.listdir(self._root):
            if name.startswith(f".installing-{self._key[:32]}-"):
                shutil.rmtree(os.path.join(self._root, name), ignore_errors=True)

    def _say(self, line: str) -> None:
        print(PREFIX + self._context.paths.show(line), flush=True)


def mark_use(context: TaskContext, name: str) -> None:
    """For the server, which removes what nobody has used for long and no live attempt uses."""
    folder = os.path.join(context.paths.libraries, ".uses", name)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, str(context.attempt["attempt_id"])), "w"):
        pass
    os.utime(folder)


class Lock:
    """Between processes of one machine, and others where the file system can. Its only use is to save work."""

    def __init__(self, path: str, say: Callable[[str], None]) -> None:
        self._path = path
        self._say = say
        self._file: int | None = None

    def __enter__(self) -> None:
        import fcntl

        os.makedirs(os.path.dirname(self._path), exist_ok=True)
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o644)
        deadline = time.monotonic() + INSTALL_SECONDS_MAX
        has_told = False
        while time.monotonic() < deadline:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if not has_told:
                    self._say("another task is installing the same: waiting for it")
                has_told = True
                time.sleep(LOCK_POLL_SECONDS)
            except OSError:
                return  # a file system without locks: whoever renames first wins

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            os.close(self._file)


def _make_key(requested: Requested) -> str:
    """Of the interpreter, what lies below, what was asked for with the content of its files, and where it is looked for."""
    import hashlib

    from .index_settings import read_index_settings

    base = layer.base_site_packages()
    facts = [
        LAYOUT_VERSION,
        [sys.version, sys.platform, os.uname().machine, base],
        sorted(name for name in os.listdir(base) if name.endswith(".dist-info")),
        requested.facts(),
        sorted(read_index_settings().items()),
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _is_pinned(requested: Requested, installed: list[str]) -> bool:
    """Whether a look at the index, later, could give something else."""
    return {each.partition("==")[0] for each in installed} <= set(_pinned_names(requested))


def _pinned_names(requested: Requested) -> Iterator[str]:
    from .distributions import name_of_line, parse_requirement

    for line in requested.lines:
        name = name_of_line(line)
        requirement = parse_requirement(line)
        if name is None:
            continue
        if requirement is None:
            yield name  # a wheel, whose content is in the key
            continue
        specifiers = list(requirement.specifier)
        if len(specifiers) == 1 and specifiers[0].operator in ("==", "===") and not specifiers[0].version.endswith("*"):
            yield name


def _write_whole(path: str, text: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    temporary = f"{path}.{os.getpid()}.new"
    with open(temporary, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(temporary, path)
