"""Lends the task a Spark session of the host's JVM on first use.

The host answers one request on the task's socket with a py4j gateway of this attempt's own, whose entry point is a
JVM session of its own. Every way of user code to a session (`builder.getOrCreate()`, `getActiveSession()`,
`SparkContext.getOrCreate()`, the name `spark`) ends in `get_session`. Importing pyspark attaches nothing.
"""

from __future__ import annotations

import _thread
import json
import os
import sys

from . import parent_link
from .context import get_context
from .failures import TaskFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from py4j.java_gateway import JavaObject
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    from .documents import FailureCode

SOCKET_VARIABLE = "HEADRACE_HOST_SOCKET"
ATTEMPT_VARIABLE = "HEADRACE_ATTEMPT"
KEY_VARIABLE = "HEADRACE_ATTACH_KEY"
# What the host answered, for a fresh image of the process: its key is good for one answer, its gateway for the attempt.
GATEWAY_VARIABLE = "HEADRACE_GATEWAY"

# A cold JVM with Delta needs 7–13 s on two loaded cores; a machine that needs more than this has another problem.
ATTACH_SECONDS_MAX = 300
# A killed JVM of 1 GB is gone within 0.1 s; only a task that failed otherwise waits this long.
DEATH_SECONDS_MAX = 1.0
ANSWER_BYTES_MAX = 64 * 1024
CATALOG_CLASS = "io.unitycatalog.headrace.HeadraceCatalog"
# Spark's own catalog is part of the JVM's configuration.
BUILT_IN_CATALOG = "spark_catalog"


class Attachment:
    """The process's session, once there is one."""

    def __init__(self) -> None:
        self.session: SparkSession | None = None
        self.jvm_pid: int | None = None
        # Of the jobs of this process; and those that its jobs must never be without.
        self.job_tags: tuple[str, ...] = ()
        self.kept_tags: tuple[str, ...] = ()
        # The thread that is making the session; pyspark's own code must run plainly on it meanwhile.
        self.opening_thread: int | None = None
        self.credentials = _take_credentials()
        self.gateway: dict[str, Any] | None = _take_gateway()
        # Of a notebook that another one has started.
        self.parent = parent_link.take()


_attachment: Attachment | None = None
_lock: Any = None


def prepare_attachment() -> None:
    """Take the one-time key out of the environment, so that programs which user code starts do not inherit it."""
    global _attachment, _lock
    import threading

    _attachment = Attachment()
    _lock = threading.RLock()


def get_session() -> SparkSession:
    """The task's Spark session; attaches to the cluster's JVM the first time."""
    attachment = get_attachment()
    session = attachment.session
    if session is not None:
        return session
    with _lock:
        if attachment.session is None:
            attachment.opening_thread = _thread.get_ident()
            try:
                attachment.session = _open_session(attachment)
            finally:
                attachment.opening_thread = None
        return attachment.session


def is_attaching_due() -> bool:
    """Whether pyspark, asked now for its context, should get one made."""
    attachment = _attachment
    if attachment is None or attachment.session is not None:
        return False
    return attachment.opening_thread != _thread.get_ident()


def get_attachment() -> Attachment:
    if _attachment is None:
        get_context()
        raise RuntimeError("Spark was asked for before the task was set up")
    return _attachment


def depth() -> int:
    """How many notebooks are above this one, each having started the next."""
    parent = get_attachment().parent
    return 0 if parent is None else parent.depth


def is_driver_death(error: BaseException) -> bool:
    """Whether an exception of user code says that the JVM is gone."""
    if _attachment is None or _attachment.session is None:
        return False
    link: BaseException | None = error
    for _ in range(20):  # a chain of causes may be a ring
        if link is None:
            return False
        if type(link).__name__ == "Py4JNetworkError":
            return True
        if isinstance(link, ConnectionError) and _comes_from_py4j(link):
            return True
        # py4j swallows a connection that breaks in the middle of an answer and raises this bare.
        if type(link).__name__ == "Py4JError" and _is_gone(_attachment.jvm_pid):
            return True
        link = link.__cause__ or link.__context__
    return False


