"""Alerts of both forms through the Python SDK. Nothing is evaluated: that needs no SDK."""

from __future__ import annotations

from databricks.sdk import WorkspaceClient
from databricks.sdk.service import sql

SCHEDULE = sql.CronSchedule(quartz_cron_schedule="0 0 9 * * ?", timezone_id="UTC")


def test_an_alert_on_a_saved_query(workspace: WorkspaceClient) -> None:
    query = workspace.queries.create(
        query=sql.CreateQueryRequestQuery(display_name="for an alert", query_text="select 7 as n")
    )
    condition = sql.AlertCondition(
        op=sql.AlertOperator.GREATER_THAN,
        operand=sql.AlertConditionOperand(column=sql.AlertOperandColumn(name="n")),
        threshold=sql.AlertConditionThreshold(value=sql.AlertOperandValue(double_value=5)),
    )
    alert = sql.CreateAlertRequestAlert(display_name="high", query_id=query.id, condition=condition)
    made = workspace.alerts.create(alert=alert)
    assert made.id is not None

    changed = workspace.alerts.update(
        id=made.id, alert=sql.UpdateAlertRequestAlert(display_name="higher"), update_mask="display_name"
    )
    listed = [each.display_name for each in workspace.alerts.list()]
    workspace.alerts.delete(id=made.id)

    assert (made.state, made.condition) == (sql.AlertState.UNKNOWN, condition)
    assert (changed.display_name, listed) == ("higher", ["higher"])
    assert workspace.alerts.get(id=made.id).lifecycle_state == sql.LifecycleState.TRASHED


def test_an_alert_with_a_query_of_its_own(workspace: WorkspaceClient) -> None:
    evaluation = sql.AlertV2Evaluation(
        source=sql.AlertV2OperandColumn(name="n", aggregation=sql.Aggregation.MAX),
        comparison_operator=sql.ComparisonOperator.GREATER_THAN,
        threshold=sql.AlertV2Operand(value=sql.AlertV2OperandValue(double_value=5)),
        empty_result_state=sql.AlertEvaluationState.OK,
    )
    alert = sql.AlertV2(
        display_name="own",
        query_text="select 1 as n",
        warehouse_id="",
        evaluation=evaluation,
        schedule=SCHEDULE,
    )
    made = workspace.alerts_v2.create_alert(alert=alert)
    assert made.id is not None

    made.display_name = "own one"
    changed = workspace.alerts_v2.update_alert(id=made.id, alert=made, update_mask="display_name")
    listed = [each.display_name for each in workspace.alerts_v2.list_alerts()]
    workspace.alerts_v2.trash_alert(id=made.id, purge=True)

    assert made.evaluation is not None
    assert made.evaluation.state == sql.AlertEvaluationState.UNKNOWN
    assert (changed.display_name, listed) == ("own one", ["own one"])
    assert not list(workspace.alerts_v2.list_alerts())
