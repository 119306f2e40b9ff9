/** Asks runs to stop. What has not begun ends at once; what runs is stopped, and the run ends when that is proven. */
import { ApiError } from '@headrace/api';
import { toAttemptId } from '@headrace/core';
import { noSuchJob } from '../jobs/save-job.ts';
import type { RunServices } from './create-run.ts';
import { readPlaces } from './save-store.ts';
import { findStoppableRunIds, readTaskRun } from './store.ts';

const cancelled = { kind: 'cancel_requested', reason: 'cancelled_by_user' } as const;

/** A run, or one task run of it. Asking again, or after the end, is no mistake. */
export async function cancelRun({ db, advancer }: RunServices, runId: number): Promise<void> {
  const { isKnown } = await advancer.tell(runId, [{ event: cancelled }]);
  if (isKnown) return;
  const taskRun = await readTaskRun(db, runId);
  if (!taskRun) throw new ApiError('RESOURCE_DOES_NOT_EXIST', `Run ${runId} does not exist.`);
  const attemptId = toAttemptId(taskRun.attempt_id);
  await advancer.tell(taskRun.run_id, [{ event: { kind: 'task_cancel_requested', attemptId } }]);
}

/** Runs asked at a time: a batch of the advancer takes them together. */
const cancelledAtATime = 500;
/** Read at a time: so many are few for the store, and few to keep in memory. */
const readAtATime = 10_000;

interface WantedRuns {
  readonly jobId: number | null;
  readonly queuedOnly: boolean;
}

type CancelServices = Pick<RunServices, 'db' | 'advancer'>;

/** All active runs of a job, or of all jobs; or only those that are queued. What begins meanwhile stays. */
export async function cancelRuns(services: CancelServices, wanted: WantedRuns): Promise<void> {
  const asked = await cancelFoundRuns(services, wanted);
  const { jobId } = wanted;
  // A deleted job may still have runs that end.
  if (asked > 0 || jobId === null) return;
  const [job] = await readPlaces(services.db, [jobId]);
  if (!job) throw noSuchJob(jobId);
}

/** Whether there is such a job or not; returns how many runs were asked. */
export async function cancelFoundRuns({ db, advancer }: CancelServices, wanted: WantedRuns): Promise<number> {
  let after = 0;
  let count = 0;
  for (;;) {
    const rows = await findStoppableRunIds(db, { ...wanted, after, limit: readAtATime });
    for (let from = 0; from < rows.length; from += cancelledAtATime) {
      const asked = rows.slice(from, from + cancelledAtATime);
      await Promise.all(asked.map(({ run_id }) => advancer.tell(run_id, [{ event: cancelled }])));
    }
    count += rows.length;
    after = rows.at(-1)?.run_id ?? after;
    if (rows.length < readAtATime) return count;
  }
}
