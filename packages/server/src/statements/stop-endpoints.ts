/** A warehouse that stops takes its endpoints with it, and what waits for them: it must not start again for that. */
import type { Querier } from '../db/connect.ts';
import { cancelRun } from '../runs/cancel-run.ts';
import type { RunServices } from '../runs/create-run.ts';
import type { Bell } from './bell.ts';
import { failPendingOf, findRunsOfWarehouse, markRetired } from './endpoint-store.ts';
import type { StoredError } from './rows.ts';
import { deleteSessionsOf } from './session-store.ts';

export async function stopEndpoints(
  services: RunServices & { readonly bell: Bell },
  { warehouseId, clusterId }: { readonly warehouseId: string; readonly clusterId: string },
): Promise<void> {
  const { db, clock, bell } = services;
  const error: StoredError = {
    ...{ code: 'ABORTED', message: `SQL warehouse ${warehouseId} was stopped before the statement ran.` },
    ...{ sql_state: '08006', error_class: null, position: null },
  };
  const failed = await failPendingOf(db, { warehouseId, nowMs: clock.nowMs(), error });
  for (const { statementId } of failed) bell.ring(`statement ${statementId}`);
  for (const runId of await findRunsOfWarehouse(db, clusterId)) await cancelRun(services, runId);
}

/** Of a warehouse that nobody uses. Their sessions end with them. */
export async function retireEndpoints(
  client: Querier,
  { warehouseId, nowMs }: { readonly warehouseId: string; readonly nowMs: number },
): Promise<readonly number[]> {
  const message = 'the warehouse was stopped, since nobody used it';
  const runIds = await markRetired(client, { warehouseId, nowMs, message });
  await deleteSessionsOf(client, runIds);
  return runIds;
}
