/** The only SQL for sessions. The Spark session itself is in the endpoint that has its first statement. */
import type { Querier } from '../db/connect.ts';

export interface SessionRow {
  readonly sessionId: string;
  readonly warehouseId: string;
  readonly catalog: string | null;
  readonly schema: string | null;
  readonly conf: Readonly<Record<string, string>>;
  readonly runId: number | null;
}

const columns = `
  session_id as "sessionId", warehouse_id as "warehouseId", catalog, schema, conf, run_id as "runId"`;

/** False where the principal has too many on that warehouse. */
export async function insertSession(
  db: Querier,
  row: Omit<SessionRow, 'runId'> & {
    readonly principalId: number;
    /** Of the task whose token opens it. */
    readonly taskRunId: number | null;
    readonly nowMs: number;
    readonly sessionsMax: number;
  },
): Promise<boolean> {
  const rows = await db.query({
    name: 'sql-sessions-insert',
    text: `
      insert into sql_sessions
        (session_id, warehouse_id, principal_id, catalog, schema, conf, created_at_ms, used_at_ms, task_run_id)
      select $1, $2, $3, $4, $5, $6, $7, $7, $9
      where (select count(*) from sql_sessions s where s.warehouse_id = $2 and s.principal_id = $3) < $8
      returning session_id`,
    values: [
      ...[row.sessionId, row.warehouseId, row.principalId, row.catalog, row.schema, JSON.stringify(row.conf)],
      ...[row.nowMs, row.sessionsMax, row.taskRunId],
    ],
  });
  return rows.length > 0;
}

/** Null for one that is closed, or another's. */
export async function useSession(
  db: Querier,
  sessionId: string,
  { principalId, nowMs }: { readonly principalId: number; readonly nowMs: number },
): Promise<SessionRow | null> {
  const rows = await db.query<SessionRow>({
    name: 'sql-sessions-use',
    text: `
      update sql_sessions set used_at_ms = greatest(used_at_ms, $3)
      where session_id = $1 and principal_id = $2
      returning ${columns}`,
    values: [sessionId, principalId, nowMs],
  });
  return rows[0] ?? null;
}

/** For statements that are being given to an endpoint: from here on they are that endpoint's. */
export function bindSessions(
  db: Querier,
  sessionIds: readonly string[],
  runId: number,
): Promise<SessionRow[]> {
  return db.query<SessionRow>({
    name: 'sql-sessions-bind',
    text: `
      update sql_sessions set run_id = $2
      where session_id = any($1::text[]) and (run_id is null or run_id = $2)
      returning ${columns}`,
    values: [sessionIds, runId],
  });
}

/** The owner's, or anybody's for an administrator (null). */
export async function deleteSession(
  db: Querier,
  sessionId: string,
  principalId: number | null,
): Promise<{ readonly runId: number | null } | null> {
  const rows = await db.query<{ runId: number | null }>({
    name: 'sql-sessions-delete',
    text: `
      delete from sql_sessions
      where session_id = $1 and ($2::bigint is null or principal_id = $2)
      returning run_id as "runId"`,
    values: [sessionId, principalId],
  });
  return rows[0] ?? null;
}

/** Nothing has run in them since then, and nothing does. */
export async function deleteIdleSessions(db: Querier, beforeMs: number, limit: number): Promise<number> {
  const rows = await db.query({
    name: 'sql-sessions-delete-idle',
    text: `
      delete from sql_sessions
      where session_id in (
        select s.session_id from sql_sessions s
        where s.used_at_ms < $1
          and not exists (
            select from statements t where t.session_id = s.session_id and t.state in ('PENDING', 'RUNNING'))
        limit $2)
      returning session_id`,
    values: [beforeMs, limit],
  });
  return rows.length;
}

/** Of those that an endpoint has, the ones that are closed. */
export async function findClosed(db: Querier, runId: number, held: readonly string[]): Promise<string[]> {
  const rows = await db.query<{ sessionId: string }>({
    name: 'sql-sessions-find-closed',
    text: `
      select held.session_id as "sessionId" from unnest($2::text[]) as held (session_id)
      where not exists (
        select from sql_sessions s where s.session_id = held.session_id and s.run_id = $1)`,
    values: [runId, held],
  });
  return rows.map(({ sessionId }) => sessionId);
}

/** With an endpoint its sessions are gone. */
export async function deleteSessionsOf(db: Querier, runIds: readonly number[]): Promise<void> {
  await db.query({
    name: 'sql-sessions-delete-of-runs',
    text: 'delete from sql_sessions where run_id = any($1::bigint[])',
    values: [runIds],
  });
}
