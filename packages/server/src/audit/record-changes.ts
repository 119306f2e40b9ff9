/** Changes that one request makes to many things: an audit row for each, in the transaction that makes them. */
import type { RequestContext } from '../context.ts';
import type { Querier } from '../db/connect.ts';
import { redactParameters } from './redact-parameters.ts';
import { insertAuditRows } from './store.ts';

export interface AuditedChange {
  readonly action: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

export async function recordChanges(
  client: Querier,
  { principal, requestId, sourceIp, userAgent, nowMs }: RequestContext,
  changes: readonly AuditedChange[],
): Promise<void> {
  if (changes.length === 0) return;
  const by = { principalId: principal.id, userName: principal.userName, requestId, sourceIp, userAgent };
  await insertAuditRows(
    client,
    changes.map(({ action, parameters }) => ({
      ...by,
      ...{ atMs: nowMs, action, status: 200, errorCode: null },
      parameters: redactParameters(parameters),
    })),
  );
}
