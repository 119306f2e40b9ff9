/** Counts idleness, and finds what no report told: workers that went, hosts that did not start. */
import { createAbsenceWatch } from '../db/absence-watch.ts';
import type { Loop } from '../loops/driver.ts';
import type { Services } from '../services.ts';
import { markBusy } from './life-store.ts';
import { settleUnsettled } from './settle-clusters.ts';

export const clusterLoopName = 'clusters';
/** A start waits for it at most, where nothing wakes it. */
const everyMs = 2_000;

export function createClusterLoop(
  services: Pick<Services, 'db' | 'clock' | 'config'>,
  options: {
    readonly onMoved: (clusterIds: readonly string[]) => Promise<void>;
    /** Monotonic milliseconds. */
    readonly elapsedMs: () => number;
    /** By the clock that leases are kept by: that of this server learns of a step only when it looks next. */
    readonly readNowMs: () => Promise<number>;
  },
): Loop {
  const { onMoved, elapsedMs } = options;
  const leaseMs = services.config.workerLeaseMs;
  const absence = createAbsenceWatch({ ...options, everyMs, leaseMs });
  let backSinceMs = 0;
  return {
    name: clusterLoopName,
    everyMs,
    async turn() {
      const startedAtMs = elapsedMs();
      const { wasAway } = await absence.look();
      if (wasAway) backSinceMs = startedAtMs;
      absence.settle();
      await markBusy(services.db, services.clock.nowMs());
      // Every lease gets one full period again, as in attempts/lease-loop.ts.
      const trustsLeases = startedAtMs - backSinceMs >= leaseMs;
      // Before what one cluster may make fail again and again: that is no absence.
      absence.endTurn();
      await onMoved(await settleUnsettled(services, { trustsLeases }));
      return 'idle';
    },
  };
}
