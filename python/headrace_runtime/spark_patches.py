"""Makes pyspark's own ways to a session lead to the task's session, and its ways to stop one harmless.

The JVM belongs to the cluster: a task that stopped it, or cancelled "all jobs", would hit its neighbours.
"""

from __future__ import annotations

import functools
import sys

from . import attach, spark_arguments, spark_paths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TAG_PROPERTY = "spark.job.tags"

_is_patched = False


def apply_patches() -> None:
    """Patch pyspark once; imports it if it is not imported yet."""
    global _is_patched
    if _is_patched:
        return
    _is_patched = True
    # From the modules themselves: this may run while `pyspark.sql` is half-way through its own import.
    from pyspark.core.context import SparkContext
    from pyspark.sql.session import SparkSession

    _patch_context(SparkContext)
    _patch_session(SparkSession)
    _bind_by_name(SparkSession)
    spark_arguments.patch_converters()
    spark_paths.patch_when_imported()


def patch_when_imported() -> None:
    """Patch now if pyspark is there already (a zygote imports it), else as soon as user code imports it."""
    if "pyspark.sql.session" in sys.modules:
        apply_patches()
        return
    from .import_hooks import run_after_import

    run_after_import("pyspark.sql.session", lambda module: apply_patches())


class LazyActiveContext:
    """Makes reading `SparkContext._active_spark_context` attach; the context then takes its place.

    `functions.col`, `pandas_udf`, `StructType.fromDDL` and much else look there and nowhere else; in a hosted workspace
    a session is always open, so code uses them before it ever asks for a session.
    """

    def __get__(self, instance: object, owner: type) -> Any:
        if not attach.is_attaching_due():
            return None
        return attach.get_session().sparkContext


def _patch_context(context_class: Any) -> None:
    context_class._active_spark_context = LazyActiveContext()
    original_init = context_class.__init__

    @functools.wraps(original_init)
    def init(self: Any, *args: Any, **keywords: Any) -> None:
        # A second context is refused by pyspark itself, in its own words, once the task's own one exists.
        if attach.is_attaching_due():
            attach.get_session()
        original_init(self, *args, **keywords)

    @classmethod  # type: ignore[misc]
    def get_or_create(cls: Any, conf: Any = None) -> Any:
        return attach.get_session().sparkContext

    def stop(self: Any) -> None:
        """Does nothing: the context is the cluster's."""

    def cancel_all_jobs(self: Any) -> None:
        """Cancels the jobs of this task."""
        for tag in attach.get_attachment().job_tags:
            self.cancelJobsWithTag(tag)

    _keep_tags(context_class)
    context_class.__init__ = init
    context_class.getOrCreate = get_or_create
    context_class.stop = stop
    context_class.cancelAllJobs = cancel_all_jobs


def _keep_tags(context_class: Any) -> None:
    """A job without the attempt's tag could not be cancelled with it, and would go on beside its neighbours."""
    original_get, original_clear = context_class.getJobTags, context_class.clearJobTags
    original_remove, original_set = context_class.removeJobTag, context_class.setLocalProperty

    def kept_tags() -> tuple[str, ...]:
        return attach.get_attachment().kept_tags

    def get_job_tags(self: Any) -> Any:
        return set(original_get(self)) - set(kept_tags())

    def clear_job_tags(self: Any) -> None:
        original_clear(self)
        for tag in kept_tags():
            self.addJobTag(tag)

    def remove_job_tag(self: Any, tag: str) -> None:
        if tag not in kept_tags():
            original_remove(self, tag)

    def set_local_property(self: Any, key: str, value: Any) -> None:
        if key == TAG_PROPERTY:
            value = ",".join(dict.fromkeys([*kept_tags(), *filter(None, (value or "").split(","))]))
        original_set(self, key, value)

    context_class.getJobTags = get_job_tags
    context_class.clearJobTags = clear_job_tags
    context_class.removeJobTag = remove_job_tag
    context_class.setLocalProperty = set_local_property


def _bind_by_name(session_class: Any) -> None:
    """Values for ? get names: Spark itself mixes them up (see `name_markers`)."""
    plain_sql = session_class.sql

    @functools.wraps(plain_sql)
    def sql(self: Any, sqlQuery: str, args: Any = None, **fields: Any) -> Any:
        if not isinstance(args, list) or not args or fields:
            return plain_sql(self, sqlQuery, args, **fields)
        from .sql_endpoint.parameters import name_markers, name_of

        named = {name_of(index): value for index, value in enumerate(args)}
        return plain_sql(self, name_markers(sqlQuery), named)

    session_class.sql = sql


def _patch_session(session_class: Any) -> None:
    builder_class = session_class.Builder
    original_get_or_create = builder_class.getOrCreate
    original_new_session = session_class.newSession
    original_active = session_class.__dict__["getActiveSession"].__func__

    @functools.wraps(original_get_or_create)
    def get_or_create(self: Any) -> Any:
        if "spark.remote" not in self._options:
            attach.get_session()
        return original_get_or_create(self)

    @functools.wraps(original_new_session)
    def new_session(self: Any) -> Any:
        session = original_new_session(self)
        attach.configure_session(session._jsparkSession)
        return session

    def create(self: Any) -> Any:
        session = attach.get_session().newSession()
        for name, value in self._options.items():
            if session.conf.isModifiable(name):
                session.conf.set(name, value)
        return session

    def get_active_session(cls: Any) -> Any:
        session = attach.get_session()
        active = original_active(cls)
        if active is None:  # a thread that has not used Spark yet
            attach.activate_session(session)
        return active or session

    def stop(self: Any) -> None:
        """Does nothing: the session ends with the task, the JVM is the cluster's."""

    builder_class.getOrCreate = get_or_create
    builder_class.create = create
    session_class.newSession = new_session
    session_class.getActiveSession = classmethod(get_active_session)
    session_class.active = classmethod(get_active_session)
    session_class.stop = stop
