"""The life of an all-purpose cluster through the Python SDK: its waiters, errors, pages and helpers. No Spark."""

from __future__ import annotations

from datetime import timedelta

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import InvalidParameterValue, InvalidState, OperationFailed, ResourceDoesNotExist
from databricks.sdk.service import compute

PATIENCE = timedelta(minutes=3)
VERSION = "15.4.x-scala2.12"


@pytest.fixture(scope="module")
def cluster_id(workspace: WorkspaceClient) -> str:
    cluster = workspace.clusters.create_and_wait(
        cluster_name="sdk",
        spark_version=workspace.clusters.select_spark_version(long_term_support=True),
        node_type_id=workspace.clusters.select_node_type(local_disk=True, min_memory_gb=16),
        num_workers=1,
        autotermination_minutes=30,
        custom_tags={"team": "data"},
        aws_attributes=compute.AwsAttributes(availability=compute.AwsAvailability.SPOT),
        timeout=PATIENCE,
    )
    assert cluster.state == compute.State.RUNNING
    assert cluster.cluster_id is not None
    return cluster.cluster_id


def test_what_was_asked_for_comes_back(workspace: WorkspaceClient, cluster_id: str) -> None:
    cluster = workspace.clusters.get(cluster_id)

    assert (cluster.cluster_name, cluster.autotermination_minutes) == ("sdk", 30)
    assert cluster.custom_tags == {"team": "data"}
    assert cluster.default_tags is not None and cluster.default_tags["ClusterId"] == cluster_id
    assert cluster.aws_attributes == compute.AwsAttributes(availability=compute.AwsAvailability.SPOT)
    assert cluster.cluster_source == compute.ClusterSource.API
    assert cluster.cluster_memory_mb is not None and cluster.cluster_memory_mb >= 2 * 16 * 1024


def test_a_cluster_is_terminated_and_ensured_to_run(workspace: WorkspaceClient, cluster_id: str) -> None:
    ended = workspace.clusters.delete_and_wait(cluster_id, timeout=PATIENCE)

    assert ended.state == compute.State.TERMINATED
    assert ended.termination_reason is not None
    assert ended.termination_reason.code == compute.TerminationReasonCode.USER_REQUEST
    with pytest.raises(InvalidState, match="TERMINATED"):
        workspace.clusters.restart(cluster_id)
    workspace.clusters.ensure_cluster_is_running(cluster_id)
    assert workspace.clusters.get(cluster_id).state == compute.State.RUNNING
    workspace.clusters.ensure_cluster_is_running("default")


def test_a_cluster_is_edited_restarted_and_resized(workspace: WorkspaceClient, cluster_id: str) -> None:
    edited = workspace.clusters.edit_and_wait(
        cluster_id, VERSION, cluster_name="sdk", num_workers=2, spark_conf={"spark.a": "b"}, timeout=PATIENCE
    )
    restarted = workspace.clusters.restart_and_wait(cluster_id, timeout=PATIENCE)
    scale = compute.AutoScale(min_workers=1, max_workers=4)
    resized = workspace.clusters.resize_and_wait(cluster_id, autoscale=scale, timeout=PATIENCE)

    assert edited.spark_conf == {"spark.a": "b"}
    assert edited.num_workers == 2
    assert restarted.last_restarted_time is not None
    assert resized.autoscale == scale
    with pytest.raises(InvalidState, match="RUNNING"):
        workspace.clusters.start(cluster_id)


def test_events_are_paged_through_and_known_to_the_sdk(workspace: WorkspaceClient, cluster_id: str) -> None:
    workspace.clusters.pin(cluster_id)
    workspace.clusters.unpin(cluster_id)

    events = list(workspace.clusters.events(cluster_id, limit=2))
    kinds = [event.type for event in events]

    assert None not in kinds
    assert kinds[:2] == [compute.EventType.UNPINNED, compute.EventType.PINNED]
    assert kinds[-2:] == [compute.EventType.RUNNING, compute.EventType.CREATING]
    assert {compute.EventType.EDITED, compute.EventType.RESIZING, compute.EventType.STARTING} <= set(kinds)
    stamps = [event.timestamp or 0 for event in events]
    assert stamps == sorted(stamps, reverse=True)
    only = list(workspace.clusters.events(cluster_id, event_types=[compute.EventType.TERMINATING]))
    assert [event.details.user for event in only if event.details] == [workspace.current_user.me().user_name]


def test_lists_take_filters(workspace: WorkspaceClient, cluster_id: str) -> None:
    running = compute.ListClustersFilterBy(
        cluster_states=[compute.State.RUNNING], cluster_sources=[compute.ClusterSource.API], is_pinned=False
    )
    by_name = compute.ListClustersSortBy(
        field=compute.ListClustersSortByField.CLUSTER_NAME, direction=compute.ListClustersSortByDirection.DESC
    )

    found = [cluster.cluster_id for cluster in workspace.clusters.list(filter_by=running, sort_by=by_name, page_size=1)]

    assert cluster_id in found and "default" in found
    ended = compute.ListClustersFilterBy(cluster_states=[compute.State.TERMINATED])
    assert cluster_id not in [cluster.cluster_id for cluster in workspace.clusters.list(filter_by=ended)]


def test_a_cluster_whose_init_script_is_missing_fails_its_waiter(workspace: WorkspaceClient) -> None:
    script = compute.InitScriptInfo(workspace=compute.WorkspaceStorageInfo(destination="/Shared/none.sh"))
    waiter = workspace.clusters.create(spark_version=VERSION, num_workers=0, init_scripts=[script])

    with pytest.raises(OperationFailed, match="none.sh"):
        waiter.result(timeout=PATIENCE)
    reason = workspace.clusters.get(waiter.cluster_id).termination_reason
    assert reason is not None and reason.code == compute.TerminationReasonCode.INIT_SCRIPT_FAILURE


def test_bad_input_and_unknown_clusters_raise_the_errors_that_clients_know(workspace: WorkspaceClient) -> None:
    with pytest.raises(InvalidParameterValue, match="autotermination_minutes"):
        workspace.clusters.create(spark_version=VERSION, num_workers=0, autotermination_minutes=3)
    with pytest.raises(ResourceDoesNotExist, match="Cluster nowhere does not exist"):
        workspace.clusters.get("nowhere")
    with pytest.raises(InvalidParameterValue, match="shared cluster"):
        workspace.clusters.permanent_delete("default")
    assert workspace.clusters.list_zones().default_zone == "local"


def test_a_cluster_that_is_deleted_for_good_is_unknown(workspace: WorkspaceClient, cluster_id: str) -> None:
    workspace.clusters.permanent_delete(cluster_id)

    with pytest.raises(ResourceDoesNotExist):
        workspace.clusters.get(cluster_id)
