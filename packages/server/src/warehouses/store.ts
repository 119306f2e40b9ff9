/** The only SQL for SQL warehouses. How far each is on its way up or down is the state of its cluster. */
import type { WarehouseFields } from '@headrace/api';
import type { Querier } from '../db/connect.ts';

export interface WarehouseRow {
  readonly warehouseId: string;
  readonly name: string;
  /** As they were written, with the defaults of what was left out. */
  readonly fields: WarehouseFields;
  readonly clusterId: string;
  readonly ownerId: number;
  readonly createdBy: string;
  readonly createdAtMs: number;
  readonly isDefault: boolean;
  readonly deletedAtMs: number | null;
}

const columns = `
  w.warehouse_id as "warehouseId", w.name, w.fields, w.cluster_id as "clusterId", w.owner_id as "ownerId",
  w.created_by as "createdBy", w.created_at_ms as "createdAtMs", w.is_default as "isDefault",
  w.deleted_at_ms as "deletedAtMs"`;

/** Also one that was deleted. */
export async function findWarehouse(db: Querier, warehouseId: string): Promise<WarehouseRow | null> {
  const rows = await db.query<WarehouseRow>({
    name: 'warehouses-find',
    text: `select ${columns} from warehouses w where w.warehouse_id = $1`,
    values: [warehouseId],
  });
  return rows[0] ?? null;
}

export async function findDefaultWarehouse(db: Querier): Promise<WarehouseRow | null> {
  const rows = await db.query<WarehouseRow>({
    name: 'warehouses-find-default',
    text: `select ${columns} from warehouses w where w.is_default and w.deleted_at_ms is null`,
    values: [],
  });
  return rows[0] ?? null;
}
