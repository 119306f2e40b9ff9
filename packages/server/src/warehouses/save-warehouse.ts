/** Makes and edits warehouses. Each is two rows, its own and its cluster's, written in one transaction. */
import crypto from 'node:crypto';
import { ApiError, type WarehouseFields } from '@headrace/api';
import { warehouseClusterPrefix } from '../compute/resolve-cluster.ts';
import {
  editWarehouseCluster,
  insertWarehouseCluster,
  startWarehouseCluster,
} from '../compute/warehouse-clusters.ts';
import type { Principal } from '../context.ts';
import type { Querier } from '../db/connect.ts';
import { refuseUnstorable } from '../jobs/validate-settings.ts';
import type { Services } from '../services.ts';
import { autoStopMinutesDefault, clusterSizeDefault, toClusterSpec } from './sizes.ts';
import {
  findDefaultWarehouse,
  insertWarehouse,
  isNameTaken,
  lockWarehouse,
  updateWarehouse,
  type WarehouseRow,
} from './store.ts';

type SaveServices = Pick<Services, 'db' | 'clock'>;

/** Of the one that is there from the start: a machine that nobody uses should not keep a JVM for hours. */
const defaultFields = { name: 'Default warehouse', auto_stop_mins: 30 } as const;

export async function createWarehouse(
  { db, clock }: SaveServices,
  fields: WarehouseFields & { readonly name: string },
  owner: Principal,
): Promise<WarehouseRow> {
  refuseUnstorable(fields, 'warehouse');
  const nowMs = clock.nowMs();
  const row = newRow(fields, owner, { isDefault: false, nowMs });
  await db.transaction(async (client) => {
    await insertRows(client, row, owner);
    await startWarehouseCluster(client, row.clusterId, { user: owner.userName, nowMs });
  });
  return row;
}

/** At start. */
export async function ensureDefaultWarehouse(
  { db, clock }: SaveServices,
  admin: Pick<Principal, 'id' | 'userName'>,
): Promise<void> {
  if ((await findDefaultWarehouse(db)) !== null) return;
  const row = newRow(defaultFields, admin, { isDefault: true, nowMs: clock.nowMs() });
  await db.transaction(async (client) => {
    // Another server may be starting.
    if (await insertWarehouse(client, row)) await insertCluster(client, row, admin);
  });
}

function newRow(
  fields: WarehouseFields & { readonly name: string },
  { id, userName }: Pick<Principal, 'id' | 'userName'>,
  { isDefault, nowMs }: { readonly isDefault: boolean; readonly nowMs: number },
): WarehouseRow {
  const warehouseId = crypto.randomBytes(8).toString('hex');
  return {
    warehouseId,
    name: fields.name,
    fields: {
      cluster_size: clusterSizeDefault,
      auto_stop_mins: autoStopMinutesDefault,
      min_num_clusters: 1,
      max_num_clusters: 1,
      warehouse_type: 'PRO',
      ...fields,
    },
    clusterId: `${warehouseClusterPrefix}${warehouseId}`,
    ownerId: id,
    createdBy: userName,
    createdAtMs: nowMs,
    isDefault,
    deletedAtMs: null,
  };
}

async function insertRows(client: Querier, row: WarehouseRow, owner: Principal): Promise<void> {
  if (!(await insertWarehouse(client, row))) throw isTaken(row.name);
  await insertCluster(client, row, owner);
}

function insertCluster(
  client: Querier,
  row: WarehouseRow,
  owner: Pick<Principal, 'id' | 'userName'>,
): Promise<void> {
  const { warehouseId, clusterId, createdAtMs: nowMs } = row;
  return insertWarehouseCluster(
    client,
    { warehouseId, clusterId, ...clusterOf(row.fields) },
    { owner, nowMs },
  );
}

function clusterOf(fields: WarehouseFields) {
  const spec = toClusterSpec(fields);
  return { spec, clusterName: spec.cluster_name ?? '' };
}

/** Whether its cluster starts anew. */
export async function editWarehouse(
  { db, clock }: SaveServices,
  warehouseId: string,
  { fields, principal }: { readonly fields: WarehouseFields; readonly principal: Principal },
): Promise<{ readonly row: WarehouseRow; readonly restarts: boolean }> {
  refuseUnstorable(fields, 'warehouse');
  const nowMs = clock.nowMs();
  return db.transaction(async (client) => {
    const row = await requireOwnWarehouse(client, warehouseId, principal);
    const name = fields.name ?? row.name;
    if (await isNameTaken(client, name, warehouseId)) throw isTaken(name);
    const whole = { ...row.fields, ...fields, name };
    await updateWarehouse(client, warehouseId, { name, fields: whole });
    const edited = { clusterId: row.clusterId, ...clusterOf(whole) };
    const restarts = await editWarehouseCluster(client, edited, { user: principal.userName, nowMs });
    return { row, restarts };
  });
}

/** Locked, and the principal's to change. */
export async function requireOwnWarehouse(
  client: Querier,
  warehouseId: string,
  principal: Principal,
): Promise<WarehouseRow> {
  const row = await lockWarehouse(client, warehouseId);
  if (!row || row.deletedAtMs !== null) throw unknownWarehouse(warehouseId);
  if (principal.isAdmin || row.ownerId === principal.id) return row;
  throw new ApiError(
    'PERMISSION_DENIED',
    `SQL warehouse ${warehouseId} cannot be changed: it is another user’s`,
  );
}

export function unknownWarehouse(warehouseId: string): ApiError {
  return new ApiError('RESOURCE_DOES_NOT_EXIST', `SQL warehouse ${warehouseId} does not exist`);
}

function isTaken(name: string): ApiError {
  return new ApiError('RESOURCE_ALREADY_EXISTS', `name: there is a SQL warehouse '${name}' already`);
}
