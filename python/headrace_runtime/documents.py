"""The files of an attempt's folder, as `packages/worker/src/protocol.ts` defines them.

Only shapes, limits and the writing of whole files live here; what they mean is decided by their readers. Nothing is
imported at run time but the standard library, and `typing` not at all: a light task must not pay for it.
"""

from __future__ import annotations

import json
import os

from . import known_secrets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal, TypeAlias, TypedDict, final

    JsonValue: TypeAlias = Any
    FailureCode = Literal[
        "RUN_EXECUTION_ERROR", "LIBRARY_INSTALLATION_ERROR", "RESOURCE_NOT_FOUND", "DRIVER_ERROR", "CLUSTER_ERROR"
    ]

    class SparkDocument(TypedDict):
        catalogs: list[str]
        default_catalog: str
        conf: dict[str, str]

    class ApiDocument(TypedDict):
        url: str
        token: str

    class TakenLimits(TypedDict, total=False):
        memory_bytes_max: int
        disk_bytes_max: int
        cpu_weight: int

    class LimitsDocument(TakenLimits):
        log_bytes_max: int
        task_value_bytes_max: int
        exit_value_bytes_max: int

    class NotebookTask(TypedDict):
        kind: Literal["notebook"]
        notebook_path: str
        parameters: dict[str, str]

    class WheelTask(TypedDict):
        kind: Literal["python_wheel"]
        package_name: str
        entry_point: str
        parameters: list[str]
        named_parameters: dict[str, str]

    class FileTask(TypedDict):
        kind: Literal["spark_python"]
        python_file: str
        parameters: list[str]

    class JarTask(TypedDict):
        kind: Literal["spark_jar"]
        main_class_name: str
        parameters: list[str]

    class SubmitTask(TypedDict):
        kind: Literal["spark_submit"]
        parameters: list[str]

    class SqlTask(TypedDict):
        kind: Literal["sql"]
        file_path: str | None
        query_id: str | None
        alert_id: str | None
        parameters: dict[str, str]

    class DbtTask(TypedDict):
        kind: Literal["dbt"]
        project_directory: str
        profiles_directory: str | None
        commands: list[str]
        catalog: str
        schema: str
        warehouse_id: str | None

    class EndpointTask(TypedDict):
        kind: Literal["sql_endpoint"]
        threads: int

    TaskDocument: TypeAlias = (
        NotebookTask | WheelTask | FileTask | JarTask | SubmitTask | SqlTask | DbtTask | EndpointTask
    )

    @final
    class WheelLibrary(TypedDict):
        whl: str

    class IndexPackage(TypedDict):
        package: str
        repo: str | None

    @final
    class IndexLibrary(TypedDict):
        pypi: IndexPackage

    @final
    class RequirementsLibrary(TypedDict):
        requirements: str

    @final
    class JarLibrary(TypedDict):
        jar: str

    class MavenPackage(TypedDict):
        coordinates: str
        repo: str | None
        exclusions: list[str]

    @final
    class MavenLibrary(TypedDict):
        maven: MavenPackage

    LibraryDocument: TypeAlias = WheelLibrary | IndexLibrary | RequirementsLibrary | JarLibrary | MavenLibrary

    class GitFields(TypedDict, total=False):
        from_git: bool

    class AttemptDocument(GitFields):
        version: int
        attempt_id: int
        epoch: int
        run_id: int
        job_id: int | None
        job_name: str
        task_key: str
        attempt_number: int
        task: TaskDocument
        libraries: list[LibraryDocument]
        task_values: dict[str, dict[str, JsonValue]]
        spark: SparkDocument
        api: ApiDocument
        data_root: str
        principal: str
        cluster_id: str
        limits: LimitsDocument

    class FailureDocument(TypedDict):
        code: FailureCode
        message: str
        trace: str | None

    class ResultDocument(TypedDict, total=False):
        version: int
        state: Literal["succeeded", "failed"]
        failure: FailureDocument
        exit_value: str

    class TextFields(TypedDict, total=False):
        stream: Literal["stderr"]

    class TextOutput(TextFields):
        kind: Literal["text"]
        text: str

    class HtmlOutput(TypedDict):
        kind: Literal["html"]
        html: str

    class ImageOutput(TypedDict):
        kind: Literal["image"]
        mime: str
        base64: str

    class TableColumn(TypedDict):
        name: str
        type: str

    class TableFields(TypedDict, total=False):
        note: str

    class TableOutput(TableFields):
        kind: Literal["table"]
        columns: list[TableColumn]
        rows: list[list[JsonValue]]
        truncated: bool

    class ErrorOutput(TypedDict):
        kind: Literal["error"]
        message: str
        trace: str

    NotebookOutput: TypeAlias = TextOutput | HtmlOutput | ImageOutput | TableOutput | ErrorOutput
    CellLanguage = Literal["python", "sql", "markdown", "run"]
    CellState = Literal["waiting", "running", "succeeded", "failed", "skipped"]

