/** Which warehouse, and so which cluster, an id means. Whatever runs there is an ordinary attempt on that cluster. */
import type { Failure } from '@headrace/core';
import type { Services } from '../services.ts';
import { findDefaultWarehouse, findWarehouse, type WarehouseRow } from './store.ts';

export interface ResolvedWarehouse {
  readonly warehouseId: string;
  /** For `existing_cluster_id`: a claim that names it starts it. */
  readonly clusterId: string;
  /** Of a statement; null where the warehouse names none. */
  readonly statementTimeoutMs: number | null;
  /** For the task's events: the id is unknown here, and the default warehouse stands in for it. */
  readonly warnings: readonly string[];
}

/** Null, or empty: the default warehouse. A Failure where the server refuses ids that it does not know. */
export async function resolveWarehouse(
  { db, config }: Pick<Services, 'db' | 'config'>,
  warehouseId: string | null,
): Promise<ResolvedWarehouse | Failure> {
  const isNamed = warehouseId !== null && warehouseId !== '';
  const named = isNamed ? await findWarehouse(db, warehouseId) : null;
  if (named && named.deletedAtMs !== null) return failure(`SQL warehouse ${warehouseId} has been deleted.`);
  if (named) return { ...placeOf(named), warnings: [] };
  if (isNamed && config.unknownIds !== 'default')
    return failure(`SQL warehouse ${warehouseId} does not exist.`);
  const fallback = await findDefaultWarehouse(db);
  if (!fallback) return failure('There is no default SQL warehouse: create a warehouse, and name it.');
  return {
    ...placeOf(fallback),
    warnings: isNamed
      ? [`SQL warehouse ${warehouseId} is unknown here: ${fallback.name} (${fallback.warehouseId}) is used.`]
      : [],
  };
}

function placeOf({ warehouseId, clusterId, fields }: WarehouseRow): Omit<ResolvedWarehouse, 'warnings'> {
  const { statement_timeout: seconds } = fields;
  return { warehouseId, clusterId, statementTimeoutMs: seconds ? seconds * 1000 : null };
}

function failure(message: string): Failure {
  return { code: 'RESOURCE_NOT_FOUND', message, trace: null };
}
