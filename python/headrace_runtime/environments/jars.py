"""Jars of a task: files, and packages of Maven that Spark's own resolver fetches, each set once for its coordinates."""

from __future__ import annotations

import os
import re
import sys

from .. import attach
from . import layer
from .cache import PREFIX, Lock, mark_use
from .installers import InstallError, describe_failure, essential_lines, run_installer
from .requested import refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..context import TaskContext
    from ..documents import LibraryDocument, MavenPackage

_COORDINATES = re.compile(r"[\w.-]+:[\w.-]+:[\w.+-]+")
_EXCLUSION = re.compile(r"[\w.*-]+:[\w.*-]+")
# What the resolver says of what went wrong, among much else.
_REASON = re.compile(r"not found|unresolved|error|exception|refused|unknown host", re.IGNORECASE)
# Spark has done the work that is wanted of it when it then misses this class.
_NO_CLASS = "nothing.There"


def prepare_jars(context: TaskContext, libraries: list[LibraryDocument]) -> None:
    """Find or fetch them; the session loads them when the task attaches to Spark."""
    for library in libraries:
        if "jar" in library:
            context.jars.append(_locate(context, library["jar"]))
        elif "maven" in library:
            try:
                context.jars += _fetch(context, library["maven"])
            except OSError as error:
                failed = InstallError(str(error))
                raise describe_failure([library["maven"]["coordinates"]], failed, context.paths.show) from None


def _locate(context: TaskContext, name: str) -> str:
    real = context.paths.locate_code(name)
    if real is None or not os.path.isfile(real):
        raise refuse(name, "the file does not exist")
    if not real.endswith(".jar"):
        raise refuse(name, "it is not a .jar file")
    return real


def _fetch(context: TaskContext, package: MavenPackage) -> list[str]:
    import hashlib
    import json

    coordinates = package["coordinates"]
    if not _COORDINATES.fullmatch(coordinates):
        raise refuse(coordinates, "Maven coordinates are written group:artifact:version")
    for exclusion in package["exclusions"]:
        if not _EXCLUSION.fullmatch(exclusion):
            raise refuse(coordinates, f"the exclusion {exclusion} is not written group:artifact")
    key = hashlib.sha256(json.dumps([1, package], sort_keys=True).encode()).hexdigest()
    name = f"{key[:32]}-jars"
    folder = os.path.join(context.paths.libraries, name)
    mark_use(context, name)
    if layer.read_facts(folder) is None:
        with Lock(os.path.join(context.paths.libraries, ".locks", key), _say(context)):
            if layer.read_facts(folder) is None:
                _resolve(context, package, folder)
    return sorted(os.path.join(folder, entry) for entry in os.listdir(folder) if entry.endswith(".jar"))


def _resolve(context: TaskContext, package: MavenPackage, folder: str) -> None:
    """Into a folder aside, renamed when all is there."""
    import shutil
    import tempfile
    import time

    coordinates = package["coordinates"]
    begun = time.monotonic()
    os.makedirs(context.paths.libraries, exist_ok=True)
    aside = tempfile.mkdtemp(prefix=".installing-jars-", dir=context.paths.libraries)
    say = _say(context)
    say(f"fetching {coordinates} with Spark's resolver")
    try:
        ivy = os.path.join(aside, "ivy")
        lines = _run_resolver(package, ivy)
        fetched = os.path.join(ivy, "jars")
        jars = sorted(os.listdir(fetched)) if os.path.isdir(fetched) else []
        group, artifact, _ = coordinates.split(":")
        if not any(jar.startswith(f"{group}_{artifact}-") for jar in jars):
            reasons = [line.strip() for line in lines if _REASON.search(line) and _NO_CLASS not in line]
            error = InstallError(essential_lines(reasons))
            raise describe_failure([coordinates], error, context.paths.show)
        for jar in jars:
            os.rename(os.path.join(fetched, jar), os.path.join(aside, jar))
        shutil.rmtree(ivy)
        layer.write_facts(aside, {"requested": [coordinates], "installed": jars, "modules": []})
        os.chmod(aside, 0o755)
        os.rename(aside, folder)
        say(f"{', '.join(jars)} in {time.monotonic() - begun:.1f} s")
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _run_resolver(package: MavenPackage, ivy: str) -> list[str]:
    """What it said; it always fails, after its work or before."""
    runtime = _ask_for_java()
    command = [runtime["java"], *runtime["jvmOptions"], "-Xmx256m", *_network_options()]
    command += ["-cp", os.pathsep.join(runtime["classPath"]), "org.apache.spark.deploy.SparkSubmit"]
    command += ["--packages", package["coordinates"], "--conf", f"spark.jars.ivy={ivy}"]
    if package["exclusions"]:
        command += ["--exclude-packages", ",".join(package["exclusions"])]
    if package["repo"]:
        command += ["--repositories", package["repo"]]
    lines: list[str] = []
    try:
        run_installer([*command, "--class", _NO_CLASS, "spark-internal"], {}, lines.append)
    except InstallError as error:
        if not lines:
            lines.append(str(error))
    return lines


def _ask_for_java() -> dict[str, Any]:
    try:
        runtime: dict[str, Any] | None = attach.ask_host({"op": "java"}).get("runtime")
    except (OSError, ValueError):
        runtime = None
    if runtime is None:
        raise refuse("of Maven", "this task was started without a cluster that has Java")
    return runtime


def _network_options() -> list[str]:
    """Java reads neither the proxy variables that pip heeds, nor the authorities of the machine."""
    options = []
    match = re.match(r"https?://(?:[^@/]*@)?([^:/]+):?(\d*)", os.environ.get("HTTPS_PROXY", ""))
    if match is not None:
        options += [f"-Dhttps.proxyHost={match[1]}", f"-Dhttps.proxyPort={match[2] or '80'}"]
    store = os.path.normpath(os.path.join(layer.base_site_packages(), "..", "..", "..", "..", "trust.p12"))
    if os.path.isfile(store):
        options += [f"-Djavax.net.ssl.trustStore={store}", "-Djavax.net.ssl.trustStorePassword=changeit"]
        options.append("-Djavax.net.ssl.trustStoreType=PKCS12")
    return options


def _say(context: TaskContext) -> layer.Say:
    return lambda line: print(PREFIX + context.paths.show(line), file=sys.stdout, flush=True)