PROTOCOL_VERSION = 1

ATTEMPT_FILE = "attempt.json"
MESSAGES_FILE = "messages.jsonl"
NOTEBOOK_FILE = "notebook.json"
RESULT_FILE = "result.json"

# Names of task values that user code cannot set; under these the rows of a SQL task's last result are handed on, and the
# state of an alert.
RESERVED_PREFIX = "headrace:"
OUTPUT_ROWS_NAME = f"{RESERVED_PREFIX}output.rows"
ALERT_STATE_NAME = f"{RESERVED_PREFIX}output.alert_state"

# The worker reads no more (attempt-folder.ts): what went beyond would be lost without a word.
MESSAGES_BYTES_MAX = 24 * 1024 * 1024


def read_attempt(folder: str) -> AttemptDocument:
    """Read `attempt.json`; a version that this runtime does not speak is an error that names both."""
    with open(os.path.join(folder, ATTEMPT_FILE), "rb") as file:
        attempt: AttemptDocument = json.loads(file.read())
    if attempt["version"] != PROTOCOL_VERSION:
        raise ValueError(
            f"attempt.json has version {attempt['version']}, this runtime speaks {PROTOCOL_VERSION}: "
            "restart the cluster so that worker and runtime come from one installation"
        )
    return attempt


def write_result(folder: str, result: ResultDocument) -> None:
    """Write `result.json`, always the last file of an attempt."""
    shown: ResultDocument = {**result}
    if "exit_value" in shown:
        shown["exit_value"] = known_secrets.redact_text(shown["exit_value"])
    if "failure" in shown:
        failure = shown["failure"]
        trace = failure["trace"]
        shown["failure"] = {
            "code": failure["code"],
            "message": known_secrets.redact_text(failure["message"]),
            "trace": None if trace is None else known_secrets.redact_text(trace),
        }
    replace_file(os.path.join(folder, RESULT_FILE), json.dumps(shown, ensure_ascii=False))


def append_message(folder: str, message: dict[str, JsonValue]) -> None:
    """Append one line to `messages.jsonl`; one write call, so that lines of several threads do not mix."""
    line = (json.dumps(message, ensure_ascii=False, allow_nan=False) + "\n").encode("utf-8", "replace")
    descriptor = os.open(os.path.join(folder, MESSAGES_FILE), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        if os.fstat(descriptor).st_size + len(line) > MESSAGES_BYTES_MAX:
            raise ValueError(
                f"all task values of one task together may have {MESSAGES_BYTES_MAX // 2**20} MiB: "
                "write larger results to a table or a file, and pass its name"
            )
        os.write(descriptor, line)
    finally:
        os.close(descriptor)


def replace_file(path: str, text: str) -> None:
    """Write a file so that a reader sees the old content or the new one, never a part."""
    temporary = f"{path}.{os.getpid()}.tmp"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(text.encode("utf-8", "replace"))
    os.replace(temporary, path)
