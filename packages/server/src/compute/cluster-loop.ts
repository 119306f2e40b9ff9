/** Counts idleness, and finds what no report told: workers that went, hosts that did not start. */
import type { Loop } from '../loops/driver.ts';
import type { Services } from '../services.ts';
import { markBusy } from './life-store.ts';
import { settleUnsettled } from './settle-clusters.ts';

export const clusterLoopName = 'clusters';
/** A start waits for it at most, where nothing wakes it. */
const everyMs = 2_000;

export function createClusterLoop(
  services: Pick<Services, 'db' | 'clock'>,
  onMoved: (clusterIds: readonly string[]) => Promise<void>,
): Loop {
  return {
    name: clusterLoopName,
    everyMs,
    async turn() {
      await markBusy(services.db, services.clock.nowMs());
      await onMoved(await settleUnsettled(services));
      return 'idle';
    },
  };
}
