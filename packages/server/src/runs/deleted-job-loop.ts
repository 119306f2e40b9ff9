/**
 * Cancels the runs of a job that is deleted and go on: whoever deletes a job cancels them, unless its server dies before,
 * and a run may be made at that very moment. Those that are queued are the admission loop's; those that are repaired
 * later go on.
 */
import type { Querier } from '../db/connect.ts';
import type { Loop } from '../loops/driver.ts';
import type { RunServices } from './create-run.ts';
import { settleAll } from './settle-all.ts';

/** A turn takes no more; the next one follows at once. */
const runsPerTurnMax = 200;

export function createDeletedJobLoop({ db, advancer }: Pick<RunServices, 'db' | 'advancer'>): Loop {
  return {
    name: 'deleted-jobs',
    // It looks at all runs that are active, for what nearly never is there.
    everyMs: 15_000,
    async turn() {
      const runs = await findRunsOfDeletedJobs(db, runsPerTurnMax);
      const event = { kind: 'cancel_requested', reason: 'cancelled_by_user' } as const;
      const areAllMoved = await settleAll(runs.map(({ run_id }) => advancer.tell(run_id, [{ event }])));
      return runs.length === runsPerTurnMax && areAllMoved ? 'again' : 'idle';
    },
  };
}

export function findRunsOfDeletedJobs(db: Querier, limit: number): Promise<{ run_id: number }[]> {
  return db.query({
    name: 'runs-find-of-deleted-jobs',
    text: `
select r.run_id
from runs r
join jobs j on j.job_id = r.job_id
join run_generations g on g.run_id = r.run_id and g.generation = r.generation
where r.phase = 'running'
  and j.deleted_at_ms is not null
  and (r.generation = 0 or g.created_at_ms <= j.deleted_at_ms)
order by r.run_id
limit $1`,
    values: [limit],
  });
}
