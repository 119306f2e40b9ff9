"""Cluster policies and instance pools through the Python SDK. No Spark."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import InvalidParameterValue, ResourceAlreadyExists, ResourceDoesNotExist
from databricks.sdk.service import compute, jobs

PATIENCE = timedelta(minutes=3)
VERSION = "15.4.x-scala2.12"


def test_a_policy_comes_back_and_holds_clusters(workspace: WorkspaceClient) -> None:
    definition = {
        "node_type_id": {"type": "allowlist", "values": ["i3.large"], "defaultValue": "i3.large"},
        "num_workers": {"type": "range", "maxValue": 4, "isOptional": True},
        "custom_tags.cost-center": {"type": "fixed", "value": "data"},
        "autotermination_minutes": {"type": "unlimited", "defaultValue": 30, "isOptional": True},
    }
    policy_id = workspace.cluster_policies.create(
        name="sdk policy", definition=json.dumps(definition), max_clusters_per_user=1
    ).policy_id
    assert policy_id is not None

    policy = workspace.cluster_policies.get(policy_id)
    listed = list(workspace.cluster_policies.list(sort_column=compute.ListSortColumn.POLICY_NAME))
    cluster = workspace.clusters.create_and_wait(
        VERSION, num_workers=1, policy_id=policy_id, apply_policy_default_values=True, timeout=PATIENCE
    )

    assert policy.definition is not None and json.loads(policy.definition) == definition
    assert policy.max_clusters_per_user == 1
    assert policy_id in [each.policy_id for each in listed]
    assert (cluster.node_type_id, cluster.autotermination_minutes) == ("i3.large", 30)
    assert cluster.custom_tags == {"cost-center": "data"}
    with pytest.raises(InvalidParameterValue, match="max_clusters_per_user"):
        workspace.clusters.create(VERSION, node_type_id="i3.large", num_workers=1, policy_id=policy_id)
    with pytest.raises(
        InvalidParameterValue, match=r"node_type_id: .*r5\.4xlarge.*rule allowlist of policy 'sdk policy'"
    ):
        workspace.clusters.create(VERSION, node_type_id="r5.4xlarge", num_workers=1, policy_id=policy_id)
    too_many = jobs.Task(
        task_key="big",
        spark_python_task=jobs.SparkPythonTask(python_file="/Shared/x.py"),
        new_cluster=compute.ClusterSpec(
            spark_version=VERSION, node_type_id="i3.large", num_workers=10, policy_id=policy_id
        ),
    )
    with pytest.raises(
        InvalidParameterValue, match=r"tasks\[0\]\.new_cluster\.num_workers: the value must be at most 4"
    ):
        workspace.jobs.create(name="big", tasks=[too_many])
    assert cluster.cluster_id is not None
    workspace.clusters.permanent_delete(cluster.cluster_id)
    workspace.cluster_policies.delete(policy_id)
    with pytest.raises(ResourceDoesNotExist):
        workspace.cluster_policies.get(policy_id)


def test_a_policy_is_edited_and_may_begin_from_a_family(workspace: WorkspaceClient) -> None:
    family = next(iter(workspace.policy_families.list()))
    assert family.policy_family_id is not None
    policy_id = workspace.cluster_policies.create(
        name="of a family", policy_family_id=family.policy_family_id
    ).policy_id
    assert policy_id is not None

    definition = workspace.cluster_policies.get(policy_id).definition
    with pytest.raises(ResourceAlreadyExists):
        workspace.cluster_policies.create(name="of a family", definition="{}")
    workspace.cluster_policies.edit(policy_id, name="its own", definition="{}")

    assert definition == workspace.policy_families.get(family.policy_family_id).definition
    assert workspace.cluster_policies.get(policy_id).policy_family_id is None
    with pytest.raises(InvalidParameterValue, match="definition: num_workers: type must be one of"):
        workspace.cluster_policies.edit(policy_id, name="its own", definition='{"num_workers": {}}')
    workspace.cluster_policies.delete(policy_id)


def test_a_pool_comes_back_with_its_hosts_counted(workspace: WorkspaceClient) -> None:
    pool_id = workspace.instance_pools.create(
        "sdk pool",
        "i3.xlarge",
        max_capacity=2,
        min_idle_instances=0,
        idle_instance_autotermination_minutes=0,
        preloaded_spark_versions=[VERSION],
        custom_tags={"team": "data"},
        aws_attributes=compute.InstancePoolAwsAttributes(zone_id="auto"),
    ).instance_pool_id
    assert pool_id is not None

    cluster = workspace.clusters.create_and_wait(VERSION, num_workers=1, instance_pool_id=pool_id, timeout=PATIENCE)
    pool = workspace.instance_pools.get(pool_id)
    workspace.instance_pools.edit(pool_id, "renamed", "i3.xlarge", max_capacity=3)
    edited = next(each for each in workspace.instance_pools.list() if each.instance_pool_id == pool_id)

    assert pool.state == compute.InstancePoolState.ACTIVE
    assert pool.stats is not None and pool.stats.used_count == 1
    assert pool.aws_attributes == compute.InstancePoolAwsAttributes(zone_id="auto")
    assert pool.custom_tags == {"team": "data"}
    assert (edited.instance_pool_name, edited.max_capacity, edited.custom_tags) == ("renamed", 3, None)
    with pytest.raises(InvalidParameterValue, match=r"node_type_id: .* it is i3\.xlarge"):
        workspace.instance_pools.edit(pool_id, "renamed", "m5.large")
    assert cluster.cluster_id is not None
    workspace.clusters.permanent_delete(cluster.cluster_id)
    workspace.instance_pools.delete(pool_id)
    with pytest.raises(ResourceDoesNotExist):
        workspace.instance_pools.get(pool_id)
