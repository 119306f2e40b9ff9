"""The host's part of lending Spark, as small as it can be: one JVM, and a socket that answers `attach`.

The real host proves starts and stops; this one only gives each attempt a gateway of its own.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

JVM_START_SECONDS_MAX = 120
CONF = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.sources.default": "delta",
    "spark.databricks.delta.snapshotPartitions": "2",
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.sql.legacy.parameterSubstitution.constantsOnly": "true",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
}


def find_runtime() -> dict[str, Any] | None:
    """`.runtime/runtime.json` of the checkout, once it is set up."""
    file = Path(__file__).resolve().parents[3] / ".runtime" / "runtime.json"
    return json.loads(file.read_text()) if file.exists() else None


class SparkHost:
    def __init__(self, runtime: dict[str, Any]) -> None:
        # Short: the path of a Unix socket has at most some 100 bytes.
        self.folder = tempfile.mkdtemp(prefix="hr-")
        self.socket_path = os.path.join(self.folder, "task.sock")
        self.key = secrets.token_hex(8)
        self.attaches = 0
        self._start_jvm(runtime)
        self._connect()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.socket_path)
        self._listener.listen(8)
        threading.Thread(target=self._serve, daemon=True).start()

    def environment(self) -> dict[str, str]:
        return {
            "HEADRACE_HOST_SOCKET": self.socket_path,
            "HEADRACE_ATTEMPT": "1",
            "HEADRACE_ATTACH_KEY": self.key,
        }

    def root_sql(self, statement: str) -> list[str]:
        """Ask the JVM itself, beside all tasks."""
        return [str(row) for row in self._root.sql(statement).collectAsList()]

    def root_parser(self) -> Callable[[str], str | None]:
        """What Spark's parser says of a statement; None where it takes it."""
        from py4j.protocol import Py4JJavaError

        parser = self._root.sessionState().sqlParser()

        def parse(statement: str) -> str | None:
            try:
                parser.parsePlan(statement)
            except Py4JJavaError as error:
                return str(error.java_exception.getMessage()).strip().splitlines()[0]
            return None

        return parse

    def close(self) -> None:
        self._listener.close()
        self._client.shutdown()
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def kill(self) -> None:
        """End the JVM as a crash would."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def _start_jvm(self, runtime: dict[str, Any]) -> None:
        connection_file = os.path.join(self.folder, "connection")
        conf = [word for name, value in CONF.items() for word in ("--conf", f"{name}={value}")]
        command = [runtime["java"], *runtime["jvmOptions"], "-Xmx1g", "-cp", ":".join(runtime["classPath"])]
        command += ["org.apache.spark.deploy.SparkSubmit", "--master", "local[2]", *conf, "pyspark-shell"]
        environment = {"PATH": os.environ["PATH"], "_PYSPARK_DRIVER_CONN_INFO_PATH": connection_file}
        with open(os.path.join(self.folder, "jvm.log"), "wb") as log:
            self.process = subprocess.Popen(
                command,
                env={**environment, "SPARK_HOME": runtime["sparkHome"]},
                cwd=self.folder,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + JVM_START_SECONDS_MAX
        while not os.path.exists(connection_file):
            assert self.process.poll() is None and time.monotonic() < deadline, Path(self.folder, "jvm.log").read_text()
            time.sleep(0.02)
        with open(connection_file, "rb") as file:
            self._port, length = struct.unpack("!ii", file.read(8))
            self._secret = file.read(length).decode()

    def _connect(self) -> None:
        from py4j.clientserver import ClientServer, JavaParameters, PythonParameters

        java = JavaParameters(port=self._port, auth_token=self._secret, auto_convert=True)
        self._client = ClientServer(java_parameters=java, python_parameters=PythonParameters(port=0, eager_load=False))
        self._jvm = self._client.jvm
        self._root = self._jvm.org.apache.spark.sql.SparkSession.builder().getOrCreate()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                request = json.loads(connection.makefile("rb").readline())
                connection.sendall(json.dumps(self._answer(request)).encode() + b"\n")

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        if request.get("key") != self.key:
            return {"error": "the key is not valid", "code": "CLUSTER_ERROR"}
        self.attaches += 1
        secret = secrets.token_hex(16)
        session = self._root.newSession()
        context = self._root.sparkContext()
        context.setLocalProperty("spark.job.tags", f"test-{self.attaches}")
        builder = self._jvm.py4j.ClientServer.ClientServerBuilder(session).authToken(secret).javaPort(0)
        server = builder.javaAddress(self._jvm.java.net.InetAddress.getByName("127.0.0.1")).build()
        server.startServer()
        context.setLocalProperty("spark.job.tags", None)
        return {"port": server.getJavaServer().getListeningPort(), "secret": secret, "jvm_pid": self.process.pid}