def _is_gone(pid: int | None) -> bool:
    """Whether a process has ended, where /proc can tell; one that is just being killed gets a moment to."""
    import time

    if not os.path.exists("/proc/self"):
        return False
    deadline = time.monotonic() + DEATH_SECONDS_MAX
    while pid:
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                if file.read().rpartition(b") ")[2][:1] in b"ZX":
                    return True
        except OSError:
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return False


def configure_session(java_session: JavaObject) -> None:
    """Give a JVM session the metastore's catalogs and the job's configuration."""
    context = get_context()
    spark = context.attempt["spark"]
    conf = java_session.conf()
    for name, value in catalog_conf().items():
        conf.set(name, value)
    for name, value in spark["conf"].items():
        try:
            conf.set(name, value)
        except Exception as error:
            reason = str(error).strip().splitlines()[0]
            context.warn(f"Spark setting {name} has no effect on a running cluster: {reason}")


def catalog_conf() -> dict[str, str]:
    """What makes the metastore's catalogs known, with the attempt's own token."""
    attempt = get_context().attempt
    conf: dict[str, str] = {}
    for catalog in attempt["spark"]["catalogs"]:
        if catalog == BUILT_IN_CATALOG:
            continue
        name = f"spark.sql.catalog.{catalog}"
        conf[name] = CATALOG_CLASS
        conf[f"{name}.uri"] = attempt["api"]["url"]
        conf[f"{name}.token"] = attempt["api"]["token"]
        # Delta takes the prefix io.unitycatalog. for an external catalog and would try its own REST protocol.
        conf[f"{name}.deltaRestApi.enabled"] = "false"
    default = attempt["spark"]["default_catalog"]
    if default and default != BUILT_IN_CATALOG:
        conf["spark.sql.defaultCatalog"] = default
    return conf


def credentials_to_pass_on() -> dict[str, str]:
    """For the environment of a fresh image of this process."""
    attachment = get_attachment()
    passed = dict(attachment.credentials or {})
    if attachment.gateway is not None:
        passed[GATEWAY_VARIABLE] = json.dumps(attachment.gateway)
    if attachment.parent is not None:
        passed.update(attachment.parent.pass_on())
    return passed


def use_worker_python(python: str) -> None:
    """Start Python workers with this interpreter from now on; one that is not attached yet reads the environment."""
    if _attachment is not None and _attachment.session is not None:
        _attachment.session.sparkContext.pythonExec = python


def _take_gateway() -> dict[str, Any] | None:
    text = os.environ.pop(GATEWAY_VARIABLE, None)
    gateway: dict[str, Any] | None = None if text is None else json.loads(text)
    return gateway


def _take_credentials() -> dict[str, str] | None:
    taken = {name: os.environ.pop(name, None) for name in (SOCKET_VARIABLE, ATTEMPT_VARIABLE, KEY_VARIABLE)}
    if taken[SOCKET_VARIABLE] is None or taken[KEY_VARIABLE] is None:
        return None
    return {name: value or "" for name, value in taken.items()}


def ask_host(request: dict[str, Any], seconds: float = 30) -> dict[str, Any]:
    """One request of this attempt to the host, proven by its key. Raises OSError, ValueError when there is no answer."""
    import socket

    credentials = get_attachment().credentials
    if credentials is None:
        raise OSError("this task was started without a cluster")
    asked = {
        **request,
        "attempt_id": int(credentials[ATTEMPT_VARIABLE] or get_context().attempt["attempt_id"]),
        "key": credentials[KEY_VARIABLE],
    }
    received = bytearray()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(seconds)
        connection.connect(credentials[SOCKET_VARIABLE])
        connection.sendall(json.dumps(asked).encode() + b"\n")
        while not received.endswith(b"\n") and len(received) < ANSWER_BYTES_MAX:
            part = connection.recv(4096)
            if not part:
                raise ValueError("the host hung up")
            received += part
    answer: dict[str, Any] = json.loads(received)
    return answer


