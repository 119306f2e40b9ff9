"""What is given to Spark's SparkSubmit, from a main class or from the parameters of a spark-submit task.

Options that matter before the JVM is there (heap, Java options, class path) are read out of the parameters; files are
found where job settings name them (`dbfs:/`, `/Volumes`, `/Workspace`).
"""

from __future__ import annotations

import os

from .failures import TaskFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .paths import PathMap

# Spark's word for a main class that is on its own class path.
NO_APPLICATION = "spark-internal"
_FLAGS = frozenset(("--verbose", "-v", "--supervise", "--help", "-h", "--version", "--usage-error"))
_FILES = frozenset(("--jars", "--py-files", "--files", "--archives"))
_CONF = frozenset(("--conf", "-c"))
# As options they would reach a JVM that is running already.
_AS_CONF = {
    "--driver-memory": "spark.driver.memory",
    "--driver-java-options": "spark.driver.extraJavaOptions",
    "--driver-class-path": "spark.driver.extraClassPath",
    "--driver-library-path": "spark.driver.extraLibraryPath",
}
_REFUSED = {
    "--master": "the task's cluster decides where Spark runs",
    "--deploy-mode": "the driver runs on the task's cluster",
    "--properties-file": "give each setting with --conf",
    "--kill": "it would end other applications",
    "--status": "it starts nothing",
}


class Submission:
    """Arguments of SparkSubmit, and the settings that were among them."""

    def __init__(self, *, arguments: list[str], conf: dict[str, str], main_class: str | None, jars: list[str]) -> None:
        self.arguments = arguments
        self.conf = conf
        self.main_class = main_class
        self.jars = jars
        self.is_python = False


def for_main_class(main_class: str, parameters: list[str], jars: list[str]) -> Submission:
    """Of a JAR task: every JAR is seen by the main class and by executors; their order is that of the libraries."""
    for jar in jars:
        _require_archive(jar, jar)
    application, *others = jars or [NO_APPLICATION]
    more = ["--jars", ",".join(others)] if others else []
    arguments = ["--class", main_class, *more, application, *parameters]
    return Submission(arguments=arguments, conf={}, main_class=main_class, jars=jars)


def read_submission(paths: PathMap, parameters: list[str], jars: list[str]) -> Submission:
    """Of a spark-submit task."""
    arguments: list[str] = []
    conf: dict[str, str] = {}
    main_class: str | None = None
    own_jars = list(jars)
    rest = list(parameters)
    while rest and rest[0].startswith("-"):
        option, value = _take_option(rest)
        if option in _REFUSED:
            raise _refuse(f"{option} cannot be given: {_REFUSED[option]}")
        if value is None:
            arguments.append(option)
        elif option in _CONF:
            name, equals, setting = value.partition("=")
            if not equals:
                raise _refuse(f"--conf {value}: a setting is written name=value")
            conf[name] = setting
        elif option in _AS_CONF:
            conf[_AS_CONF[option]] = value
        elif option == "--jars":
            own_jars += _locate_all(paths, value)
        elif option in _FILES:
            arguments += [option, ",".join(_locate_all(paths, value))]
        else:
            main_class = value if option == "--class" else main_class
            arguments += [option, value]
    if not rest:
        raise _refuse("no application follows the options: a JAR or a Python file")
    if own_jars:
        arguments += ["--jars", ",".join(own_jars)]
    application = _locate_application(paths, rest[0])
    submission = Submission(
        arguments=[*arguments, application, *rest[1:]],
        conf=conf,
        main_class=main_class,
        jars=own_jars if application == NO_APPLICATION else [application, *own_jars],
    )
    submission.is_python = application.endswith(".py")
    return submission


def _take_option(rest: list[str]) -> tuple[str, str | None]:
    """The next option, with its value if it has one."""
    word = rest.pop(0)
    name, equals, value = word.partition("=")
    if equals and name.startswith("--"):
        return name, value
    if word in _FLAGS:
        return word, None
    if not rest:
        raise _refuse(f"{word} has no value")
    return word, rest.pop(0)


def _locate_all(paths: PathMap, names: str) -> list[str]:
    return [_locate(paths, name.strip()) for name in names.split(",") if name.strip()]


def _locate(paths: PathMap, name: str) -> str:
    """A file of this machine; what another file system has is Spark's to fetch. `#alias` may follow."""
    plain, hash_sign, alias = name.partition("#")
    real = paths.locate_code(plain)
    if real is None:
        return name
    if not os.path.exists(real):
        raise TaskFailure("RESOURCE_NOT_FOUND", f"spark-submit: {plain} does not exist")
    return real + hash_sign + alias


def _locate_application(paths: PathMap, name: str) -> str:
    if name == NO_APPLICATION:
        return name
    real = _locate(paths, name)
    if real.endswith(".py"):
        return real
    if not real.endswith(".jar"):
        raise _refuse(f"{name} is neither a JAR nor a Python file")
    if os.path.isabs(real):
        _require_archive(real, name)
    return real


def _require_archive(path: str, name: str) -> None:
    import zipfile

    if not zipfile.is_zipfile(path):
        raise TaskFailure("LIBRARY_INSTALLATION_ERROR", f"{name} is not a JAR: it cannot be read as an archive")


def _refuse(reason: str) -> TaskFailure:
    return TaskFailure("RUN_EXECUTION_ERROR", f"spark-submit: {reason}")
