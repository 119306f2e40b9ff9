"""The life of the endpoint: ask, run, bring the results, until it is told to retire or nobody wants it."""

from __future__ import annotations

import queue
import sys
import threading
import time
from functools import partial
from typing import Any

from .. import attach
from ..context import TaskContext
from .documents import PollAnswer, StatementDocument
from .errors import StatementFailure, describe_failure
from .parameters import bind
from .results import collect_result
from .running import Running
from .server_link import Refused, ServerLink
from .sessions import Sessions

WAIT_MS = 25_000
# A statement whose client is gone may leave its session behind.
SESSIONS_EVERY_SECONDS = 30.0
# A statement may end once more after it was delivered: its id is known for so many that followed.
SEEN_MAX = 10_000


def run_endpoint(context: TaskContext, *, threads: int) -> None:
    """Serve until the server has no more use for it."""
    Endpoint(context, threads).serve()


class Endpoint:
    def __init__(self, context: TaskContext, threads: int) -> None:
        session = attach.get_session()
        self._spark_context: Any = session.sparkContext
        self._jvm: Any = self._spark_context._jvm
        api = context.attempt["api"]
        self._link = ServerLink(api["url"], api["token"])
        self._sessions = Sessions(session._jsparkSession, self._jvm)
        self._running: dict[str, Running] = {}
        self._seen: dict[str, None] = {}
        self._lock = threading.Lock()
        self._queue: queue.SimpleQueue[Running] = queue.SimpleQueue()
        self._threads = threads
        self._driver_death: BaseException | None = None
        self._poll = 0

    def serve(self) -> None:
        for number in range(self._threads):
            threading.Thread(target=self._work, name=f"statements-{number}", daemon=True).start()
        threading.Thread(target=self._watch_time, name="statement-time", daemon=True).start()
        sessions_due = 0.0
        while self._driver_death is None:
            is_due = time.monotonic() >= sessions_due
            if is_due:
                sessions_due = time.monotonic() + SESSIONS_EVERY_SECONDS
            try:
                answer: PollAnswer = self._link.post_fresh("poll", partial(self._question, with_sessions=is_due))
            except Refused as error:
                print(f"The server has no more use for this endpoint: {error}", flush=True)
                return
            self._take(answer)
            if answer["retire"] and not self._running:
                return
            if answer["retire"]:
                time.sleep(1)
        raise self._driver_death

    def _question(self, *, with_sessions: bool) -> dict[str, Any]:
        self._poll += 1
        with self._lock:
            held = list(self._running)
            cancelling = [each.statement_id for each in self._running.values() if each.is_cancelled]
        question: dict[str, Any] = {
            "poll": self._poll,
            "held": held,
            "cancelling": cancelling,
            "room": self._threads,
            "wait_ms": WAIT_MS,
        }
        if with_sessions:
            question["sessions"] = self._sessions.held()
        return question

    def _take(self, answer: PollAnswer) -> None:
        self._sessions.close(answer["close_sessions"])
        self._sessions.know_catalogs(answer["catalogs"], answer["default_catalog"])
        for document in answer["statements"]:
            statement_id = document["statement_id"]
            with self._lock:
                is_seen, is_held = statement_id in self._seen, statement_id in self._running
                if not is_seen:
                    self._seen[statement_id] = None
                    if len(self._seen) > SEEN_MAX:
                        del self._seen[next(iter(self._seen))]
                    self._running[statement_id] = Running(document)
                    self._queue.put(self._running[statement_id])
            if is_seen and not is_held:
                # It has ended here, and the server does not know how. One whose end it has heard of stays as it is.
                self._fail(statement_id, "its end could not be told in time")
        for statement_id in answer["cancel"]:
            with self._lock:
                wanted = self._running.get(statement_id)
            if wanted is not None:
                wanted.cancel()

    def _work(self) -> None:
        while True:
            running = self._queue.get()
            try:
                delivery = self._run(running)
            except BaseException as error:
                # The server hears of the end of this process, and tells why.
                self._driver_death = error
                return
            self._deliver(delivery)
            with self._lock:
                self._running.pop(running.statement_id, None)

    def _deliver(self, delivery: dict[str, Any]) -> None:
        statement_id = delivery["statement_id"]
        try:
            self._link.post("deliver", delivery)
        except (OSError, Refused) as error:
            print(f"the end of statement {statement_id} could not be told: {error}", file=sys.stderr)
            if isinstance(error, Refused) and not error.is_final:
                self._fail(statement_id, f"the server refused it ({error})")

    def _fail(self, statement_id: str, why: str) -> None:
        """In words that nothing is wrong with: without an end the statement would run for ever."""
        failure = StatementFailure(
            f"The statement has ended, but how cannot be shown: {why}. What it has written may be there.",
            code="INTERNAL_ERROR",
        )
        delivery = {"statement_id": statement_id, "state": "FAILED", "timings": {}}
        try:
            self._link.post("deliver", {**delivery, "error": describe_failure(failure, "", None)})
        except (OSError, Refused) as error:
            print(f"the failure of statement {statement_id} could not be told: {error}", file=sys.stderr)

    def _run(self, running: Running) -> dict[str, Any]:
        """How it ended, in the server's words. Raises only when the driver is gone."""
        document = running.document
        timings: dict[str, float] = {}
        state, more = "CANCELED", {}
        session: Any = None
        running.enter(self._spark_context, self._jvm)
        try:
            if not running.is_cancelled:
                session = self._session_of(document)
                more = {"result": self._execute(running, session, timings)}
                state = "SUCCEEDED"
        except BaseException as error:
            if attach.is_driver_death(error):
                raise
            state, more = self._describe_end(running, error, session)
        finally:
            if not self._jvm_is_gone():
                running.leave(self._spark_context, self._jvm)
        if state == "SUCCEEDED" and document["session"] is None:
            place = (document["catalog"], document["schema"])
            self._sessions.give_back(session, *place, document["statement"])
        return {"statement_id": running.statement_id, "state": state, "timings": timings, **more}

    def _jvm_is_gone(self) -> bool:
        return self._driver_death is not None

    def _session_of(self, document: StatementDocument) -> Any:
        own = document["session"]
        if own is None:
            return self._sessions.lend(document["catalog"], document["schema"])
        session = self._sessions.of_client(own)
        self._sessions.place(session, document["catalog"], document["schema"])
        return session

    def _execute(self, running: Running, session: Any, timings: dict[str, float]) -> dict[str, Any]:
        document = running.document
        begun = time.monotonic()
        running.time_limit = running.timeout_seconds(session)
        frame = session.sql(*bind(session, self._jvm, document["statement"], document["parameters"]))
        executed = time.monotonic()
        timings["execution_ms"] = round((executed - begun) * 1000, 1)

        def send(index: int, content: bytes) -> None:
            self._send_chunk(running, index, content)

        result = collect_result(frame, document, self._jvm, send)
        timings["fetch_ms"] = round((time.monotonic() - executed) * 1000, 1)
        return dict(result)

    def _send_chunk(self, running: Running, index: int, content: bytes) -> None:
        import base64

        if running.is_cancelled or running.is_late:
            raise StatementFailure("the statement was cancelled")
        chunk = {"statement_id": running.statement_id, "index": index}
        self._link.post("chunk", {**chunk, "content": base64.b64encode(content).decode()})

    def _describe_end(self, running: Running, error: BaseException, session: Any) -> tuple[str, dict[str, Any]]:
        if running.is_cancelled:
            return "CANCELED", {}
        if running.is_late:
            seconds = running.time_limit or 0
            late = StatementFailure(
                f"The statement took longer than its limit of {seconds:g} s, and was ended.",
                code="DEADLINE_EXCEEDED",
                sql_state="57014",
            )
            return "FAILED", {"error": describe_failure(late, "", None)}
        try:
            return "FAILED", {"error": describe_failure(error, running.document["statement"], session)}
        except Exception as second:
            if attach.is_driver_death(second):
                raise
            plain = StatementFailure(f"{type(error).__name__}: {error}", code="INTERNAL_ERROR")
            return "FAILED", {"error": describe_failure(plain, "", None)}

    def _watch_time(self) -> None:
        while True:
            time.sleep(0.5)
            now = time.monotonic()
            with self._lock:
                late = [
                    each
                    for each in self._running.values()
                    if each.time_limit is not None and now - each.begun_at > each.time_limit
                ]
            for running in late:
                running.cancel(is_late=True)
