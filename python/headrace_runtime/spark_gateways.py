"""Calls into the driver JVM: a gateway, session and job tag for each attempt, and the proof that none of it is left.

Each gateway's accept thread is made in a Java thread group of the attempt's own and inherits its job tag; the threads
that serve connections, and the streams started from them, inherit both. So "no thread of the attempt is left" can be
asked of the JVM. Every function here blocks and runs on a thread of `Driver`.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from typing import Any

from .executor_watch import ExecutorFacts

TAG_PROPERTY = "spark.job.tags"
INTERRUPT_PROPERTY = "spark.job.interruptOnCancel"
# A pool of its own under the FAIR scheduler: a long job of one attempt does not starve the others. Spark keeps every
# pool for ever and sorts them all for each task it places, so pools are lent, not made anew for each attempt.
POOL_PROPERTY = "spark.scheduler.pool"
# Pools of Spark's own that happen to be born on an attempt's thread live on; they never run an attempt's Python.
ACTING_FRAMES = ("py4j.", "org.apache.spark.sql.execution.streaming")
# With it, what is added to a session is not added to all.
ISOLATION = "spark.sql.artifact.isolation.enabled"
PROOF_POLL_SECONDS = 0.02
QUIET_LOOKS = 2
# For an answer of Spark's scheduler, which deals with what came before first.
SCHEDULER_SECONDS = 60
# A cancel ends what waits for Spark jobs. What is still busy then waits for something else, and is interrupted.
INTERRUPT_AFTER_SECONDS = 2.0


def job_tag(attempt_id: int) -> str:
    """The tag of all Spark jobs of an attempt."""
    return f"headrace-attempt-{attempt_id}"


def open_link(port: int, secret: str) -> DriverLink:
    """Connect to a JVM that was just started, and start its Spark context."""
    from py4j.clientserver import ClientServer, JavaParameters, PythonParameters

    # Each thread of ours gets a thread of its own over there, for local properties belong to threads.
    client = ClientServer(
        java_parameters=JavaParameters(port=port, auth_token=secret, auto_convert=True),
        python_parameters=PythonParameters(port=0, eager_load=False),
    )
    return DriverLink(client)


class _OpenGateway:
    def __init__(self, *, session: Any, has_jars: bool, server: Any, group: Any, pool: int) -> None:
        self.session = session
        self.has_jars = has_jars
        self.server = server
        self.group = group
        self.pool = pool


class _Pools:
    """The numbers of Spark's scheduler pools that are in use; called from several threads."""

    def __init__(self) -> None:
        self._taken: set[int] = set()
        self._lock = threading.Lock()

    def take(self) -> int:
        """The lowest that is free."""
        with self._lock:
            number = next(number for number in range(len(self._taken) + 1) if number not in self._taken)
            self._taken.add(number)
            return number

    def give_back(self, number: int) -> None:
        with self._lock:
            self._taken.remove(number)


