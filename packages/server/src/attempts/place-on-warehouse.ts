/** Where the attempts of SQL and dbt tasks run: on the cluster of the warehouse that the task names. */
import type { Failure } from '@headrace/core';
import type { TaskPlace } from '../compute/resolve-cluster.ts';
import type { WrittenTask } from '../runs/task-documents.ts';
import type { Services } from '../services.ts';
import { resolveWarehouse } from '../warehouses/resolve-warehouse.ts';

export interface PlacedTask {
  readonly task: TaskPlace;
  readonly warnings: readonly string[];
}

/**
 * Other tasks stay where they are. A Failure says why there is no such warehouse.
 * @param warehouseId as the task names it, its references resolved.
 */
export async function placeOnWarehouse(
  services: Pick<Services, 'db' | 'config'>,
  task: TaskPlace & Pick<Partial<WrittenTask>, 'sql_task' | 'dbt_task'>,
  warehouseId: string | null,
): Promise<PlacedTask | Failure> {
  if (!isOnWarehouse(task)) return { task, warnings: [] };
  const resolved = await resolveWarehouse(services, warehouseId);
  if ('code' in resolved) return resolved;
  const { clusterId: existing_cluster_id, warnings } = resolved;
  return { task: { task_key: task.task_key, existing_cluster_id }, warnings };
}

function isOnWarehouse(task: TaskPlace & Pick<Partial<WrittenTask>, 'sql_task' | 'dbt_task'>): boolean {
  if (task.sql_task) return true;
  // The compute of a dbt task is where dbt itself runs; without any it runs beside its statements.
  const hasCompute = task.existing_cluster_id ?? task.job_cluster_key ?? task.new_cluster;
  return task.dbt_task !== undefined && hasCompute === undefined;
}
