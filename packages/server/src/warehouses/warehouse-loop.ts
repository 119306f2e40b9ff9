/** Stops warehouses on which nothing has happened for long. */
import { stopWarehouseCluster } from '../compute/warehouse-clusters.ts';
import type { Loop } from '../loops/driver.ts';
import type { Services } from '../services.ts';
import { autoStopMinutesDefault } from './sizes.ts';
import { findRunning, lockWarehouse, markActive } from './store.ts';

/** As exact as minutes need. */
const everyMs = 10_000;
const minuteMs = 60_000;

export function createWarehouseLoop(
  { db, clock }: Pick<Services, 'db' | 'clock'>,
  options: {
    readonly onStopped: (warehouse: {
      readonly warehouseId: string;
      readonly clusterId: string;
    }) => Promise<void>;
  },
): Loop {
  return {
    name: 'sql-warehouses',
    everyMs,
    async turn() {
      const nowMs = clock.nowMs();
      await markActive(db, nowMs);
      for (const { warehouseId, clusterId, idleMs, fields } of await findRunning(db, nowMs)) {
        const minutes = fields.auto_stop_mins ?? autoStopMinutesDefault;
        if (minutes === 0 || idleMs < minutes * minuteMs) continue;
        await db.transaction(async (client) => {
          await lockWarehouse(client, warehouseId);
          await stopWarehouseCluster(client, clusterId, { username: null, idleMinutes: minutes, nowMs });
        });
        await options.onStopped({ warehouseId, clusterId });
      }
      return 'idle';
    },
  };
}