def _request_gateway(credentials: dict[str, str] | None) -> dict[str, Any]:
    """Ask the host for this attempt's gateway, or the notebook that started this one."""
    parent = get_attachment().parent
    if credentials is None and parent is None:
        raise TaskFailure("CLUSTER_ERROR", "Spark is not available: this task was started without a cluster")
    try:
        if parent is not None:
            answer = parent.request_gateway()
        else:
            answer = ask_host({"op": "attach", "jars": get_context().jars}, ATTACH_SECONDS_MAX)
    except OSError as error:
        raise TaskFailure(
            "CLUSTER_ERROR", f"Spark is not available: the cluster's host did not answer ({error})"
        ) from None
    except ValueError:
        raise TaskFailure(
            "CLUSTER_ERROR", "Spark is not available: the cluster's host hung up before Spark was ready"
        ) from None
    if "error" in answer:
        code: FailureCode = "DRIVER_ERROR" if answer.get("code") == "DRIVER_ERROR" else "CLUSTER_ERROR"
        raise TaskFailure(code, f"Spark is not available: {answer['error']}")
    return answer


def _open_session(attachment: Attachment) -> SparkSession:
    answer = attachment.gateway or _request_gateway(attachment.credentials)
    attachment.gateway = answer
    os.environ["PYSPARK_GATEWAY_PORT"] = str(answer["port"])
    os.environ["PYSPARK_GATEWAY_SECRET"] = answer["secret"]
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    from . import spark_patches

    spark_patches.apply_patches()
    from pyspark import SparkConf, SparkContext
    from pyspark.logger import PySparkLogger

    # A user's error in a query is not ours to log: pyspark writes it as JSON with the JVM's stack, before the exception
    # says the same in words.
    for name in ("SQLQueryContextLogger", "DataFrameQueryContextLogger"):
        PySparkLogger.getLogger(name).disabled = True
    java_gateway: Any = sys.modules["pyspark.java_gateway"]
    try:
        gateway = java_gateway.launch_gateway()
    finally:
        del os.environ["PYSPARK_GATEWAY_PORT"], os.environ["PYSPARK_GATEWAY_SECRET"]
    java_session = gateway.entry_point
    configure_session(java_session)
    java_context = gateway.jvm.org.apache.spark.api.java.JavaSparkContext(java_session.sparkContext())
    conf = SparkConf(_jconf=java_session.sparkContext().conf())
    spark_context = SparkContext(gateway=gateway, jsc=java_context, conf=conf)
    spark_context.environment = WorkerEnvironment(spark_context.environment)
    attachment.jvm_pid = answer.get("jvm_pid")
    attachment.kept_tags = _job_tags(spark_context)
    attachment.job_tags = tuple(answer.get("job_tags", attachment.kept_tags))
    return _wrap_session(spark_context, java_session)


def _wrap_session(spark_context: SparkContext, java_session: JavaObject) -> SparkSession:
    """Make the Python session without Python's habit of making it the default of the whole JVM."""
    from pyspark.sql import SparkSession

    internals: Any = SparkSession
    original = internals.__dict__["_should_update_active_session"]
    internals._should_update_active_session = staticmethod(lambda: False)
    try:
        session = SparkSession(spark_context, jsparkSession=java_session)
    finally:
        internals._should_update_active_session = original
    internals._instantiatedSession = session
    internals._activeSession = session
    activate_session(session)
    return session


def activate_session(session: SparkSession) -> None:
    """Make it the active one of the JVM thread that serves this Python thread."""
    internals: Any = session
    internals._get_j_spark_session_class(internals._jvm).setActiveSession(internals._jsparkSession)


def _job_tags(spark_context: SparkContext) -> tuple[str, ...]:
    tags = spark_context.getLocalProperty("spark.job.tags")
    return tuple(tag for tag in (tags or "").split(",") if tag)


def _comes_from_py4j(error: BaseException) -> bool:
    frame = error.__traceback__
    while frame is not None:
        if "/py4j/" in frame.tb_frame.f_code.co_filename:
            return True
        frame = frame.tb_next
    return False


class WorkerEnvironment(dict[str, str]):
    """The environment of Spark's Python workers; asked anew for each function, so late `sys.path` entries count."""

    def __init__(self, values: dict[str, str]) -> None:
        super().__init__(values)
        self._refresh()

    def __iter__(self) -> Any:
        self._refresh()
        return super().__iter__()

    def keys(self) -> Any:
        self._refresh()
        return super().keys()

    def _refresh(self) -> None:
        folders = get_context().worker_path()
        if folders:
            self["PYTHONPATH"] = os.pathsep.join(folders)
