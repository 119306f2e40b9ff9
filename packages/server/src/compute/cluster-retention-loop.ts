import type { Loop } from '../loops/driver.ts';
import type { Services } from '../services.ts';
import { deleteOldClusterEvents } from './event-store.ts';
import { deleteOldAllPurpose, deleteOldClusters, forgetDeleted } from './store.ts';

const dayMs = 24 * 3_600_000;
/** As long as the hosted product lists clusters that have ended. */
const keptMs = 30 * dayMs;
/** A cluster that is used every day has some ten events a day. */
const eventsKeptMs = 60 * dayMs;
/** So long a job that still names a deleted cluster is told that it was deleted. */
const deletedKeptMs = 365 * dayMs;
const everyMs = 3_600_000;
const rowsMax = 1_000;

export function createClusterRetentionLoop({ db, clock }: Pick<Services, 'db' | 'clock'>): Loop {
  return {
    name: 'cluster-retention',
    everyMs,
    async turn() {
      const nowMs = clock.nowMs();
      const gone = [
        await deleteOldAllPurpose(db, { beforeMs: nowMs - keptMs, nowMs, limit: rowsMax }),
        await deleteOldClusters(db, nowMs - keptMs, rowsMax),
        await forgetDeleted(db, nowMs - deletedKeptMs, rowsMax),
        await deleteOldClusterEvents(db, nowMs - eventsKeptMs, rowsMax),
      ];
      return gone.includes(rowsMax) ? 'again' : 'idle';
    },
  };
}
