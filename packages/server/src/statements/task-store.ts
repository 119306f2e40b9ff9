/** The only SQL that asks for statements and sessions of tasks that have ended otherwise than well. */
import type { Querier } from '../db/connect.ts';

export interface OrphanedStatement {
  readonly statementId: string;
  readonly warehouseId: string;
  readonly principalId: number;
}

/** Under way, and not yet asked to end. */
export function findOrphanedStatements(db: Querier, limit: number): Promise<OrphanedStatement[]> {
  return db.query<OrphanedStatement>({
    name: 'statements-find-orphaned',
    text: `
      select s.statement_id as "statementId", s.warehouse_id as "warehouseId", s.principal_id as "principalId"
      from statements s
      join task_runs t on t.attempt_id = (s.source ->> 'taskRunId')::bigint
      where s.state in ('PENDING', 'RUNNING') and s.source ? 'taskRunId' and not s.cancel_requested
        and t.ended_at_ms is not null and t.result <> 'succeeded'
      limit $1`,
    values: [limit],
  });
}

/** Nobody has their token any more. Their endpoints hear of it with their next question. */
export async function deleteOrphanedSessions(db: Querier, limit: number): Promise<void> {
  await db.query({
    name: 'sql-sessions-delete-orphaned',
    text: `
      delete from sql_sessions
      where session_id in (
        select s.session_id
        from sql_sessions s
        join task_runs t on t.attempt_id = s.task_run_id
        where s.task_run_id is not null and t.ended_at_ms is not null and t.result <> 'succeeded'
          and not exists (
            select from statements u where u.session_id = s.session_id and u.state in ('PENDING', 'RUNNING'))
        limit $1)`,
    values: [limit],
  });
}
