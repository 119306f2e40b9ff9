"""spark_jar_task and spark_submit_task: a JVM of the task's own, started by this process and gone before it ends.

`System.exit` and `spark.stop()` cannot be trapped in a JVM that tasks share. Spark's own SparkSubmit loads the JARs and
calls the main class; this process passes its errors on and reads from them how it ended.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

from . import attach
from .failures import TaskFailure
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
from .java_failures import describe_java_end
from .submit_parameters import Submission, for_main_class, read_submission

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    from .context import TaskContext
    from .documents import JarTask, SubmitTask

# What a failure's message and trace are taken from: the end of what the JVM wrote.
TAIL_BYTES_MAX = 64 * 1024
COPY_BYTES = 64 * 1024
# A program that the JVM left behind may hold the pipe for ever; the host ends it.
PUMP_SECONDS_MAX = 2.0
_LOG_CONFIGURATION = os.path.join(os.path.dirname(os.path.abspath(__file__)), "jar_log4j2.properties")


class _ClusterJava:
    """What the host tells of Java and of the cluster's configuration."""

    def __init__(self) -> None:
        try:
            answer = attach.ask_host({"op": "java"})
        except (OSError, ValueError) as error:
            raise TaskFailure("CLUSTER_ERROR", f"Java is not available: the host did not answer ({error})") from None
        if answer.get("runtime") is None:
            reason = answer.get("error", "this cluster was set up without Spark")
            raise TaskFailure("CLUSTER_ERROR", f"Java is not available: {reason}")
        self.runtime: Runtime = answer["runtime"]
        self.folder: str = answer["folder"]
        self.spark_conf: dict[str, str] = answer["spark_conf"]


def run_jar_task(context: TaskContext, task: JarTask | SubmitTask) -> None:
    """Returns when the JVM has ended well; raises how it ended otherwise."""
    if task["kind"] == "spark_jar":
        submission = for_main_class(task["main_class_name"], task["parameters"], context.jars)
    else:
        submission = read_submission(context.paths, task["parameters"], context.jars)
    java = _ClusterJava()
    conf = {
        **base_conf(java.folder, context.paths.data_root, java.spark_conf),
        "spark.app.name": context.attempt["job_name"],
        **attach.catalog_conf(),
        **context.attempt["spark"]["conf"],
        **submission.conf,
    }
    local_dirs = conf.pop("spark.local.dir")
    environment = {
        **os.environ,
        "SPARK_HOME": java.runtime["sparkHome"],
        "SPARK_LOCAL_IP": "127.0.0.1",
        # As a setting it would make Spark warn, in every log.
        "SPARK_LOCAL_DIRS": local_dirs,
    }
    properties = _open_properties(context.folder, format_conf(conf))
    try:
        # Spark hands on all that a Python application says as standard output.
        errors_in: Literal["stdout", "stderr"] = "stdout" if submission.is_python else "stderr"
        command = _command(java, submission, conf, local_dirs, properties)
        code, tail = _run(command, environment, properties, errors_in=errors_in)
    finally:
        os.close(properties)
    if code != 0:
        raise describe_java_end(code, context.paths.show(tail), submission, is_python=submission.is_python)


def _command(
    java: _ClusterJava, submission: Submission, conf: dict[str, str], local_dirs: str, properties: int
) -> list[str]:
    options = conf.get("spark.driver.extraJavaOptions", "").split()
    command = java_options(
        java.runtime,
        heap=conf.get("spark.driver.memory", HEAP_DEFAULT),
        temporary=make_temporary(java.folder, local_dirs),
        # The last word of a JVM whose heap is exhausted belongs to the errors.
        options=["-XX:+DisplayVMOutputToStderr", f"-Dlog4j2.configurationFile=file:{_LOG_CONFIGURATION}", *options],
    )
    class_path = [*java.runtime["classPath"], *filter(None, [conf.get("spark.driver.extraClassPath")])]
    command += ["-cp", os.pathsep.join(class_path), SUBMIT_CLASS]
    return [*command, "--properties-file", f"/dev/fd/{properties}", *submission.arguments]


def _open_properties(folder: str, text: str) -> int:
    """A file without a name: the configuration holds the token of the task, and may hold keys of a store."""
    path = os.path.join(folder, "driver.conf")
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    os.unlink(path)
    view = memoryview(text.encode())
    while view:
        view = view[os.write(descriptor, view) :]
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _run(
    command: list[str], environment: dict[str, str], properties: int, *, errors_in: Literal["stdout", "stderr"]
) -> tuple[int, str]:
    """Its exit code, and the end of what it wrote where its errors are."""
    # The host signals the whole group: Java tidies up and ends, and this process waits for that.
    is_asked_to_end = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: is_asked_to_end.set())
    process = subprocess.Popen(
        launch_command(sys.executable, command),
        env=environment,
        stdout=subprocess.PIPE if errors_in == "stdout" else None,
        stderr=subprocess.STDOUT if errors_in == "stdout" else subprocess.PIPE,
        pass_fds=[properties],
    )
    if is_asked_to_end.is_set():
        process.terminate()
    pipe = process.stdout or process.stderr
    assert pipe is not None
    tail = bytearray()
    pump = threading.Thread(target=_copy, args=(pipe.fileno(), tail), daemon=True)
    pump.start()
    code = process.wait()
    pump.join(PUMP_SECONDS_MAX)
    if len(tail) == TAIL_BYTES_MAX:
        del tail[: tail.find(b"\n") + 1]  # a line without its beginning, which may be half a secret
    return code, bytes(tail).decode("utf-8", "replace")


def _copy(source: int, tail: bytearray) -> None:
    while piece := os.read(source, COPY_BYTES):
        tail += piece
        del tail[:-TAIL_BYTES_MAX]
        view = memoryview(piece)
        while view:
            view = view[os.write(2, view) :]
