/** Checked when a job is saved. */
import { ApiError } from '@headrace/api';
import type { Config } from '../config.ts';
import { defaultClusterId, type JobPlaces, type TaskPlace } from './resolve-cluster.ts';

export function checkClusters(
  settings: JobPlaces & { readonly tasks?: readonly TaskPlace[] | undefined },
  { unknownIds }: Pick<Config, 'unknownIds'>,
): void {
  const keys = new Set(settings.job_clusters?.map((cluster) => cluster.job_cluster_key));
  settings.tasks?.forEach((task, index) => {
    const { job_cluster_key: key, existing_cluster_id: id } = task;
    if (key !== undefined && !keys.has(key)) {
      throw new ApiError(
        'INVALID_PARAMETER_VALUE',
        `tasks[${index}].job_cluster_key: the job has no cluster "${key}"`,
      );
    }
    if (unknownIds === 'refuse' && id !== undefined && id !== defaultClusterId) {
      throw new ApiError(
        'INVALID_PARAMETER_VALUE',
        `tasks[${index}].existing_cluster_id: Cluster ${id} does not exist`,
      );
    }
  });
}
