/** Advances runs whose time has come (retries, time-outs), and looks for queued attempts. */
import type { Loop } from '../loops/driver.ts';
import type { RunServices } from './create-run.ts';
import { settleAll } from './settle-all.ts';
import { findDueRunIds } from './store.ts';

/** A turn takes no more; the next one follows at once. */
const runsPerTurnMax = 200;

export const wakeLoopName = 'wake';

export function createWakeLoop({
  db,
  clock,
  advancer,
}: Pick<RunServices, 'db' | 'clock' | 'advancer'>): Loop {
  return {
    name: wakeLoopName,
    // The process that moved a run wakes it in time by itself; this finds what another left behind.
    everyMs: 1_000,
    async turn() {
      const due = await findDueRunIds(db, clock.nowMs(), runsPerTurnMax);
      const areAllMoved = await settleAll(due.map(({ run_id }) => advancer.look(run_id)));
      advancer.lookForClaims({ inStore: true });
      return due.length === runsPerTurnMax && areAllMoved ? 'again' : 'idle';
    },
  };
}
