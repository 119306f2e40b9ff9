/** Counts idleness, and finds what no report told: workers that went, hosts that did not start. */
import type { Loop } from '../loops/driver.ts';
import type { Services } from '../services.ts';
import { markBusy } from './life-store.ts';
import { settleUnsettled } from './settle-clusters.ts';

export const clusterLoopName = 'clusters';
/** A start waits for it at most, where nothing wakes it. */
const everyMs = 2_000;

/** After as many turns missed we, or the database, were away: workers could not renew, so silence says nothing yet. */
const missedTurnsMax = 3;

export function createClusterLoop(
  services: Pick<Services, 'db' | 'clock' | 'config'>,
  options: {
    readonly onMoved: (clusterIds: readonly string[]) => Promise<void>;
    /** Monotonic milliseconds. */
    readonly elapsedMs: () => number;
  },
): Loop {
  const { onMoved, elapsedMs } = options;
  let lastTurnAtMs: number | null = null;
  let backSinceMs = 0;
  return {
    name: clusterLoopName,
    everyMs,
    async turn() {
      await markBusy(services.db, services.clock.nowMs());
      const startedAtMs = elapsedMs();
      if (lastTurnAtMs === null || startedAtMs - lastTurnAtMs > missedTurnsMax * everyMs)
        backSinceMs = startedAtMs;
      // Every lease gets one full period again, as in attempts/lease-loop.ts.
      const trustsLeases = startedAtMs - backSinceMs >= services.config.workerLeaseMs;
      await onMoved(await settleUnsettled(services, { trustsLeases }));
      lastTurnAtMs = elapsedMs();
      return 'idle';
    },
  };
}
