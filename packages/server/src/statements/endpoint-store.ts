/** The only SQL for SQL endpoints: the run whose only task serves one principal's statements on one warehouse. */
import type { Querier } from '../db/connect.ts';

export interface EndpointRow {
  readonly warehouseId: string;
  readonly principalId: number;
  /** Null until its run is made. */
  readonly runId: number | null;
  readonly generation: number;
  readonly createdAtMs: number;
  readonly readyAtMs: number | null;
  readonly endedAtMs: number | null;
  readonly endMessage: string | null;
}

const columns = `
  e.warehouse_id as "warehouseId", e.principal_id as "principalId", e.run_id as "runId", e.generation,
  e.created_at_ms as "createdAtMs", e.ready_at_ms as "readyAtMs", e.ended_at_ms as "endedAtMs",
  e.end_message as "endMessage"`;

/** Whether one is there, or on its way, that takes statements. */
export async function hasEndpoint(db: Querier, warehouseId: string, principalId: number): Promise<boolean> {
  const rows = await db.query({
    name: 'sql-endpoints-has',
    text: `
      select run_id from sql_endpoints
      where warehouse_id = $1 and principal_id = $2 and ended_at_ms is null and run_id is not null`,
    values: [warehouseId, principalId],
  });
  return rows.length > 0;
}

/** A new one where there is none, or the last has ended; else the one that is there. */
export async function beginEndpoint(
  db: Querier,
  { warehouseId, principalId, nowMs }: { warehouseId: string; principalId: number; nowMs: number },
): Promise<EndpointRow> {
  const rows = await db.query<EndpointRow>({
    name: 'sql-endpoints-begin',
    text: `
      insert into sql_endpoints as e (warehouse_id, principal_id, run_id, generation, created_at_ms)
      values ($1, $2, null, 1, $3)
      on conflict (warehouse_id, principal_id) do update
      set run_id = case when e.ended_at_ms is null then e.run_id end,
        generation = e.generation + case when e.ended_at_ms is null then 0 else 1 end,
        created_at_ms = case when e.ended_at_ms is null then e.created_at_ms else $3 end,
        ready_at_ms = case when e.ended_at_ms is null then e.ready_at_ms end,
        end_message = null,
        ended_at_ms = null
      returning ${columns}`,
    values: [warehouseId, principalId, nowMs],
  });
  const row = rows[0];
  if (!row) throw new Error('bug: an endpoint was neither made nor found');
  return row;
}

export async function noteRun(db: Querier, row: EndpointRow, runId: number): Promise<void> {
  await db.query({
    name: 'sql-endpoints-note-run',
    text: `
      update sql_endpoints set run_id = $4
      where warehouse_id = $1 and principal_id = $2 and generation = $3 and run_id is null`,
    values: [row.warehouseId, row.principalId, row.generation, runId],
  });
}

/** The one whose task the attempt is. */
export async function findEndpointOfAttempt(db: Querier, attemptId: number): Promise<EndpointRow | null> {
  const rows = await db.query<EndpointRow>({
    name: 'sql-endpoints-find-of-attempt',
    text: `
      select ${columns}
      from task_runs t
      join runs r on r.run_id = t.run_id and r.run_type = 'SQL_ENDPOINT'
      join sql_endpoints e on e.run_id = t.run_id and e.principal_id = r.owner_id
      where t.attempt_id = $1 and e.ended_at_ms is null`,
    values: [attemptId],
  });
  return rows[0] ?? null;
}

export async function noteReady(db: Querier, runId: number, nowMs: number): Promise<void> {
  await db.query({
    name: 'sql-endpoints-note-ready',
    text: 'update sql_endpoints set ready_at_ms = $2 where run_id = $1 and ready_at_ms is null',
    values: [runId, nowMs],
  });
}

export interface EndedEndpoint {
  readonly warehouseId: string;
  readonly principalId: number;
  readonly runId: number;
  readonly readyAtMs: number | null;
  readonly failure: { readonly message: string } | null;
}

/** One whose run has ended since the last look: it is marked with what that said. */
export async function markEnded(client: Querier, nowMs: number): Promise<EndedEndpoint | null> {
  const rows = await client.query<EndedEndpoint>({
    name: 'sql-endpoints-mark-ended',
    text: `
      with ended as (
        select e.run_id, t.failure
        from sql_endpoints e
        join runs r on r.run_id = e.run_id and r.phase = 'ended'
        left join lateral (${lastFailure('e.run_id')}) t on true
        where e.ended_at_ms is null
        limit 1)
      update sql_endpoints e
      set ended_at_ms = $1, end_message = ended.failure ->> 'message'
      from ended
      where e.run_id = ended.run_id and e.ended_at_ms is null
      returning ${columns}, ended.failure`,
    values: [nowMs],
  });
  return rows[0] ?? null;
}

