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

/** Other tasks stay where they are. A Failure says why there is no such warehouse. */
export async function placeOnWarehouse(
  services: Pick<Services, 'db' | 'config'>,
  task: TaskPlace & Pick<Partial<WrittenTask>, 'sql_task' | 'dbt_task'>,
): Promise<PlacedTask | Failure> {
  const named = findWarehouseId(task);
  if (named === undefined) return { task, warnings: [] };
  const resolved = await resolveWarehouse(services, named);
  if ('code' in resolved) return resolved;
  const { clusterId: existing_cluster_id, warnings } = resolved;
  return { task: { task_key: task.task_key, existing_cluster_id }, warnings };
}

/** Null for the default warehouse; undefined for a task that runs elsewhere. */
function findWarehouseId(
  task: TaskPlace & Pick<Partial<WrittenTask>, 'sql_task' | 'dbt_task'>,
): string | null | undefined {
  if (task.sql_task) return task.sql_task.warehouse_id ?? null;
  // The compute of a dbt task is where dbt itself runs; without any it runs beside its statements.
  const hasCompute = task.existing_cluster_id ?? task.job_cluster_key ?? task.new_cluster;
  return task.dbt_task && hasCompute === undefined ? (task.dbt_task.warehouse_id ?? null) : undefined;
}