class DriverLink:
    """A connection to a live JVM; dies with it."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._jvm = client.jvm
        self._root = self._jvm.org.apache.spark.sql.SparkSession.builder().getOrCreate()
        self._context = self._root.sparkContext()
        self._await = self._jvm.scala.concurrent.Await
        self._patience = self._jvm.scala.concurrent.duration.Duration.apply(SCHEDULER_SECONDS, "s")
        self._gateways: dict[int, _OpenGateway] = {}
        self._pools = _Pools()

    def open_gateway(self, attempt_id: int, secret: str, jars: list[str]) -> int:
        """Serve a new session on a port of its own; everything done through it carries the attempt's tag."""
        java = self._jvm.java
        session, loader = (self._root.newSession(), None) if not jars else self._open_session_with(jars)
        builder = self._jvm.py4j.ClientServer.ClientServerBuilder(session)
        localhost = java.net.InetAddress.getByName("127.0.0.1")
        # Started by the thread below and by no other: what `build` itself starts would not belong to the attempt.
        builder = builder.authToken(secret).javaPort(0).javaAddress(localhost).autoStartJavaServer(False)
        server = builder.build()
        group = java.lang.ThreadGroup(job_tag(attempt_id))
        start = java.beans.EventHandler.create(java.lang.Class.forName("java.lang.Runnable"), server, "startServer")
        pool = self._pools.take()
        properties = {TAG_PROPERTY: job_tag(attempt_id), POOL_PROPERTY: _pool_name(pool), INTERRUPT_PROPERTY: "true"}
        for name, value in properties.items():
            self._context.setLocalProperty(name, value)
        sessions = self._jvm.org.apache.spark.sql.classic.SparkSession
        sessions.setActiveSession(session)
        try:
            # A new thread copies the local properties, and the active session, of the one that makes it.
            thread = java.lang.Thread(group, start, f"{job_tag(attempt_id)}-start")
            if loader is not None:
                # Inherited by all threads of the attempt: py4j and Spark look there for classes.
                thread.setContextClassLoader(loader)
        finally:
            for name in properties:
                self._context.setLocalProperty(name, None)
            sessions.clearActiveSession()
        thread.start()
        thread.join()
        self._gateways[attempt_id] = _OpenGateway(
            session=session, has_jars=bool(jars), server=server, group=group, pool=pool
        )
        return int(server.getJavaServer().getListeningPort())

    def _open_session_with(self, jars: list[str]) -> tuple[Any, Any]:
        """A session that alone knows the classes of some jars, here and on executors; and its class loader."""
        session = self._root.newSession()
        # Read once, when the first artifact comes; pyspark turns it off for all.
        session.conf().set(ISOLATION, "true")
        for jar in jars:
            session.addArtifact(jar)
        return session, session.artifactManager().classloader()

    def cancel_jobs(self, attempt_id: int) -> None:
        """Cancel what the attempt has running or waiting."""
        self._context.cancelJobsWithTag(job_tag(attempt_id))

    def close_gateway(self, attempt_id: int, seconds: float) -> bool:
        """End streams, jobs and threads of the attempt; whether that is proven within the time."""
        gateway = self._gateways.get(attempt_id)
        if gateway is None:
            return True
        begun = time.monotonic()
        gateway.server.shutdown()
        quiet_looks = 0
        while True:
            self._stop_streams(gateway.session)
            acting = self._acting_threads(gateway.group)
            had_jobs = self._cancel_active(attempt_id)
            is_busy = bool(acting) or had_jobs or self._has_tasks(gateway.pool)
            quiet_looks = 0 if is_busy else quiet_looks + 1
            # What a pool of Spark's own still did for the attempt may have begun after the first.
            if quiet_looks == QUIET_LOOKS:
                break
            elapsed = time.monotonic() - begun
            if elapsed > seconds:
                return False
            if elapsed > INTERRUPT_AFTER_SECONDS:
                for thread in acting:
                    thread.interrupt()
            if quiet_looks == 0:
                time.sleep(PROOF_POLL_SECONDS)
        if gateway.has_jars:
            gateway.session.artifactManager().close()
        del self._gateways[attempt_id]
        self._pools.give_back(gateway.pool)
        return True

    def executor_facts(self) -> ExecutorFacts:
        """How many executors there are besides the driver, and whether anything waits for them."""
        if self._context.isStopped():
            return ExecutorFacts(executors=0, has_jobs=False, is_stopped=True)
        tracker = self._context.statusTracker()
        known = len(tracker.getExecutorInfos())
        return ExecutorFacts(max(0, known - 1), len(tracker.getActiveJobIds()) > 0, is_stopped=False)

    def find_master_page(self, host: str, port: int) -> tuple[int, str]:
        """The port of a master's page, asked of the master in Spark's own language; and how it calls this driver."""
        spark = self._jvm.org.apache.spark
        question = getattr(getattr(spark.deploy.master, "MasterMessages$BoundPortsRequest$"), "MODULE$")
        kind = getattr(getattr(self._jvm.scala.reflect, "ClassTag$"), "MODULE$")
        anything = kind.apply(self._jvm.java.lang.Class.forName("java.lang.Object"))
        network = spark.SparkEnv.get().rpcEnv()
        master = network.setupEndpointRef(spark.rpc.RpcAddress(host, port), "Master")
        return int(master.askSync(question, anything).webUIPort()), str(self._context.applicationId())

    def warm_up(self, folder: str) -> None:
        """Write and read a small Delta table, through a session that is then forgotten."""
        shutil.rmtree(folder, ignore_errors=True)
        session = self._root.newSession()
        session.range(5).write().format("delta").save(folder)
        session.read().format("delta").load(folder).count()
        if os.path.isdir(folder):
            shutil.rmtree(folder, ignore_errors=True)

    def _stop_streams(self, session: Any) -> None:
        for query in session.streams().active():
            query.stop()

    def _acting_threads(self, group: Any) -> list[Any]:
        count = group.activeCount()
        if count == 0:
            return []
        threads = self._client.new_array(self._jvm.java.lang.Thread, count + 16)
        return [threads[index] for index in range(group.enumerate(threads)) if _is_acting(threads[index])]

    def _has_tasks(self, pool: int) -> bool:
        """A cancelled job is over before its tasks are: a UDF goes on until Spark ends its Python worker."""
        own = self._context.taskScheduler().rootPool().getSchedulableByName(_pool_name(pool))
        return own is not None and own.runningTasks() > 0

    def _cancel_active(self, attempt_id: int) -> bool:
        """Whether the scheduler itself had a job of the attempt, and cancelled it.

        Spark's status tracker would not do: it hears of a job's begin and end later than they happen.
        """
        jobs = self._context.cancelJobsWithTagWithFuture(job_tag(attempt_id), "its task has ended")
        return not self._await.result(jobs, self._patience).isEmpty()


def _pool_name(number: int) -> str:
    return f"headrace-{number}"


def _is_acting(thread: Any) -> bool:
    return any(frame.getClassName().startswith(ACTING_FRAMES) for frame in thread.getStackTrace())
