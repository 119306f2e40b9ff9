"""SQL warehouses and the statement execution API through the Python SDK, on the one warehouse that is there from the start."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Iterator
from datetime import timedelta

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import InvalidParameterValue, NotFound
from databricks.sdk.service import sql

PATIENCE = timedelta(minutes=4)
FOREVER = "select count(*) from range(100000000000) where id % 7 = 3"


@pytest.fixture(scope="module")
def warehouse(workspace: WorkspaceClient) -> Iterator[str]:
    """Ended afterwards: other tests of this server need its memory."""
    found = next(each for each in workspace.warehouses.list() if each.name == "Default warehouse")
    assert found.id is not None and found.state == sql.State.STOPPED
    started = workspace.warehouses.start_and_wait(found.id, timeout=PATIENCE)
    assert started.state == sql.State.RUNNING
    ready = finish(workspace, execute(workspace, found.id, "select 1", wait_timeout="0s"))
    assert state_of(ready) == sql.StatementState.SUCCEEDED
    yield found.id
    stopped = workspace.warehouses.stop_and_wait(found.id, timeout=PATIENCE)
    assert stopped.state == sql.State.STOPPED


def execute(
    workspace: WorkspaceClient, warehouse: str, statement: str, wait_timeout: str = "50s", **more: object
) -> sql.StatementResponse:
    return workspace.statement_execution.execute_statement(
        statement,
        warehouse,
        wait_timeout=wait_timeout,
        **more,  # type: ignore[arg-type]
    )


def finish(workspace: WorkspaceClient, response: sql.StatementResponse) -> sql.StatementResponse:
    deadline = time.monotonic() + PATIENCE.total_seconds()
    while state_of(response) in (sql.StatementState.PENDING, sql.StatementState.RUNNING):
        assert time.monotonic() < deadline
        time.sleep(0.2)
        response = workspace.statement_execution.get_statement(response.statement_id or "")
    return response


def state_of(response: sql.StatementResponse) -> sql.StatementState | None:
    assert response.status is not None
    return response.status.state


def run(workspace: WorkspaceClient, warehouse: str, statement: str, **more: object) -> sql.StatementResponse:
    return finish(workspace, execute(workspace, warehouse, statement, **more))


def rows_of(response: sql.StatementResponse) -> list[list[str | None]]:
    assert state_of(response) == sql.StatementState.SUCCEEDED, response.status
    assert response.result is not None
    return response.result.data_array or []


def test_every_type_is_a_text_as_clients_expect(workspace: WorkspaceClient, warehouse: str) -> None:
    found = run(
        workspace,
        warehouse,
        "select 1 i, 1.50bd d, 'é\"x' s, null n, true b, x'0102' x, date'2024-01-02' day,"
        " timestamp'2024-01-02 03:04:05.006' t, timestamp_ntz'2024-01-02 03:04:05.000007' z, 1e10D f,"
        " array(1, null) a, named_struct('a', 1, 'b', cast(null as int)) o, map('k', 1.5bd) m,"
        " interval '1' day v, 1 i",
    )

    assert rows_of(found) == [
        [
            "1", "1.50", 'é"x', None, "true", "AQI=", "2024-01-02",
            "2024-01-02T03:04:05.006Z", "2024-01-02T03:04:05.000007", "1.0E10",
            "[1,null]", '{"a":1,"b":null}', '{"k":1.5}', "INTERVAL '1' DAY", "1",
        ]
    ]  # fmt: skip
    assert found.manifest is not None and found.manifest.schema is not None
    columns = found.manifest.schema.columns or []
    assert [each.name for each in columns][-1] == "i"
    assert (columns[1].type_precision, columns[1].type_scale) == (3, 2)
    assert columns[10].type_name == sql.ColumnInfoTypeName.ARRAY


def test_parameters_are_bound_with_their_types(workspace: WorkspaceClient, warehouse: str) -> None:
    given = [
        sql.StatementParameterListItem(name="small", value="12", type="SMALLINT"),
        sql.StatementParameterListItem(name="text", value="x'; drop table t --"),
        sql.StatementParameterListItem(name="none", type="DATE"),
        sql.StatementParameterListItem(name="price", value="1.25", type="DECIMAL(10,2)"),
    ]
    found = run(
        workspace,
        warehouse,
        "select typeof(:small), :text, :none, :price + 1",
        parameters=given,
    )
    assert rows_of(found) == [["smallint", "x'; drop table t --", None, "2.25"]]

    wrong = [sql.StatementParameterListItem(name="n", value="x1", type="INT")]
    failed = run(workspace, warehouse, "select :n", parameters=wrong)
    assert failed.status is not None and failed.status.error is not None
    assert "parameter 'n'" in str(failed.status.error.message) and "x1" in str(failed.status.error.message)


def test_errors_name_their_place_and_names_that_are_near(workspace: WorkspaceClient, warehouse: str) -> None:
    run(workspace, warehouse, "create schema if not exists main.sdk_sql")
    assert rows_of(run(workspace, warehouse, "create or replace table main.sdk_sql.orders as select 1 id")) is not None

    broken = run(workspace, warehouse, "select\n  frm t")
    missing = run(workspace, warehouse, "select * from order", schema="sdk_sql", catalog="main")
    near = run(workspace, warehouse, "select * from main.sdk_sql.order_s")

    assert broken.status is not None and broken.status.error is not None
    assert broken.status.error.error_code == sql.ServiceErrorCode.BAD_REQUEST
    assert state_of(missing) == sql.StatementState.FAILED
    assert near.status is not None and near.status.error is not None
    assert "Did you mean one of: main.sdk_sql.orders?" in str(near.status.error.message)
    assert rows_of(run(workspace, warehouse, "select * from orders", catalog="main", schema="sdk_sql")) == [["1"]]


def test_a_large_result_comes_in_chunks_by_links(workspace: WorkspaceClient, warehouse: str) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    found = run(
        workspace,
        warehouse,
        "select id, repeat('x', 100) s from range(100000)",
        disposition=sql.Disposition.EXTERNAL_LINKS,
        format=sql.Format.ARROW_STREAM,
    )
    assert found.manifest is not None and found.manifest.total_row_count == 100_000
    assert (found.manifest.total_chunk_count or 0) > 1

    ids: list[int] = []
    for index in range(found.manifest.total_chunk_count or 0):
        part = workspace.statement_execution.get_statement_result_chunk_n(found.statement_id or "", index)
        assert part.external_links
        with urllib.request.urlopen(part.external_links[0].external_link or "") as answer:
            ids += pyarrow.ipc.open_stream(answer.read()).read_all().column("id").to_pylist()
    assert ids == list(range(100_000))


def test_limits_cut_or_refuse_a_result(workspace: WorkspaceClient, warehouse: str) -> None:
    few = run(workspace, warehouse, "select id from range(10) order by id", row_limit=3)
    assert rows_of(few) == [["0"], ["1"], ["2"]]
    assert few.manifest is not None and few.manifest.truncated

    large = run(workspace, warehouse, "select repeat('x', 1000) from range(50000)")
    assert large.status is not None and large.status.error is not None
    assert "EXTERNAL_LINKS" in str(large.status.error.message)
    assert rows_of(run(workspace, warehouse, "select 1")) == [["1"]]


def test_a_cancel_ends_one_statement_and_no_other(workspace: WorkspaceClient, warehouse: str) -> None:
    other = execute(workspace, warehouse, "select count(*) from range(300000000) where id % 7 = 3", wait_timeout="0s")
    wanted = execute(workspace, warehouse, FOREVER, wait_timeout="0s")

    workspace.statement_execution.cancel_execution(wanted.statement_id or "")
    workspace.statement_execution.cancel_execution(wanted.statement_id or "")

    assert state_of(finish(workspace, wanted)) == sql.StatementState.CANCELED
    assert rows_of(finish(workspace, other)) == [["42857143"]]


def test_a_statement_is_cancelled_when_its_waiting_time_is_over(workspace: WorkspaceClient, warehouse: str) -> None:
    late = execute(
        workspace,
        warehouse,
        FOREVER,
        wait_timeout="5s",
        on_wait_timeout=sql.ExecuteStatementRequestOnWaitTimeout.CANCEL,
    )

    assert state_of(finish(workspace, late)) == sql.StatementState.CANCELED


def test_what_no_statement_can_be_is_refused(workspace: WorkspaceClient, warehouse: str) -> None:
    with pytest.raises(InvalidParameterValue, match="empty"):
        execute(workspace, warehouse, " ")
    with pytest.raises(InvalidParameterValue, match="larger than the limit"):
        execute(workspace, warehouse, f"select '{'x' * 100_000_000}'")
    with pytest.raises(NotFound):
        workspace.statement_execution.get_statement("01ef0000-0000-0000-0000-000000000000")


def test_the_history_tells_what_ran(workspace: WorkspaceClient, warehouse: str) -> None:
    ran = run(workspace, warehouse, "select 'to be found' as history")
    listed = workspace.query_history.list(
        filter_by=sql.QueryFilter(
            statement_ids=[ran.statement_id or ""],
            statuses=[sql.QueryStatus.FINISHED],
            warehouse_ids=[warehouse],
        ),
        include_metrics=True,
    )

    assert listed.res is not None and len(listed.res) == 1
    found = listed.res[0]
    assert (found.query_text, found.rows_produced) == ("select 'to be found' as history", 1)
    assert found.statement_type == sql.QueryStatementType.SELECT
    assert found.metrics is not None and (found.metrics.total_time_ms or 0) > 0


def test_a_warehouse_is_made_edited_and_deleted(workspace: WorkspaceClient) -> None:
    made = workspace.warehouses.create(
        name="sdk bi",
        cluster_size="Small",
        auto_stop_mins=5,
        tags=sql.EndpointTags(custom_tags=[sql.EndpointTagPair(key="team", value="data")]),
        spot_instance_policy=sql.SpotInstancePolicy.COST_OPTIMIZED,
    )
    assert made.id is not None
    workspace.warehouses.stop_and_wait(made.id, timeout=PATIENCE)
    workspace.warehouses.edit(made.id, name="sdk bi", cluster_size="Medium", auto_stop_mins=7)

    found = workspace.warehouses.get(made.id)
    assert (found.cluster_size, found.auto_stop_mins) == ("Medium", 7)
    assert found.tags is not None and found.tags.custom_tags is not None
    assert found.odbc_params is not None and found.odbc_params.path == f"/sql/1.0/warehouses/{made.id}"
    workspace.warehouses.delete(made.id)
    with pytest.raises(NotFound):
        workspace.warehouses.get(made.id)
