import type { Loop } from '../loops/driver.ts';
import type { Services } from '../services.ts';
import { deleteOldClusters } from './store.ts';

/** As long as the hosted product lists clusters that have ended. */
const keptMs = 30 * 24 * 3_600_000;
const everyMs = 3_600_000;
const rowsMax = 1_000;

export function createClusterRetentionLoop({ db, clock }: Services): Loop {
  return {
    name: 'cluster-retention',
    everyMs,
    async turn() {
      const deleted = await deleteOldClusters(db, clock.nowMs() - keptMs, rowsMax);
      return deleted === rowsMax ? 'again' : 'idle';
    },
  };
}
