/** Checked when a job is saved: cluster ids that this server does not know mean the shared cluster, or are refused. */
import { ApiError } from '@headrace/api';
import type { Config } from '../config.ts';
import { defaultClusterId, type TaskPlace } from './resolve-cluster.ts';

export function checkClusterIds(
  tasks: readonly TaskPlace[],
  { unknownIds }: Pick<Config, 'unknownIds'>,
): void {
  if (unknownIds === 'default') return;
  tasks.forEach(({ existing_cluster_id: id }, index) => {
    if (id === undefined || id === defaultClusterId) return;
    throw new ApiError(
      'INVALID_PARAMETER_VALUE',
      `tasks[${index}].existing_cluster_id: Cluster ${id} does not exist`,
    );
  });
}
