/** The only SQL for the query history. */
import { type Kysely, type SqlBool, sql } from 'kysely';
import type { Database } from '../db/connect.ts';
import type { StatementState } from './ports.ts';
import type { HistoryRow } from './rows.ts';

export interface HistoryFilter {
  /** Null: everybody's. */
  readonly principalIds: readonly number[] | null;
  readonly warehouseIds: readonly string[] | null;
  readonly statementIds: readonly string[] | null;
  readonly states: readonly StatementState[] | null;
  readonly createdFromMs: number | null;
  readonly createdToMs: number | null;
  readonly after: { readonly createdAtMs: number; readonly statementId: string } | null;
  readonly limit: number;
}

/** Newest first. */
export async function listHistory(db: Database, filter: HistoryFilter): Promise<HistoryRow[]> {
  const kysely = db.kysely as unknown as Kysely<{ statements: Record<string, never> }>;
  const conditions = [
    filter.principalIds && sql<SqlBool>`s.principal_id = any(${[...filter.principalIds]}::bigint[])`,
    filter.warehouseIds && sql<SqlBool>`s.warehouse_id = any(${[...filter.warehouseIds]}::text[])`,
    filter.statementIds && sql<SqlBool>`s.statement_id = any(${[...filter.statementIds]}::text[])`,
    filter.states && sql<SqlBool>`s.state = any(${[...filter.states]}::text[])`,
    filter.createdFromMs !== null && sql<SqlBool>`s.created_at_ms >= ${filter.createdFromMs}`,
    filter.createdToMs !== null && sql<SqlBool>`s.created_at_ms <= ${filter.createdToMs}`,
    filter.after &&
      sql<SqlBool>`(s.created_at_ms, s.statement_id) < (${filter.after.createdAtMs}::bigint, ${filter.after.statementId})`,
  ].filter((condition) => condition !== null && condition !== false);
  const where = conditions.length === 0 ? sql`` : sql`where ${sql.join(conditions, sql` and `)}`;
  const query = sql<HistoryRow>`
    select s.statement_id as "statementId", s.warehouse_id as "warehouseId", s.principal_id as "principalId",
      s.user_name as "userName", s.session_id as "sessionId", s.statement, s.source, s.kind, s.state,
      s.run_id as "runId", s.created_at_ms as "createdAtMs", s.given_at_ms as "givenAtMs",
      s.ended_at_ms as "endedAtMs", s.error, s.timings, s.rows_produced as "rowsProduced"
    from statements s
    ${where}
    order by s.created_at_ms desc, s.statement_id desc
    limit ${filter.limit}`;
  return (await query.execute(kysely)).rows;
}
