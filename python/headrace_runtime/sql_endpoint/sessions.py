"""Sessions of Spark: one for each session of a client, and clean ones for statements that come without."""

from __future__ import annotations

import re
import threading
from typing import Any

from .. import attach
from .documents import SessionDocument

# Statements that begin so leave nothing behind in their session: it is good for another one.
CLEAN_WORDS = frozenset(
    "select values with from table show describe desc explain insert update delete merge optimize vacuum".split()
)
# Making one takes some 20 ms.
SPARE_MAX = 10
CLIENT_CONF = {"TIMEZONE": "spark.sql.session.timeZone", "ANSI_MODE": "spark.sql.ansi.enabled"}
# Read where it counts; Spark knows no such setting, and takes any.
KEPT_CONF = ("STATEMENT_TIMEOUT",)


class Sessions:
    def __init__(self, root: Any, jvm: Any) -> None:
        self._root = root
        self._jvm = jvm
        self._lock = threading.Lock()
        self._of_clients: dict[str, Any] = {}
        self._making: dict[str, threading.Lock] = {}
        self._spare: dict[tuple[str | None, str | None], list[Any]] = {}
        self._catalogs: list[str] = []
        self._default_catalog = ""

    def know_catalogs(self, catalogs: list[str], default_catalog: str) -> None:
        """A catalog that was made since is known to all sessions from their next statement on."""
        with self._lock:
            new = [catalog for catalog in catalogs if catalog not in self._catalogs]
            if not new and default_catalog == self._default_catalog:
                return
            self._catalogs = catalogs
            self._default_catalog = default_catalog
            self._spare.clear()
            open_sessions = list(self._of_clients.values())
        for session in open_sessions:
            for name, value in self._conf_of(new).items():
                session.conf().set(name, value)

    def held(self) -> list[str]:
        with self._lock:
            return list(self._of_clients)

    def close(self, session_ids: list[str]) -> None:
        with self._lock:
            for session_id in session_ids:
                self._of_clients.pop(session_id, None)
                self._making.pop(session_id, None)

    def of_client(self, document: SessionDocument) -> Any:
        """The client's own; made for its first statement, once however many come at a time."""
        session_id = document["session_id"]
        with self._lock:
            making = self._making.setdefault(session_id, threading.Lock())
        with making:
            with self._lock:
                session = self._of_clients.get(session_id)
            if session is None:
                session = self._make(document["catalog"], None)
                self._begin_in(session, document["schema"])
                for name, value in document["conf"].items():
                    self._set(session, name, value)
                with self._lock:
                    self._of_clients[session_id] = session
        return session

    def lend(self, catalog: str | None, schema: str | None) -> Any:
        with self._lock:
            spare = self._spare.get((catalog, schema))
            if spare:
                return spare.pop()
        return self._make(catalog, schema)

    def give_back(self, session: Any, catalog: str | None, schema: str | None, statement: str) -> None:
        """After a statement that cannot have changed it."""
        if not is_clean(statement):
            return
        with self._lock:
            if sum(len(each) for each in self._spare.values()) >= SPARE_MAX:
                self._spare.clear()
            self._spare.setdefault((catalog, schema), []).append(session)

    def place(self, session: Any, catalog: str | None, schema: str | None) -> None:
        """Make these current; Spark's own error says that there is no such one."""
        if catalog is None and schema is None:
            return
        manager = session.sessionState().catalogManager()
        if catalog is not None:
            manager.setCurrentCatalog(catalog)
        if schema is not None:
            session.sql(f"use schema `{schema.replace('`', '``')}`", self._jvm.PythonUtils.toArray([]))

    def _begin_in(self, session: Any, schema: str | None) -> None:
        """A client may name a schema that its first statement makes, as dbt does; until then nothing is found in it."""
        try:
            self.place(session, None, schema)
        except Exception as error:
            if "SCHEMA_NOT_FOUND" not in str(error):
                raise
            manager = session.sessionState().catalogManager()
            # Spark's own setter looks whether it is there.
            field = manager.getClass().getDeclaredField("_currentNamespace")
            field.setAccessible(True)
            java = self._jvm.java.lang
            name = java.reflect.Array.newInstance(java.Class.forName("java.lang.String"), 1)
            name[0] = schema
            field.set(manager, self._jvm.scala.Some(name))

    def _make(self, catalog: str | None, schema: str | None) -> Any:
        session = self._root.newSession()
        attach.configure_session(session)
        conf = session.conf()
        for name, value in self._conf_of(self._catalogs).items():
            conf.set(name, value)
        if self._default_catalog not in ("", attach.BUILT_IN_CATALOG):
            conf.set("spark.sql.defaultCatalog", self._default_catalog)
        # As hosted: what a client is told does not depend on where the server stands.
        conf.set("spark.sql.session.timeZone", "UTC")
        self.place(session, catalog, schema)
        return session

    def _set(self, session: Any, name: str, value: str) -> None:
        known = CLIENT_CONF.get(name.upper())
        if known is not None or name.startswith("spark.") or name.upper() in KEPT_CONF:
            self._jvm.io.headrace.sql.GuardedStatements.requireSetting(session, known or name)
            session.conf().set(known or (name if name.startswith("spark.") else name.upper()), value)

    def _conf_of(self, catalogs: list[str]) -> dict[str, str]:
        known = attach.catalog_conf()
        like = next((name for name, value in known.items() if value == attach.CATALOG_CLASS), None)
        if like is None:
            return {}
        fields = {name.removeprefix(like): value for name, value in known.items() if name.startswith(like)}
        wanted = [each for each in catalogs if each != attach.BUILT_IN_CATALOG]
        return {f"spark.sql.catalog.{each}{suffix}": value for each in wanted for suffix, value in fields.items()}


def is_clean(statement: str) -> bool:
    """Whether a statement leaves its session as it was, as far as its first word tells."""
    text = re.sub(r"\A(?:\s|\(|--[^\n]*(?:\n|\Z)|/\*.*?\*/)+", "", statement[:10_000], flags=re.DOTALL)
    word = re.match(r"[A-Za-z]+", text)
    return word is not None and word[0].lower() in CLEAN_WORDS
