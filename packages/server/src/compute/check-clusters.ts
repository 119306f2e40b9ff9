/** Checked when a job is saved: cluster ids that this server does not know mean the shared cluster, or are refused. */
import { ApiError, type NewCluster } from '@headrace/api';
import type { Config } from '../config.ts';
import type { Querier } from '../db/connect.ts';
import { findPool } from '../instance-pools/read-pools.ts';
import { withTasks } from '../runs/run-definition.ts';
import type { Document } from '../runs/run-facts.ts';
import { findLife } from './life-store.ts';
import { defaultClusterId } from './resolve-cluster.ts';

/** Of one that is described for a job, or made: an unknown pool means none, or is refused. */
export async function checkPoolId(
  db: Querier,
  { instance_pool_id: poolId }: NewCluster,
  { unknownIds, field = '' }: Pick<Config, 'unknownIds'> & { readonly field?: string },
): Promise<void> {
  if (poolId === undefined || unknownIds === 'default' || (await findPool(db, poolId))) return;
  throw new ApiError(
    'INVALID_PARAMETER_VALUE',
    `${field}instance_pool_id: Instance pool ${poolId} does not exist`,
  );
}

/** Of settings that are valid otherwise. */
export async function checkClusterIds(
  db: Querier,
  settings: Document,
  { unknownIds }: Pick<Config, 'unknownIds'>,
): Promise<void> {
  for (const { path, id } of findClusterIds(settings)) {
    if (id === defaultClusterId) continue;
    const row = await findLife(db, id);
    const isThere = row !== null && row.deletedAtMs === null;
    // One that was deleted is no unknown one: somebody wanted it gone.
    if (isThere || (row === null && unknownIds === 'default')) continue;
    throw new ApiError('INVALID_PARAMETER_VALUE', `${path}: Cluster ${id} does not exist`);
  }
}

interface PlacedTask {
  readonly existing_cluster_id?: string;
  readonly for_each_task?: { readonly task?: PlacedTask };
}

/** Each once, where it stands first. */
function findClusterIds(settings: Document): { readonly path: string; readonly id: string }[] {
  // They have passed the schema.
  const { tasks = [] } = withTasks(settings, 'task') as { readonly tasks?: readonly PlacedTask[] };
  const found = new Map<string, string>();
  for (const [index, task] of tasks.entries()) {
    const path = `tasks[${index}]`;
    const nested = task.for_each_task?.task?.existing_cluster_id;
    if (task.existing_cluster_id && !found.has(task.existing_cluster_id))
      found.set(task.existing_cluster_id, `${path}.existing_cluster_id`);
    if (nested && !found.has(nested)) found.set(nested, `${path}.for_each_task.task.existing_cluster_id`);
  }
  return [...found].map(([id, path]) => ({ id, path }));
}
