/** Workers as they last reported, for the status page. */
import type { ServerStatus } from '@headrace/api';
import type { Querier } from '../db/connect.ts';
import { type DbNow, databaseNow } from './store.ts';
import { listWorkerRows } from './worker-store.ts';

export async function listWorkers(
  db: Querier,
  { dbNow = databaseNow }: { readonly dbNow?: DbNow } = {},
): Promise<ServerStatus['workers']> {
  const rows = await listWorkerRows(db, dbNow);
  return rows.map(({ hostname, ...row }) => ({ ...row, hostname: hostname ?? null }));
}
