/** The only SQL for SQL warehouses. How far each is on its way up or down is the state of its cluster. */
import type { WarehouseFields } from '@headrace/api';
import type { AllPurposeState, Termination } from '@headrace/core';
import type { Querier } from '../db/connect.ts';

export interface WarehouseRow {
  readonly warehouseId: string;
  readonly name: string;
  /** As they were written. */
  readonly fields: WarehouseFields;
  readonly clusterId: string;
  readonly ownerId: number;
  readonly createdBy: string;
  readonly createdAtMs: number;
  readonly isDefault: boolean;
  readonly deletedAtMs: number | null;
}

export interface ShownWarehouseRow extends WarehouseRow {
  readonly state: AllPurposeState;
  readonly wanted: 'running' | 'terminated';
  readonly message: string;
  readonly termination: Termination | null;
  readonly sessions: number;
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

/** Until the end of the transaction nobody else changes it. */
export async function lockWarehouse(client: Querier, warehouseId: string): Promise<WarehouseRow | null> {
  const rows = await client.query<WarehouseRow>({
    name: 'warehouses-lock',
    text: `select ${columns} from warehouses w where w.warehouse_id = $1 for update`,
    values: [warehouseId],
  });
  return rows[0] ?? null;
}

/** By name; without those that are deleted. */
export function listShownWarehouses(
  db: Querier,
  page: {
    readonly warehouseId: string | null;
    readonly after: { readonly name: string; readonly warehouseId: string } | null;
    readonly limit: number;
  },
): Promise<ShownWarehouseRow[]> {
  return db.query<ShownWarehouseRow>({
    name: 'warehouses-list-shown',
    text: `
      select ${columns}, c.state, c.wanted, c.message, c.termination,
        (select count(*) from sql_sessions s where s.warehouse_id = w.warehouse_id) as sessions
      from warehouses w
      join clusters c on c.cluster_id = w.cluster_id
      where w.deleted_at_ms is null
        and ($1::text is null or w.warehouse_id = $1)
        and ($2::text is null or (lower(w.name), w.warehouse_id) > (lower($2), $3))
      order by lower(w.name), w.warehouse_id
      limit $4`,
    values: [page.warehouseId, page.after?.name ?? null, page.after?.warehouseId ?? null, page.limit],
  });
}

/** Whether it is new: another one may have the name, or be the default. */
export async function insertWarehouse(
  client: Querier,
  row: Omit<WarehouseRow, 'deletedAtMs'>,
): Promise<boolean> {
  const rows = await client.query({
    name: 'warehouses-insert',
    text: `
      insert into warehouses
        (warehouse_id, name, fields, cluster_id, owner_id, created_by, created_at_ms, is_default, active_at_ms)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $7)
      on conflict do nothing
      returning warehouse_id`,
    values: [
      ...[row.warehouseId, row.name, JSON.stringify(row.fields), row.clusterId, row.ownerId],
      ...[row.createdBy, row.createdAtMs, row.isDefault],
    ],
  });
  return rows.length > 0;
}

export async function updateWarehouse(
  client: Querier,
  warehouseId: string,
  change: { readonly name: string; readonly fields: WarehouseFields },
): Promise<void> {
  await client.query({
    name: 'warehouses-update',
    text: 'update warehouses set name = $2, fields = $3 where warehouse_id = $1',
    values: [warehouseId, change.name, JSON.stringify(change.fields)],
  });
}

export async function isNameTaken(client: Querier, name: string, exceptId: string): Promise<boolean> {
  const rows = await client.query({
    name: 'warehouses-is-name-taken',
    text: `
      select warehouse_id from warehouses
      where lower(name) = lower($1) and warehouse_id <> $2 and deleted_at_ms is null`,
    values: [name, exceptId],
  });
  return rows.length > 0;
}

export async function markWarehouseDeleted(
  client: Querier,
  warehouseId: string,
  nowMs: number,
): Promise<void> {
  await client.query({
    name: 'warehouses-mark-deleted',
    text: 'update warehouses set deleted_at_ms = $2 where warehouse_id = $1 and deleted_at_ms is null',
    values: [warehouseId, nowMs],
  });
}

/** Something is under way, or was since the last look. */
const isInUse = `(
  c.state <> 'RUNNING'
  or exists (
    select from statements s
    where s.warehouse_id = w.warehouse_id
      and (s.state in ('PENDING', 'RUNNING') or s.created_at_ms > w.active_at_ms)
      and s.created_at_ms > w.created_at_ms)
  or exists (
    select from task_runs t
    join runs r on r.run_id = t.run_id
    where t.cluster_id = w.cluster_id and t.state in ('claimed', 'running', 'stopping')
      and r.run_type <> 'SQL_ENDPOINT'))`;

/** Those that run: idleness counts from now where something is under way, or was since the last look. */
export async function markActive(db: Querier, nowMs: number): Promise<void> {
  await db.query({
    name: 'warehouses-mark-active',
    text: `
      update warehouses w
      set active_at_ms = $1
      from clusters c
      where c.cluster_id = w.cluster_id and c.wanted = 'running' and ${isInUse}`,
    values: [nowMs],
  });
}

/** Whether it runs, and nobody uses it. */
export async function isIdle(client: Querier, warehouseId: string): Promise<boolean> {
  const rows = await client.query({
    name: 'warehouses-is-idle',
    text: `
      select w.warehouse_id from warehouses w
      join clusters c on c.cluster_id = w.cluster_id
      where w.warehouse_id = $1 and w.deleted_at_ms is null and c.wanted = 'running' and not ${isInUse}`,
    values: [warehouseId],
  });
  return rows.length > 0;
}

export interface IdleRow {
  readonly warehouseId: string;
  readonly clusterId: string;
  readonly idleMs: number;
}

/** Those that run, and for how long nothing has happened there. */
export function findRunning(db: Querier, nowMs: number): Promise<(IdleRow & { fields: WarehouseFields })[]> {
  return db.query({
    name: 'warehouses-find-running',
    text: `
      select w.warehouse_id as "warehouseId", w.cluster_id as "clusterId", w.fields,
        $1::bigint - w.active_at_ms as "idleMs"
      from warehouses w
      join clusters c on c.cluster_id = w.cluster_id
      where c.wanted = 'running' and w.deleted_at_ms is null
      limit 2000`,
    values: [nowMs],
  });
}
