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
/** The clock of the database, which leases are kept by, went forward by so much more than ours: it was set. */
const clockStepMs = 1_000;

export function createClusterLoop(
  services: Pick<Services, 'db' | 'clock' | 'config'>,
  options: {
    readonly onMoved: (clusterIds: readonly string[]) => Promise<void>;
    /** Monotonic milliseconds. */
    readonly elapsedMs: () => number;
  },
): Loop {
  const { onMoved, elapsedMs } = options;
  let lastTurn: { readonly startedAtMs: number; readonly nowMs: number } | null = null;
  let backSinceMs = 0;
  return {
    name: clusterLoopName,
    everyMs,
    async turn() {
      const startedAtMs = elapsedMs();
      const nowMs = services.clock.nowMs();
      const passedMs = startedAtMs - (lastTurn?.startedAtMs ?? Number.NEGATIVE_INFINITY);
      const hasStepped = nowMs - (lastTurn?.nowMs ?? nowMs) > passedMs + clockStepMs;
      if (passedMs > missedTurnsMax * everyMs || hasStepped) backSinceMs = startedAtMs;
      lastTurn = { startedAtMs, nowMs };
      await markBusy(services.db, nowMs);
      // Every lease gets one full period again, as in attempts/lease-loop.ts.
      const trustsLeases = startedAtMs - backSinceMs >= services.config.workerLeaseMs;
      await onMoved(await settleUnsettled(services, { trustsLeases }));
      return 'idle';
    },
  };
}
