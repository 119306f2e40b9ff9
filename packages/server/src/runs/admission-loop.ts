/**
 * Admits queued runs as places of their job become free, oldest first. Those of a deleted job it cancels: whoever
 * deletes a job does, unless its server dies before.
 */
import type { Loop } from '../loops/driver.ts';
import type { RunServices } from './create-run.ts';
import { settleAll } from './settle-all.ts';
import { type AdmissibleRow, findAdmissibleRuns } from './store.ts';

/** A turn takes no more; the next one follows at once. */
const limits = { jobsMax: 100, runsMax: 500 };

export const admissionLoopName = 'admission';

export function createAdmissionLoop({ db, advancer }: Pick<RunServices, 'db' | 'advancer'>): Loop {
  return {
    name: admissionLoopName,
    // Woken whenever a run of a job ends here; this is for places that another server freed.
    everyMs: 2_000,
    async turn() {
      const runs = await findAdmissibleRuns(db, limits);
      const areAllMoved = await settleAll(runs.map((run) => settle(run, advancer)));
      return runs.length > 0 && areAllMoved ? 'again' : 'idle';
    },
  };
}

async function settle(
  { run_id, job_id, job_is_deleted }: AdmissibleRow,
  advancer: RunServices['advancer'],
): Promise<void> {
  if (!job_is_deleted) return advancer.admit(run_id, job_id);
  await advancer.tell(run_id, [{ event: { kind: 'cancel_requested', reason: 'cancelled_by_user' } }]);
}
