/** Admits queued runs as places of their job become free, oldest first. */
import type { Loop } from '../loops/driver.ts';
import type { RunServices } from './create-run.ts';
import { findAdmissibleRuns } from './store.ts';

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
      await Promise.all(runs.map(({ run_id, job_id }) => advancer.admit(run_id, job_id)));
      return runs.length > 0 ? 'again' : 'idle';
    },
  };
}
