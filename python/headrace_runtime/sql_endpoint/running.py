"""One statement under way: on a thread of its own, its Spark jobs under a tag of its own, so that a cancel hits nothing else."""

from __future__ import annotations

import threading
import time
from typing import Any

from .. import attach
from ..spark_gateways import POOL_PROPERTY
from .documents import StatementDocument

POLL_SECONDS = 0.1
# A cancel ends what waits for Spark jobs. What is still busy then waits for something else, and is interrupted.
INTERRUPT_AFTER_SECONDS = 2.0

_local = threading.local()


class Running:
    def __init__(self, document: StatementDocument) -> None:
        self.document = document
        self.statement_id = document["statement_id"]
        self.begun_at = time.monotonic()
        self.is_cancelled = False
        self.is_late = False
        # Seconds; None while nothing limits it.
        self.time_limit: float | None = None
        self._java_thread: Any = None
        self._lock = threading.Lock()
        self._has_ended = False

    @property
    def tag(self) -> str:
        return f"headrace-statement-{self.statement_id}"

    def enter(self, spark_context: Any, jvm: Any) -> None:
        """On the thread that will run it."""
        if getattr(_local, "java_thread", None) is None:
            # Each thread of ours has one of its own over there, and keeps it.
            _local.java_thread = jvm.java.lang.Thread.currentThread()
            spark_context.setInterruptOnCancel(True)
            # Shares of the cores are fair between pools; in one pool an endless query would leave the others none.
            spark_context.setLocalProperty(POOL_PROPERTY, f"headrace-{threading.current_thread().name}")
        spark_context.addJobTag(self.tag)
        with self._lock:
            self._java_thread = _local.java_thread

    def leave(self, spark_context: Any, jvm: Any) -> None:
        with self._lock:
            self._has_ended = True
            self._java_thread = None
            was_ended = self.is_cancelled or self.is_late
        # What came too late for this statement must not reach the thread's next one.
        if was_ended:
            jvm.java.lang.Thread.interrupted()
        spark_context.removeJobTag(self.tag)

    def timeout_seconds(self, session: Any) -> float | None:
        """The client's, or the session's own STATEMENT_TIMEOUT, whichever is shorter."""
        limits = []
        if self.document["timeout_ms"]:
            limits.append(self.document["timeout_ms"] / 1000)
        own = self.document["session"] is not None
        text = str(session.conf().get("STATEMENT_TIMEOUT", "0")) if own else "0"
        if text.isdigit() and int(text) > 0:
            limits.append(float(text))
        return min(limits) if limits else None

    def cancel(self, *, is_late: bool = False) -> None:
        """Begin to end it; tried until it has ended, for its next job may not have begun yet."""
        with self._lock:
            if self.is_cancelled or self.is_late:
                return
            self.is_late = is_late
            self.is_cancelled = not is_late
        threading.Thread(target=self._end, name=f"cancel-{self.statement_id}", daemon=True).start()

    def _end(self) -> None:
        context = attach.get_session().sparkContext
        begun = time.monotonic()
        while True:
            with self._lock:
                if self._has_ended:
                    return
                thread = self._java_thread
                if thread is not None and time.monotonic() - begun > INTERRUPT_AFTER_SECONDS:
                    thread.interrupt()
            context.cancelJobsWithTag(self.tag)
            time.sleep(POLL_SECONDS)
