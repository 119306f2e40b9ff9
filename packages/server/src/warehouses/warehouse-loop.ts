/** Stops warehouses on which nothing has happened for long. */
import { stopWarehouseCluster } from '../compute/warehouse-clusters.ts';
import type { Querier } from '../db/connect.ts';
import type { Loop } from '../loops/driver.ts';
import type { Services } from '../services.ts';
import { autoStopMinutesDefault } from './sizes.ts';
import { findRunning, isIdle, lockWarehouse, markActive } from './store.ts';

/** As exact as minutes need. */
const everyMs = 10_000;
const minuteMs = 60_000;

interface IdleWarehouse {
  readonly warehouseId: string;
  readonly clusterId: string;
}

export interface WarehouseLoopOptions {
  /** Within the transaction that stops it: from here on its endpoints are given nothing. Their runs. */
  readonly retireEndpoints: (client: Querier, warehouseId: string) => Promise<readonly number[]>;
  readonly onStopped: (warehouse: IdleWarehouse, runIds: readonly number[]) => Promise<void>;
}

export function createWarehouseLoop(
  { db, clock }: Pick<Services, 'db' | 'clock'>,
  options: WarehouseLoopOptions,
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
        const runIds = await db.transaction(async (client) => {
          await lockWarehouse(client, warehouseId);
          // A statement may have come since; one that comes later waits for another endpoint, and starts it again.
          if (!(await isIdle(client, warehouseId))) return null;
          const retired = await options.retireEndpoints(client, warehouseId);
          await stopWarehouseCluster(client, clusterId, { username: null, idleMinutes: minutes, nowMs });
          return retired;
        });
        if (runIds !== null) await options.onStopped({ warehouseId, clusterId }, runIds);
      }
      return 'idle';
    },
  };
}
