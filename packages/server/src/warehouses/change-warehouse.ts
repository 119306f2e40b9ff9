/** Starts, stops and deletes warehouses. What runs on one that stops ends; its statements fail and say why. */
import { ApiError } from '@headrace/api';
import { startWarehouseCluster, stopWarehouseCluster } from '../compute/warehouse-clusters.ts';
import type { Principal } from '../context.ts';
import type { Services } from '../services.ts';
import { requireOwnWarehouse, unknownWarehouse } from './save-warehouse.ts';
import { lockWarehouse, markWarehouseDeleted, type WarehouseRow } from './store.ts';

interface Request {
  readonly services: Pick<Services, 'db' | 'clock'>;
  readonly warehouseId: string;
  readonly principal: Principal;
}

/** Also for others than its owner: a statement of theirs would start it, too. */
export function startWarehouse({ services, warehouseId, principal }: Request): Promise<WarehouseRow> {
  const { db, clock } = services;
  return db.transaction(async (client) => {
    const row = await lockWarehouse(client, warehouseId);
    if (!row || row.deletedAtMs !== null) throw unknownWarehouse(warehouseId);
    const start = { user: principal.userName, nowMs: clock.nowMs() };
    await startWarehouseCluster(client, row.clusterId, start);
    return row;
  });
}

export function stopWarehouse({ services, warehouseId, principal }: Request): Promise<WarehouseRow> {
  const { db, clock } = services;
  return db.transaction(async (client) => {
    const row = await requireOwnWarehouse(client, warehouseId, principal);
    const stop = { username: principal.userName, nowMs: clock.nowMs() };
    await stopWarehouseCluster(client, row.clusterId, stop);
    return row;
  });
}

export function deleteWarehouse({ services, warehouseId, principal }: Request): Promise<WarehouseRow> {
  const { db, clock } = services;
  return db.transaction(async (client) => {
    const row = await requireOwnWarehouse(client, warehouseId, principal);
    if (row.isDefault)
      throw new ApiError(
        'INVALID_PARAMETER_VALUE',
        'The default SQL warehouse cannot be deleted: whatever names no warehouse needs it',
      );
    const nowMs = clock.nowMs();
    await markWarehouseDeleted(client, warehouseId, nowMs);
    await stopWarehouseCluster(client, row.clusterId, {
      username: principal.userName,
      isDeleted: true,
      nowMs,
    });
    return row;
  });
}
