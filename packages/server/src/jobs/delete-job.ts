/** A deleted job is not found any more; its runs are cancelled, and stay to be looked at. */
import { cancelFoundRuns } from '../runs/cancel-run.ts';
import type { RunServices } from '../runs/create-run.ts';
import { noSuchJob } from './save-job.ts';
import { markJobDeleted } from './store.ts';

export async function deleteJob(
  services: RunServices,
  { jobId, nowMs }: { readonly jobId: number; readonly nowMs: number },
): Promise<void> {
  const isDeletedNow = await markJobDeleted(services.db, jobId, nowMs);
  const asked = await cancelFoundRuns(services, { jobId, queuedOnly: false });
  // A crash may have come between the two: whoever asks again finishes it.
  if (!isDeletedNow && asked === 0) throw noSuchJob(jobId);
}

/** Of jobs that are deleted. */
export async function cancelRunsOf(services: RunServices, jobIds: readonly number[]): Promise<void> {
  for (const jobId of jobIds) await cancelFoundRuns(services, { jobId, queuedOnly: false });
}
