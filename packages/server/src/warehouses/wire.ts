import type { WarehouseDocument, WarehouseState } from '@headrace/api';
import type { ShownWarehouseRow } from './store.ts';

/** @param publicUrl scheme, host and port under which clients reach this server. */
export function toWarehouseDocument(row: ShownWarehouseRow, publicUrl: string): WarehouseDocument {
  const state = toWarehouseState(row);
  const url = new URL(publicUrl);
  const isTls = url.protocol === 'https:';
  const port = url.port === '' ? (isTls ? 443 : 80) : Number(url.port);
  const path = `/sql/1.0/warehouses/${row.warehouseId}`;
  const isUp = state === 'RUNNING';
  return {
    ...row.fields,
    id: row.warehouseId,
    name: row.name,
    creator_name: row.createdBy,
    state,
    num_clusters: isUp ? 1 : 0,
    num_active_sessions: row.sessions,
    jdbc_url: `jdbc:spark://${url.hostname}:${port}/default;transportMode=http;ssl=${isTls ? 1 : 0};AuthMech=3;httpPath=${path};`,
    odbc_params: { hostname: url.hostname, path, port, protocol: url.protocol.slice(0, -1) },
    health: toHealth(row, state),
    headrace: { is_default: row.isDefault, cluster_id: row.clusterId },
  };
}

export function toWarehouseState({ state }: Pick<ShownWarehouseRow, 'state'>): WarehouseState {
  switch (state) {
    case 'PENDING':
    case 'RESTARTING':
      return 'STARTING';
    case 'RUNNING':
    case 'RESIZING':
      return 'RUNNING';
    case 'TERMINATING':
      return 'STOPPING';
    case 'TERMINATED':
      return 'STOPPED';
    default:
      return state satisfies never;
  }
}

/** One that could not be started says why. */
function toHealth(
  { termination, message }: ShownWarehouseRow,
  state: WarehouseState,
): WarehouseDocument['health'] {
  const isDown = state === 'STOPPED' || state === 'STOPPING';
  if (isDown && termination !== null && termination.type !== 'SUCCESS')
    return { status: 'FAILED', message, summary: message, failure_reason: termination };
  return { status: 'HEALTHY', ...(message === '' ? {} : { message }) };
}
