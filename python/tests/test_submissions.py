"""What SparkSubmit is given, and how the end of its JVM is told: without a JVM."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from headrace_runtime.failures import TaskFailure
from headrace_runtime.java_command import format_conf
from headrace_runtime.java_failures import describe_java_end
from headrace_runtime.paths import PathMap
from headrace_runtime.submit_parameters import Submission, for_main_class, read_submission


@pytest.fixture
def paths(tmp_path: Path) -> PathMap:
    for folder in ("dbfs", "volumes/main/s", "workspace/Shared"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("dbfs/app.jar", "volumes/main/s/other.jar"):
        with zipfile.ZipFile(tmp_path / name, "w") as jar:
            jar.writestr("a", "")
    (tmp_path / "workspace/Shared/app.py").write_text("")
    return PathMap(str(tmp_path))


def test_files_are_found_and_settings_of_the_jvm_are_read_out(paths: PathMap) -> None:
    submission = read_submission(
        paths,
        [
            *("--class", "a.B", "--conf", "spark.x=1=2", "--driver-memory=3g"),
            *("--jars", "/Volumes/main/s/other.jar,https://h/x.jar"),
            *("--verbose", "dbfs:/app.jar", "--class", "mine", "dbfs:/app.jar"),
        ],
        [],
    )

    root = paths.data_root
    assert submission.arguments == [
        *("--class", "a.B", "--verbose", "--jars", f"{root}/volumes/main/s/other.jar,https://h/x.jar"),
        # What follows the application is the application's.
        *(f"{root}/dbfs/app.jar", "--class", "mine", "dbfs:/app.jar"),
    ]
    assert submission.conf == {"spark.x": "1=2", "spark.driver.memory": "3g"}
    assert submission.main_class == "a.B"
    assert not submission.is_python
    assert read_submission(paths, ["/Shared/app.py"], []).is_python


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ([], "no application follows"),
        (["--class"], "--class has no value"),
        (["--master", "yarn", "dbfs:/app.jar"], "--master cannot be given"),
        (["--deploy-mode=cluster", "dbfs:/app.jar"], "--deploy-mode cannot be given"),
        (["--properties-file", "x", "dbfs:/app.jar"], "--properties-file cannot be given"),
        (["--conf", "spark.x", "dbfs:/app.jar"], "a setting is written name=value"),
        (["dbfs:/nowhere.jar"], "dbfs:/nowhere.jar does not exist"),
        (["--jars", "/Volumes/x.jar", "dbfs:/app.jar"], "/Volumes/x.jar does not exist"),
        (["/etc/hosts"], "neither a JAR nor a Python file"),
    ],
)
def test_what_cannot_be_submitted_is_named(paths: PathMap, parameters: list[str], reason: str) -> None:
    with pytest.raises(TaskFailure, match="spark-submit: ") as caught:
        read_submission(paths, parameters, [])

    assert reason in caught.value.message


def test_a_file_that_is_no_archive_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.jar").write_text("text")

    with pytest.raises(TaskFailure, match="is not a JAR"):
        for_main_class("a.B", [], [str(tmp_path / "a.jar")])


SUBMISSION = Submission(arguments=[], conf={}, main_class="a.B", jars=["/x/one.jar", "/x/two.jar"])
TRACE = """26/11/21 12:00:00 WARN Something: before
Exception in thread "main" java.lang.IllegalStateException: two
lines of it
\tat a.B.main(B.java:3)
\tat org.apache.spark.deploy.SparkSubmit.main(SparkSubmit.scala)
Caused by: java.io.IOException: inner
\tat a.B.read(B.java:9)
\t... 12 more
26/11/21 12:00:01 WARN Other: after
"""


def test_an_uncaught_exception_is_told_with_its_causes() -> None:
    failure = describe_java_end(1, TRACE, SUBMISSION, is_python=False)

    assert failure.message == "java.lang.IllegalStateException: two"
    assert failure.trace is not None
    assert failure.trace.startswith("java.lang.IllegalStateException: two\nlines of it\n\tat a.B.main")
    assert failure.trace.endswith("Caused by: java.io.IOException: inner\n\tat a.B.read(B.java:9)\n\t... 12 more\n")


@pytest.mark.parametrize(
    ("code", "tail", "message"),
    [
        # An exception of another thread does not end a JVM; its exit code was given.
        (7, TRACE, "the main class exited with code 7"),
        (3, "last words\n", "the main class exited with code 3"),
        (3, "Terminating due to java.lang.OutOfMemoryError: Java heap space\n", "Java ran out of memory and was ended"),
        (
            101,
            "Error: Failed to load class a.B.\n",
            "the main class a.B is in none of the task's JARs: one.jar, two.jar",
        ),
        (101, "", "the main class exited with code 101"),
        (-9, "", "Java was killed from outside (SIGKILL)"),
        (-11, "", "Java was ended by signal 11"),
        (1, "", "the main class exited with code 1"),
    ],
)
def test_other_ends_are_named(code: int, tail: str, message: str) -> None:
    assert describe_java_end(code, tail, SUBMISSION, is_python=False).message.startswith(message)


def test_a_python_application_fails_with_its_own_exception() -> None:
    tail = "x\nTraceback (most recent call last):\n  File 'a.py', line 1\n    f()\nValueError: bad\nmore\n"

    failure = describe_java_end(1, tail, SUBMISSION, is_python=True)

    assert failure.message == "ValueError: bad"
    assert failure.trace == "Traceback (most recent call last):\n  File 'a.py', line 1\n    f()\nValueError: bad\n"


def test_a_conf_survives_the_properties_file() -> None:
    assert format_conf({"a b": "c:d\\e\nf"}) == "a\\ b=c:d\\\\e\\nf\n"
