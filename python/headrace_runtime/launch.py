"""The life of one task in its own process: read `attempt.json`, set up, run user code, write `result.json` last.

Called by the zygote's child after the host said "go"; `python -m headrace_runtime.launch <folder>` does the same without
a host. Only the standard library is imported, and of it little: this file and its imports are part of every task.
"""

from __future__ import annotations

import os
import sys

from . import attach, documents, known_secrets, sdk_runtime, spark_patches
from .context import TaskContext, set_context
from .failures import NotebookExit, TaskFailure, cut, describe_failure, exit_status, print_trace
from .hosted_mounts import make_hosted_folders
from .namespace import make_main_module
from .paths import PathMap, activate_translation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .documents import FailureDocument, ResultDocument

EXIT_FAILED = 1


def main(folder: str) -> int:
    """Run the attempt of a folder; gives the exit status of the process."""
    folder = os.path.abspath(folder)
    try:
        context = _set_up(folder)
    except Exception as error:
        print_trace(error)
        message = f"the task could not be set up: {type(error).__name__}: {error}"
        _write_failure(folder, {"code": "CLUSTER_ERROR", "message": message, "trace": None})
        return EXIT_FAILED
    try:
        exit_value = _run_task(context)
        status, failure = 0, None
    except NotebookExit as error:
        exit_value, status, failure = error.value, 0, None
    except SystemExit as error:
        exit_value, status = None, exit_status(error) & 0xFF
        failure = describe_failure(error) if exit_status(error) else None
        if failure is not None and not isinstance(error.code, int):
            print(error.code, file=sys.stderr)
    except BaseException as error:
        exit_value, status, failure = None, EXIT_FAILED, _describe(context, error)
        error.__traceback__ = None
    _end_user_code()
    if failure is not None:
        _write_failure(folder, failure)
        return status
    result: ResultDocument = {"version": documents.PROTOCOL_VERSION, "state": "succeeded"}
    if exit_value is not None:
        result["exit_value"] = exit_value
    documents.write_result(folder, result)
    return 0


def _set_up(folder: str) -> TaskContext:
    known_secrets.prepare()
    attempt = documents.read_attempt(folder)
    make_hosted_folders(attempt["data_root"])
    paths = PathMap(attempt["data_root"])
    context = TaskContext(folder, attempt, paths)
    set_context(context)
    _prepare_streams()
    # For clients of the API in user code, the vendor's SDK among them: the principal's own short-lived token.
    os.environ.setdefault("DATABRICKS_HOST", attempt["api"]["url"])
    os.environ.setdefault("DATABRICKS_TOKEN", attempt["api"]["token"])
    activate_translation(paths)
    attach.prepare_attachment()
    sdk_runtime.install_runtime_modules()
    spark_patches.patch_when_imported()
    return context


def _run_task(context: TaskContext) -> str | None:
    """Run user code to its end; gives its exit value, which `dbutils.notebook.exit` sets, or an alert."""
    task = context.attempt["task"]
    if context.attempt.get("from_git"):
        from .git_checkout import enter_checkout

        enter_checkout(context)
    else:
        _import_from_git_folder(context)
    if context.attempt["libraries"] or "HEADRACE_FRESH_IMAGE" in os.environ:
        from .libraries import prepare_libraries

        prepare_libraries(context)
    module = make_main_module()
    if task["kind"] == "spark_python":
        from .python_file import run_python_file

        run_python_file(context, task, module)
    elif task["kind"] == "python_wheel":
        from .wheel import run_wheel

        run_wheel(task)
    elif task["kind"] == "notebook":
        from .notebook.run import run_notebook

        sys.argv = [task["notebook_path"]]
        run_notebook(context, task["notebook_path"], module)
    elif task["kind"] in ("spark_jar", "spark_submit"):
        from .jar_task import run_jar_task

        run_jar_task(context, task)
    elif task["kind"] == "sql":
        from .sql_task.run import run_sql_task

        return run_sql_task(context, task)
    elif task["kind"] == "sql_endpoint":
        from .sql_endpoint.endpoint import run_endpoint

        run_endpoint(context, threads=task["threads"])
    elif task["kind"] == "dbt":
        from .dbt_task.run import run_dbt_task

        run_dbt_task(context, task)
    else:
        raise TaskFailure("RUN_EXECUTION_ERROR", f"this runtime cannot run tasks of the kind {task['kind']}")
    return None


def _import_from_git_folder(context: TaskContext) -> None:
    task = context.attempt["task"]
    if task["kind"] == "notebook":
        path = task["notebook_path"]
    elif task["kind"] == "spark_python":
        path = task["python_file"]
    else:
        return
    root = context.paths.git_folder_of(path)
    if root is not None:
        sys.path.insert(0, root)


def _describe(context: TaskContext, error: BaseException) -> FailureDocument:
    if isinstance(error, TaskFailure):
        print(error.message, file=sys.stderr, flush=True)
        return describe_failure(error)
    failure = describe_failure(error)
    if failure["trace"] is not None:
        failure["trace"] = context.paths.show(failure["trace"])
        print(failure["trace"], file=sys.stderr, end="", flush=True)
    failure["message"] = context.paths.show(failure["message"])
    if attach.is_driver_death(error):
        failure["code"] = "DRIVER_ERROR"
        failure["message"] = cut(
            f"the cluster's Spark driver ended while the task was using it ({failure['message']})", 1_000
        )
    return failure


def _write_failure(folder: str, failure: FailureDocument) -> None:
    documents.write_result(folder, {"version": documents.PROTOCOL_VERSION, "state": "failed", "failure": failure})


def _prepare_streams() -> None:
    """Lines reach the log when they are printed, whatever the locale says about letters."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)


def _end_user_code() -> None:
    """What Python does before a process ends: wait for threads, call `atexit` functions, flush."""
    import atexit

    threading = sys.modules.get("threading")
    try:
        if threading is not None:
            threading._shutdown()
        atexit._run_exitfuncs()
    except BaseException as error:
        print_trace(error)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            pass  # user code closed or replaced it


def _leave_launcher_path() -> None:
    """What led here: the current folder, which `-m` puts first, and a variable that the task's programs must not have."""
    if sys.path and sys.path[0] in ("", os.getcwd()):
        del sys.path[0]
    os.environ.pop("PYTHONPATH", None)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m headrace_runtime.launch <attempt folder>")
    _leave_launcher_path()
    sys.exit(main(sys.argv[1]))
