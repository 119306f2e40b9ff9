/** Takes an ended run out of sight. Its token stays taken, so that a late retry of a client does not run it again. */
import { ApiError } from '@headrace/api';
import type { RunServices } from './create-run.ts';
import { markRunDeleted, readRun } from './store.ts';

export async function deleteRun(
  { db }: RunServices,
  { runId, nowMs }: { readonly runId: number; readonly nowMs: number },
): Promise<void> {
  const run = await readRun(db, runId);
  if (!run) throw new ApiError('RESOURCE_DOES_NOT_EXIST', `Run ${runId} does not exist.`);
  if (await markRunDeleted(db, runId, nowMs)) return;
  throw new ApiError('INVALID_STATE', `Run ${runId} is active: cancel it, and delete it when it has ended.`);
}
