/** Asks runs to stop. What has not begun ends at once; what runs is stopped, and the run ends when that is proven. */
import { ApiError } from '@headrace/api';
import type { RunServices } from './create-run.ts';
import { findActiveRunIds, readTaskRun } from './store.ts';

/** Asking again, or after the end, is no mistake. */
export async function cancelRun({ db, advancer }: RunServices, runId: number): Promise<void> {
  const { isKnown } = await advancer.tell(runId, [
    { event: { kind: 'cancel_requested', reason: 'cancelled_by_user' } },
  ]);
  if (isKnown) return;
  const taskRun = await readTaskRun(db, runId);
  if (taskRun) {
    throw new ApiError(
      'INVALID_PARAMETER_VALUE',
      `run_id: ${runId} is a task run; cancelling one task is not supported yet, cancel its run ${taskRun.run_id}`,
    );
  }
  throw new ApiError('RESOURCE_DOES_NOT_EXIST', `Run ${runId} does not exist.`);
}

/** Runs asked at a time: each batch of the advancer takes them together. */
const cancelledAtATime = 500;

export async function cancelRunsOfJob({ db, advancer }: RunServices, jobId: number): Promise<void> {
  const rows = await findActiveRunIds(db, jobId, 10_000);
  for (let from = 0; from < rows.length; from += cancelledAtATime) {
    const told = rows
      .slice(from, from + cancelledAtATime)
      .map(({ run_id }) =>
        advancer.tell(run_id, [{ event: { kind: 'cancel_requested', reason: 'cancelled_by_user' } }]),
      );
    await Promise.all(told);
  }
}
