"""The cluster's Spark driver: one JVM, started when first needed, lent to attempts through gateways of their own.

py4j calls block, so they run on a few threads; everything else belongs to the host's event loop. The host may use
threads because the zygote, not the host, forks tasks.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import struct
import subprocess
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypedDict, TypeVar

from .driver_log import DriverLog
from .driver_pulse import DriverPulse, PulseLimits, open_question, read_limits
from .executor_watch import (
    ExecutorChange,
    ExecutorFacts,
    ExecutorWatch,
    SparkPlace,
    ask_master,
    check_master,
    describe_end,
    is_forgotten,
)
from .java_command import (
    HEAP_DEFAULT,
    SUBMIT_CLASS,
    Runtime,
    base_conf,
    format_conf,
    java_options,
    launch_command,
    make_temporary,
)

# For the warm-up of the set-up, whose text is part of the key of what it makes.
from .java_command import STATIC_CONF as STATIC_CONF
from .memory_kills import RecentKills
from .spark_gateways import DriverLink, open_link

# A cold JVM with Delta needs 7–13 s on two loaded cores.
START_SECONDS_MAX = 240
# From the moment at which its connections break until the process is gone.
DYING_SECONDS_MAX = 2.0
# On top of what the end of an attempt may take: for the way there and back.
CLOSE_SECONDS_MORE = 5.0
# Calls that may block at the same time: attaches and proofs of several attempts.
THREADS = 8
# Of the driver's log, where the reason for an end is looked for.
LOG_BYTES_READ = 64 * 1024
Result = TypeVar("Result")
OnState = Callable[[str, str, "int | None"], None]


class Gateway(TypedDict):
    """What a task needs in order to reach its session."""

    port: int
    secret: str
    jvm_pid: int


class DriverError(Exception):
    """The driver could not be started or went away; the message is for people."""


class Driver:
    """The JVM of one host: none, starting, ready, or failed; after a death the next attach starts another."""

    def __init__(
        self,
        *,
        runtime: Runtime,
        folder: str,
        spark_conf: dict[str, str],
        data_root: str,
        on_state: OnState,
        on_death: Callable[[str], None],
        place: SparkPlace | None = None,
        on_executors: Callable[[str, ExecutorChange], None] = lambda message, change: None,
    ) -> None:
        self.runtime = runtime
        self.folder = folder
        self.spark_conf = spark_conf
        self.data_root = data_root
        self.place: SparkPlace = place or {"conf": {}, "watch": None}
        self.state = "none"
        self._log = DriverLog(os.path.join(folder, "driver.log"))
        self._on_state = on_state
        self._on_death = on_death
        self._on_executors = on_executors
        self._executors: ExecutorWatch | None = None
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="driver")
        self._process: subprocess.Popen[bytes] | None = None
        self._starting: asyncio.Task[DriverLink] | None = None
        self._link: DriverLink | None = None
        self._reason: str | None = None
        self._memory_kills = RecentKills()

    @property
    def pid(self) -> int | None:
        """Of the JVM, while there is one."""
        return None if self._process is None else self._process.pid

    async def attach(self, attempt_id: int, jars: list[str]) -> Gateway:
        """A gateway of the attempt's own, to a session of its own; starts the JVM if need be."""
        link = await self.start()
        secret = secrets.token_hex(32)
        port = await self._call(link.open_gateway, attempt_id, secret, jars)
        return {"port": port, "secret": secret, "jvm_pid": self.pid or 0}

    def start(self) -> Awaitable[DriverLink]:
        """The running JVM, or the one that is being started."""
        process = self._process
        if self._link is not None and process is not None and process.poll() is not None:
            self._note_death(process)  # before the watch has
        if self._starting is None:
            self._starting = asyncio.get_running_loop().create_task(self._start())
        return asyncio.shield(self._starting)

    async def cancel(self, attempt_id: int) -> None:
        """Cancel the attempt's Spark jobs; tells nothing about what comes after."""
        if self._link is not None:
            await self._call(self._link.cancel_jobs, attempt_id)

    async def close(self, attempt_id: int, seconds: float) -> bool:
        """End all that the attempt has in the JVM; whether it is proven that nothing of it can act any more."""
        link = self._link
        if link is None:
            return True  # what died cannot act
        try:
            # One deadline for every question: a JVM that is frozen answers none.
            return await asyncio.wait_for(self._close(link, attempt_id, seconds), seconds + CLOSE_SECONDS_MORE)
        except Exception:
            # Dead since, or stuck: only the first is proof.
            return await self._has_died()

    async def _close(self, link: DriverLink, attempt_id: int, seconds: float) -> bool:
        # What Spark has given up fails its tasks in many words; here stands the reason.
        if self._executors is not None and await self._executors.has_ended():
            return await self._has_died()
        return await self._call(link.close_gateway, attempt_id, seconds)

    async def _has_died(self) -> bool:
        """Noted at once: whoever used it ends now, and is told the reason. One that is just ending gets a moment to."""
        process = self._process
        if process is None:
            return True
        loop = asyncio.get_running_loop()
        deadline = loop.time() + DYING_SECONDS_MAX
        while process.poll() is None:
            if loop.time() > deadline:
                return False
            await asyncio.sleep(0.02)
        self._note_death(process)
        return True

    async def warm_up(self) -> None:
        """A small Delta write: the first in a JVM takes 8–10 s, the second less than 1 s."""
        # Executors would write where the table is not, if they are on other machines.
        if self._link is not None and self._conf().get("spark.master", "local").startswith("local"):
            await self._call(self._link.warm_up, os.path.join(self.folder, "warm-up"))

    def kill(self, reason: str) -> None:
        """End the JVM; `reason` is what its attempts are told."""
        self._reason = reason
        if self._process is not None and self._process.poll() is None:
            self._process.kill()

    async def _call(self, function: Callable[..., Result], *arguments: Any) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)

    async def _start(self) -> DriverLink:
        self._set_state("starting", "Spark is starting")
        self._reason = None  # of a JVM before, whose death nobody has noted
        info_path = os.path.join(self.folder, "driver-gateway")
        try:
            if os.path.exists(info_path):
                os.unlink(info_path)
            limits = read_limits(self.spark_conf)
            await self._check_master()
            # On the loop's thread, which lives as long as the process: the kernel's signal at the parent's death
            # comes at the death of the thread that started it.
            self._memory_kills = RecentKills()
            process = self._process = self._launch(info_path)
            asyncio.get_running_loop().create_task(self._watch(process))
            port, secret = await self._await_gateway(process, info_path)
            link = await self._call(open_link, port, secret)
            ask = await self._call(open_question, port, secret)
        except Exception as error:
            self.kill("Spark did not start")
            self._starting = None
            message = f"Spark did not start: {self._explain(error)}"
            self._set_state("failed", message)
            raise DriverError(message) from error
        self._link = link
        self._set_state("ready", "Spark is ready")
        self._watch_executors(process)
        asyncio.get_running_loop().create_task(self._make_pulse(process, limits, ask).run())
        return link

    def _make_pulse(
        self, process: subprocess.Popen[bytes], limits: PulseLimits, ask: Callable[[], object]
    ) -> DriverPulse:
        return DriverPulse(
            process.pid,
            limits,
            ask=ask,
            is_there=lambda: self._process is process and process.poll() is None,
            on_silent=lambda message: self._set_state("not_responding", message),
            on_answer=lambda: self._set_state("ready", "Spark is ready"),
            on_end=self.kill,
        )

    async def _check_master(self) -> None:
        if self.place["watch"] is None:
            return
        failure = await self._call(check_master, self.place["watch"]["master"])
        if failure is not None:
            raise DriverError(failure)

    def _explain(self, error: Exception) -> str:
        watch = self.place["watch"]
        if watch is None or isinstance(error, DriverError):
            return str(error)
        return describe_end(watch["master"], self._read_log())

    def _watch_executors(self, process: subprocess.Popen[bytes]) -> None:
        wanted, link = self.place["watch"], self._link
        if wanted is None or link is None:
            return

        async def look() -> ExecutorFacts | None:
            if self._process is not process or process.poll() is not None:
                return None
            return await self._call(link.executor_facts)

        def fail(reason: str) -> None:
            if self._process is process:  # else it is that of a driver before
                self.kill(reason)

        def tell_sight(error: Exception | None) -> None:
            if self._process is process:
                self._set_state(
                    self.state, "Spark is ready" if error is None else f"its executors are not seen: {error}"
                )

        self._executors = ExecutorWatch(
            wanted,
            look=look,
            ask_master=lambda: self._call(ask_master, wanted, link.find_master_page),
            is_forgotten=lambda: self._call(is_forgotten, wanted["master"], link.find_master_page),
            read_log=self._read_log,
            on_change=self._on_executors,
            on_failure=fail,
            on_sight=tell_sight,
        )
        asyncio.get_running_loop().create_task(self._executors.run())

    def _read_log(self) -> str:
        try:
            return self._log.tail(LOG_BYTES_READ)
        except OSError:
            return ""

    def _launch(self, info_path: str) -> subprocess.Popen[bytes]:
        environment = dict(os.environ)
        conf = self._conf()
        environment.update(
            SPARK_HOME=self.runtime["sparkHome"],
            PYSPARK_PYTHON=sys.executable,
            PYSPARK_DRIVER_PYTHON=sys.executable,
            _PYSPARK_DRIVER_CONN_INFO_PATH=info_path,
            SPARK_LOCAL_IP=conf["spark.driver.bindAddress"],
        )
        with self._log.begin() as log:
            return subprocess.Popen(
                launch_command(sys.executable, self._command(conf)),
                env=environment,
                cwd=self.folder,
                # Spark's gateway ends itself when this pipe closes.
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _conf(self) -> dict[str, str]:
        return base_conf(self.folder, self.data_root, {**self.spark_conf, **self.place["conf"]})

    def _command(self, conf: dict[str, str]) -> list[str]:
        heap = conf.pop("spark.driver.memory", HEAP_DEFAULT)
        options = conf.pop("spark.driver.extraJavaOptions", "").split()
        temporary = make_temporary(self.folder, conf["spark.local.dir"])
        command = java_options(self.runtime, heap=heap, temporary=temporary, options=options)
        command += ["-cp", os.pathsep.join(self.runtime["classPath"]), SUBMIT_CLASS]
        return [*command, "--properties-file", self._write_conf(conf), "pyspark-shell"]

    def _write_conf(self, conf: dict[str, str]) -> str:
        """Into a file of ours alone: a command line is for everybody to see, and a conf may hold keys of a store."""
        path = os.path.join(self.folder, "driver.conf")
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(format_conf(conf))
        return path

    async def _await_gateway(self, process: subprocess.Popen[bytes], info_path: str) -> tuple[int, str]:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + START_SECONDS_MAX
        while not os.path.exists(info_path):
            if process.poll() is not None:
                raise DriverError(f"Java ended with code {process.returncode}: {self._log.last_lines()}")
            if loop.time() > deadline:
                raise DriverError(f"no answer within {START_SECONDS_MAX} s: {self._log.last_lines()}")
            await asyncio.sleep(0.01)
        with open(info_path, "rb") as file:
            port, size = struct.unpack("!ii", file.read(8))
            secret = file.read(size).decode()
        os.unlink(info_path)
        return port, secret

    async def _watch(self, process: subprocess.Popen[bytes]) -> None:
        """Until the JVM has died, however."""
        while process.poll() is None:
            await asyncio.sleep(0.25)
            self._log.cut()
            self._memory_kills.look()
        self._note_death(process)

    def _note_death(self, process: subprocess.Popen[bytes]) -> None:
        if self._process is not process:
            return  # noted before
        was_ready = self._link is not None
        self._process = self._link = self._starting = self._executors = None
        # The pool's threads hold py4j connections to the dead JVM.
        self._threads.shutdown(wait=False)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="driver")
        was_memory = self._memory_kills.has_killed()
        reason = self._reason or describe_driver_death(process.returncode, self._log, was_memory=was_memory)
        self._reason = None
        if was_ready:
            self._set_state("failed", reason)
            self._on_death(reason)

    def _set_state(self, state: str, message: str) -> None:
        self.state = state
        self._on_state(state, message, self.pid)


def describe_driver_death(code: int, log: DriverLog, *, was_memory: bool | None) -> str:
    """For the tasks that used it: what ended it, as far as that is known."""
    if code == 3:
        return "The Spark driver ran out of memory and was ended; give the cluster more with spark.driver.memory."
    if code == -signal.SIGKILL:
        if was_memory is False:
            return "The Spark driver was killed (SIGKILL), and not by the kernel: another process has done it."
        why = "the kernel killed for lack of memory at that time" if was_memory else "perhaps for lack of memory"
        return f"The Spark driver was killed (SIGKILL): {why}. Run fewer tasks at once, or on a larger machine."
    if code < 0:
        return f"The Spark driver was ended by signal {-code}."
    return f"The Spark driver ended with code {code}: {log.last_lines()}"
