import type { Querier } from '../db/connect.ts';

export interface AuditRow {
  readonly atMs: number;
  readonly action: string;
  readonly principalId: number | null;
  readonly userName: string | null;
  readonly requestId: string;
  readonly sourceIp: string;
  readonly userAgent: string | null;
  readonly status: number;
  readonly errorCode: string | null;
  readonly parameters: Readonly<Record<string, unknown>>;
}

export async function insertAuditRows(db: Querier, rows: readonly AuditRow[]): Promise<void> {
  await db.query({
    name: 'insert-audit-rows',
    text: `
      insert into audit_events
        (at_ms, action, principal_id, user_name, request_id, source_ip, user_agent, status, error_code, parameters)
      select "atMs", action, "principalId", "userName", "requestId", "sourceIp", "userAgent", status, "errorCode", parameters
      from jsonb_to_recordset($1::jsonb) as row
        ("atMs" bigint, action text, "principalId" bigint, "userName" text, "requestId" text, "sourceIp" text,
         "userAgent" text, status integer, "errorCode" text, parameters jsonb)`,
    values: [JSON.stringify(rows)],
  });
}

export async function deleteAuditRowsBefore(db: Querier, beforeMs: number, limit: number): Promise<number> {
  const rows = await db.query<{ id: number }>({
    name: 'delete-old-audit-rows',
    text: `
      delete from audit_events
      where id in (select id from audit_events where at_ms < $1 order by at_ms limit $2)
      returning id`,
    values: [beforeMs, limit],
  });
  return rows.length;
}
