"""The zygotes of a host: one for all tasks, and one for each environment that replaces what that one has loaded.

A task whose environment replaces nothing is served by the first. Else it must begin anew in a fresh image, which costs
it an interpreter's start and its imports; it tells the host so, and what comes back gets a zygote of its own. Which
environment a task wants is only guessed here, from what the same libraries wanted before: the task looks itself.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
from typing import TYPE_CHECKING, Any

from .environments.layer import python_of, read_facts
from .java_command import conf_of_cluster
from .memory_kills import LOOK_SECONDS, RecentKills
from .zygote_link import ZygoteLink

if TYPE_CHECKING:
    from .host import Host
    from .hosted import Attempt

# Of the same environment, before a zygote is worth its memory.
WANTED_MIN = 2
# Each holds 40–150 MB, pyspark among it.
ENVIRONMENTS_MAX = 3
MEMORY_BYTES_MAX = 1024 * 1024 * 1024
IDLE_SECONDS_MAX = 15 * 60
LOOK_EVERY_SECONDS = 60
# Guesses; the oldest go.
LEARNED_MAX = 500


class _Zygote:
    """One process and the attempts that it forked."""

    def __init__(self, link: ZygoteLink, folder: str | None, now: float) -> None:
        self.link = link
        self.folder = folder
        self.attempts: set[int] = set()
        self.used_at = now


class Zygotes:
    """Hands orders to the zygote that suits."""

    def __init__(self, host: Host, modules: list[str]) -> None:
        self._host = host
        self._modules = modules
        self._base = self._start(None)
        self._of_environment: dict[str, _Zygote] = {}
        self._learned: dict[str, str] = {}
        self._wanted: dict[str, int] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._memory_kills = RecentKills()
        self._kills_timer = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look_at_kills)

    def send_order(self, attempt: Attempt, order: dict[str, Any], descriptors: tuple[int, int]) -> None:
        """Have a child forked for the attempt."""
        zygote = self._choose(attempt)
        zygote.attempts.add(attempt.attempt_id)
        zygote.used_at = asyncio.get_running_loop().time()
        zygote.link.send_order(order, descriptors)

    @property
    def pids(self) -> set[int]:
        """Of all zygotes."""
        return {zygote.link.process.pid for zygote in [self._base, *self._of_environment.values()]}

    def learn(self, digest: str, folder: str) -> None:
        """A task with these libraries had to begin anew in this environment."""
        if os.path.dirname(folder) != os.path.join(self._host.config["data_root"], "libraries"):
            return
        if len(self._learned) >= LEARNED_MAX:
            self._learned.pop(next(iter(self._learned)))
        self._learned[digest] = folder
        self._wanted[folder] = self._wanted.pop(folder, 0) + 1
        if len(self._wanted) > LEARNED_MAX:
            self._wanted.pop(next(iter(self._wanted)))
        if self._wanted[folder] >= WANTED_MIN and folder not in self._of_environment:
            self._start_for(folder)

    def close(self) -> None:
        """With all their children."""
        self._kills_timer.cancel()
        if self._timer is not None:
            self._timer.cancel()
        for zygote in [self._base, *self._of_environment.values()]:
            zygote.link.close()

    def _look_at_kills(self) -> None:
        self._memory_kills.look()
        self._kills_timer = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look_at_kills)

    def _choose(self, attempt: Attempt) -> _Zygote:
        if not self._of_environment:
            return self._base
        folder = self._learned.get(_read_digest(attempt.folder))
        zygote = None if folder is None else self._of_environment.get(folder)
        return self._base if zygote is None or not zygote.link.is_ready else zygote

    def _start_for(self, folder: str) -> None:
        if self._host.is_shutting_down or read_facts(folder) is None:
            return
        if not self._make_room():
            return  # all are busy: the tasks begin anew themselves
        self._of_environment[folder] = self._start(folder)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(LOOK_EVERY_SECONDS, self._end_idle)

    def _make_room(self) -> bool:
        """End those that were used least lately and have no children, until another may start."""
        while True:
            held = sum(_memory_of(zygote.link.process.pid) for zygote in self._of_environment.values())
            if len(self._of_environment) < ENVIRONMENTS_MAX and held < MEMORY_BYTES_MAX:
                return True
            idle = [zygote for zygote in self._of_environment.values() if not zygote.attempts]
            if not idle:
                return False
            self._end(min(idle, key=lambda zygote: zygote.used_at))

    def _end_idle(self) -> None:
        loop = asyncio.get_running_loop()
        for zygote in list(self._of_environment.values()):
            if not zygote.attempts and loop.time() - zygote.used_at > IDLE_SECONDS_MAX:
                self._end(zygote)
        self._timer = loop.call_later(LOOK_EVERY_SECONDS, self._end_idle) if self._of_environment else None

    def _end(self, zygote: _Zygote) -> None:
        assert zygote.folder is not None
        del self._of_environment[zygote.folder]
        zygote.link.close()

    def _start(self, folder: str | None) -> _Zygote:
        zygote: _Zygote
        self._host.walls.remove_empty()

        def on_ended(message: dict[str, Any]) -> None:
            zygote.attempts.discard(message["attempt_id"])
            self._host.on_child_ended(message)

        link = ZygoteLink(
            self._modules,
            python=None if folder is None else python_of(folder),
            groups=self._host.walls.prefix,
            on_ended=on_ended,
            on_death=lambda: self._on_death(zygote),
        )
        zygote = _Zygote(link, folder, asyncio.get_running_loop().time())
        return zygote

    def _on_death(self, zygote: _Zygote) -> None:
        if zygote is self._base:
            if not self._host.is_shutting_down:
                self._base = self._start(None)
        elif zygote.folder is not None:
            self._of_environment.pop(zygote.folder, None)
        was_memory = self._memory_kills.has_killed()
        message = describe_zygote_death(zygote.link.process.returncode, was_memory=was_memory)
        self._host.on_zygote_death(zygote.attempts, message)


def describe_zygote_death(code: int | None, *, was_memory: bool | None) -> str:
    """For its tasks, which died with it: none of them can tell who did it."""
    how = "is gone"
    if code is not None:
        how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
    why = ""
    if code == -signal.SIGKILL:
        how = "was killed (SIGKILL)"
        if was_memory:
            why = " The kernel killed for lack of memory at that time: run fewer tasks at once, or on a larger machine."
        elif was_memory is False:
            why = " The kernel did not do it: look for kill, pkill or killall in the code of the tasks that ran."
    return (
        f"Tasks of this host ended because the process that they all were forked from {how}.{why} It has been "
        "replaced: a retry, or a repair of the run, begins on the new one."
    )


def help_to_install(host: Host, attempt_id: int, key: str, request: dict[str, Any]) -> dict[str, Any]:
    """A task that brings itself its libraries: what it has learned, or asks."""
    attempt = host.attempts.get(attempt_id)
    if attempt is None or not attempt.is_live or attempt.attach_key != key:
        return {"error": "this task has no right to the cluster (any more)", "code": "CLUSTER_ERROR"}
    if request["op"] == "java":
        return {"folder": host.folder, "runtime": host.config["runtime"], "spark_conf": conf_of_cluster(host.config)}
    host.zygotes.learn(digest_of(request["libraries"]), str(request["folder"]))
    return {}


def digest_of(libraries: Any) -> str:
    """What tasks that want the same environment have in common, as long as no file of theirs changes."""
    return hashlib.sha256(json.dumps(libraries, sort_keys=True).encode()).hexdigest()


def _read_digest(folder: str) -> str:
    try:
        with open(os.path.join(folder, "attempt.json"), "rb") as file:
            return digest_of(json.loads(file.read())["libraries"])
    except (OSError, ValueError, KeyError):
        return ""  # the task itself will say what is wrong


def _memory_of(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
