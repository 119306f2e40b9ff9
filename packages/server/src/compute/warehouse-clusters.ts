/**
 * The clusters of SQL warehouses: as all-purpose ones in all but who may change them. When one has been idle for long is
 * for its warehouse to say, since the process that waits for statements would keep it busy for ever.
 */
import type { NewCluster } from '@headrace/api';
import type { Principal } from '../context.ts';
import type { Querier } from '../db/connect.ts';
import { beginAgain } from './change-cluster.ts';
import { insertClusterEvents } from './event-store.ts';
import { changeCluster, insertAllPurpose, type LifeRow, lockCluster } from './life-store.ts';

export interface WarehouseCluster {
  readonly clusterId: string;
  readonly warehouseId: string;
  readonly clusterName: string;
  readonly spec: NewCluster;
}

/** Never by itself. */
const noAutotermination = { autotermination_minutes: 0 };

/** It does not run yet. */
export async function insertWarehouseCluster(
  client: Querier,
  cluster: WarehouseCluster,
  { owner, nowMs }: { readonly owner: Pick<Principal, 'id' | 'userName'>; readonly nowMs: number },
): Promise<void> {
  const spec = { ...cluster.spec, ...noAutotermination };
  const made = { ownerId: owner.id, createdBy: owner.userName, warnings: [], nowMs };
  const isNew = await insertAllPurpose(client, { ...cluster, ...made, spec });
  if (!isNew) return;
  const details = { user: owner.userName, attributes: spec };
  await insertClusterEvents(client, cluster.clusterId, [{ type: 'CREATING', details }], nowMs);
}

/** One that runs stays as it is. */
export async function startWarehouseCluster(
  client: Querier,
  clusterId: string,
  { user, nowMs }: { readonly user: string; readonly nowMs: number },
): Promise<void> {
  const row = await lockWarehouseCluster(client, clusterId);
  if (row.wanted === 'terminated') await beginAgain(client, row, { user }, nowMs);
}

/** @param username null: nobody has used it for long. */
export async function stopWarehouseCluster(
  client: Querier,
  clusterId: string,
  stop: {
    readonly username: string | null;
    readonly idleMinutes?: number;
    readonly isDeleted?: boolean;
    readonly nowMs: number;
  },
): Promise<void> {
  const { username, idleMinutes, isDeleted, nowMs } = stop;
  const row = await lockWarehouseCluster(client, clusterId);
  if (isDeleted) await changeCluster(client, clusterId, { deletedAtMs: nowMs });
  if (row.wanted === 'terminated') return;
  const termination =
    username === null
      ? { code: 'INACTIVITY', parameters: { inactivity_duration_min: String(idleMinutes ?? 0) } }
      : { code: 'USER_REQUEST', parameters: { username } };
  const reason = { ...termination, type: 'SUCCESS' } as const;
  await changeCluster(client, clusterId, {
    wanted: 'terminated',
    state: 'TERMINATING',
    termination: reason,
    message: '',
  });
  await insertClusterEvents(client, clusterId, [{ type: 'TERMINATING', details: { reason } }], nowMs);
}

/** With another size one that runs is restarted; whether it is. */
export async function editWarehouseCluster(
  client: Querier,
  { clusterId, clusterName, spec: asked }: Omit<WarehouseCluster, 'warehouseId'>,
  { user, nowMs }: { readonly user: string; readonly nowMs: number },
): Promise<boolean> {
  const row = await lockWarehouseCluster(client, clusterId);
  const spec = { ...asked, ...noAutotermination };
  // Documents of ours: the same settings in the same order are the same.
  const isSame = JSON.stringify(sorted(spec)) === JSON.stringify(sorted(row.spec));
  if (isSame && row.clusterName === clusterName) return false;
  const restarts = !isSame && row.wanted === 'running';
  const restarted = {
    generation: row.generation + 1,
    state: 'RESTARTING',
    restartedAtMs: nowMs,
    message: 'it restarts',
  } as const;
  await changeCluster(client, clusterId, { spec, clusterName, ...(restarts && restarted) });
  const details = { user, attributes: spec, previous_attributes: row.spec };
  await insertClusterEvents(client, clusterId, [{ type: 'EDITED', details }], nowMs);
  return restarts;
}

async function lockWarehouseCluster(client: Querier, clusterId: string): Promise<LifeRow> {
  const row = await lockCluster(client, clusterId);
  if (!row) throw new Error(`bug: the cluster ${clusterId} of a warehouse is missing`);
  return row;
}

function sorted(spec: object): unknown {
  return Object.entries(spec).sort(([a], [b]) => (a < b ? -1 : 1));
}
