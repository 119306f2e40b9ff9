"""Lends Spark to a notebook that `dbutils.notebook.run` started: a gateway and a session below those of this task.

What the host does for an attempt, done once more from within: threads in a group below the attempt's, jobs with a tag
beside the attempt's. So the child's end takes away what is the child's alone, and the attempt's end takes all.
"""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any

from .. import attach
from ..context import get_context
from ..spark_gateways import ACTING_FRAMES, INTERRUPT_AFTER_SECONDS, PROOF_POLL_SECONDS, TAG_PROPERTY

if TYPE_CHECKING:
    from pyspark import SparkContext

# Cancelled jobs end within a second. What does not is left to the attempt's own end.
CLOSE_SECONDS_MAX = 10.0


class ChildGateway:
    """Open until `close`."""

    def __init__(self, name: str) -> None:
        session: Any = attach.get_session()
        self._context: SparkContext = session.sparkContext
        self._jvm: Any = session._jvm
        attachment = attach.get_attachment()
        self._tag = f"{attachment.kept_tags[0] if attachment.kept_tags else 'headrace'}-{name}"
        self._tags = [*attachment.kept_tags, self._tag]
        self._session = _new_session(session._jsparkSession, has_jars=bool(get_context().jars))
        self._secret = secrets.token_hex(32)
        self._group: Any = None
        self._server = self._start_server()

    def describe(self) -> dict[str, Any]:
        """What the child needs in order to reach it."""
        return {
            "port": int(self._server.getJavaServer().getListeningPort()),
            "secret": self._secret,
            "jvm_pid": attach.get_attachment().jvm_pid,
            "job_tags": [self._tag],
        }

    def close(self) -> None:
        """End the child's streams, jobs and threads."""
        begun = time.monotonic()
        self._server.shutdown()
        while True:
            for query in self._session.streams().active():
                query.stop()
            self._context._jsc.sc().cancelJobsWithTag(self._tag)
            acting = self._acting_threads()
            elapsed = time.monotonic() - begun
            if not acting or elapsed > CLOSE_SECONDS_MAX:
                return
            if elapsed > INTERRUPT_AFTER_SECONDS:
                for thread in acting:
                    thread.interrupt()
            time.sleep(PROOF_POLL_SECONDS)

    def _start_server(self) -> Any:
        java = self._jvm.java
        sessions = self._jvm.org.apache.spark.sql.classic.SparkSession
        localhost = java.net.InetAddress.getByName("127.0.0.1")
        builder = self._jvm.py4j.ClientServer.ClientServerBuilder(self._session).authToken(self._secret)
        server = builder.javaPort(0).javaAddress(localhost).autoStartJavaServer(False).build()
        self._group = java.lang.ThreadGroup(java.lang.Thread.currentThread().getThreadGroup(), self._tag)
        handlers = java.beans.EventHandler
        start = handlers.create(java.lang.Class.forName("java.lang.Runnable"), server, "startServer")
        spark_context = self._context._jsc.sc()
        tags_before = spark_context.getLocalProperty(TAG_PROPERTY)
        active_before = sessions.getActiveSession()
        spark_context.setLocalProperty(TAG_PROPERTY, ",".join(self._tags))
        sessions.setActiveSession(self._session)
        try:
            # A new thread copies the local properties, and the active session, of the one that makes it.
            thread = java.lang.Thread(self._group, start, f"{self._tag}-start")
        finally:
            spark_context.setLocalProperty(TAG_PROPERTY, tags_before)
            if active_before.isDefined():
                sessions.setActiveSession(active_before.get())
            else:
                sessions.clearActiveSession()
        self._close_with_parent(server)
        thread.start()
        thread.join()
        return server

    def _close_with_parent(self, server: Any) -> None:
        """The host knows the attempt's own gateway alone, and closes that when the attempt ends."""
        listeners = self._jvm.java.lang.Class.forName("py4j.GatewayServerListener")
        handlers = self._jvm.java.beans.EventHandler
        listener = handlers.create(listeners, server, "shutdown", None, "serverPreShutdown")
        gateway: Any = self._context._gateway
        gateway.java_gateway_server.addListener(listener)

    def _acting_threads(self) -> list[Any]:
        count = self._group.activeCount()
        if count == 0:
            return []
        gateway: Any = self._context._gateway
        threads = gateway.new_array(self._jvm.java.lang.Thread, count + 16)
        found = [threads[index] for index in range(self._group.enumerate(threads))]
        return [thread for thread in found if _is_acting(thread)]


def _new_session(java_session: Any, *, has_jars: bool) -> Any:
    # Classes that were added to a session are known to its clones alone; they also take over views and settings.
    return java_session.cloneSession() if has_jars else java_session.newSession()


def _is_acting(thread: Any) -> bool:
    return any(frame.getClassName().startswith(ACTING_FRAMES) for frame in thread.getStackTrace())