/** Of statements that still seem to run: given while their endpoint was being marked. */
export function findEndedWithStatements(db: Querier, limit: number): Promise<EndedEndpoint[]> {
  return db.query<EndedEndpoint>({
    name: 'statements-find-ended-endpoints',
    text: `
      select s.*, t.failure
      from (
        select distinct on (s.run_id) s.run_id as "runId", s.warehouse_id as "warehouseId",
          s.principal_id as "principalId", s.given_at_ms as "readyAtMs"
        from statements s
        join runs r on r.run_id = s.run_id and r.phase = 'ended'
        where s.state = 'RUNNING'
        limit $1) s
      left join lateral (${lastFailure('s."runId"')}) t on true`,
    values: [limit],
  });
}

function lastFailure(runId: string): string {
  return `select t.failure from task_runs t where t.run_id = ${runId} order by t.attempt desc limit 1`;
}

/** Statements that an endpoint had when it ended, or that wait in one of its sessions: they end with it. */
export async function failOfEndpoint(
  db: Querier,
  { runId, nowMs, error }: { readonly runId: number; readonly nowMs: number; readonly error: object },
): Promise<{ readonly statementId: string }[]> {
  return db.query({
    name: 'statements-fail-of-endpoint',
    text: `
      update statements s
      set state = case when s.cancel_requested then 'CANCELED' else 'FAILED' end, error = $3, ended_at_ms = $2
      where (s.state = 'RUNNING' and s.run_id = $1)
        or (s.state = 'PENDING'
          and s.session_id in (select x.session_id from sql_sessions x where x.run_id = $1))
      returning s.statement_id as "statementId"`,
    values: [runId, nowMs, JSON.stringify(error)],
  });
}

/** Statements that wait for an endpoint that could not be started. */
export async function failWaiting(
  db: Querier,
  wanted: {
    readonly warehouseId: string;
    readonly principalId: number;
    readonly createdBeforeMs: number;
    readonly nowMs: number;
    readonly error: object;
  },
): Promise<{ readonly statementId: string }[]> {
  return db.query({
    name: 'statements-fail-waiting',
    text: `
      update statements s
      set state = 'FAILED', error = $5, ended_at_ms = $4
      where s.warehouse_id = $1 and s.principal_id = $2 and s.state = 'PENDING' and s.created_at_ms <= $3
      returning s.statement_id as "statementId"`,
    values: [
      ...[wanted.warehouseId, wanted.principalId, wanted.createdBeforeMs, wanted.nowMs],
      JSON.stringify(wanted.error),
    ],
  });
}

/** For whom statements wait although no endpoint is there for them. */
export function findUnserved(
  db: Querier,
  limit: number,
): Promise<{ readonly warehouseId: string; readonly principalId: number; readonly userName: string }[]> {
  return db.query({
    name: 'statements-find-unserved',
    text: `
      select distinct on (s.warehouse_id, s.principal_id)
        s.warehouse_id as "warehouseId", s.principal_id as "principalId", s.user_name as "userName"
      from statements s
      where s.state = 'PENDING'
        and not exists (
          select from sql_endpoints e
          where e.warehouse_id = s.warehouse_id and e.principal_id = s.principal_id
            and e.ended_at_ms is null and e.run_id is not null)
      order by s.warehouse_id, s.principal_id
      limit $1`,
    values: [limit],
  });
}

/** Runs of endpoints of a warehouse that go on. */
export async function findRunsOfWarehouse(db: Querier, clusterId: string): Promise<number[]> {
  const rows = await db.query<{ runId: number }>({
    name: 'sql-endpoints-find-runs-of-cluster',
    text: `
      select e.run_id as "runId" from sql_endpoints e
      join warehouses w on w.warehouse_id = e.warehouse_id
      where w.cluster_id = $1 and e.ended_at_ms is null and e.run_id is not null`,
    values: [clusterId],
  });
  return rows.map(({ runId }) => runId);
}

/** Those of a warehouse end here, whatever their processes still do. Their runs. */
export async function markRetired(
  client: Querier,
  { warehouseId, nowMs, message }: { warehouseId: string; nowMs: number; message: string },
): Promise<number[]> {
  const rows = await client.query<{ runId: number }>({
    name: 'sql-endpoints-mark-retired',
    text: `
      update sql_endpoints e set ended_at_ms = $2, end_message = $3
      where e.warehouse_id = $1 and e.ended_at_ms is null and e.run_id is not null
      returning e.run_id as "runId"`,
    values: [warehouseId, nowMs, message],
  });
  return rows.map(({ runId }) => runId);
}

export async function failPendingOf(
  db: Querier,
  {
    warehouseId,
    nowMs,
    error,
  }: { readonly warehouseId: string; readonly nowMs: number; readonly error: object },
): Promise<{ readonly statementId: string }[]> {
  return db.query({
    name: 'statements-fail-pending-of',
    text: `
      update statements s
      set state = 'FAILED', error = $3, ended_at_ms = $2
      where s.warehouse_id = $1 and s.state = 'PENDING'
      returning s.statement_id as "statementId"`,
    values: [warehouseId, nowMs, JSON.stringify(error)],
  });
}
