/** Checked when a job is saved: ids of warehouses that this server does not know mean the default one, or are refused. */
import { ApiError } from '@headrace/api';
import { hasReference } from '@headrace/core';
import type { Config } from '../config.ts';
import type { Querier } from '../db/connect.ts';
import { withTasks } from '../runs/run-definition.ts';
import type { Document } from '../runs/run-facts.ts';
import { findWarehouse } from './store.ts';

interface NamingTask {
  readonly sql_task?: { readonly warehouse_id?: string };
  readonly dbt_task?: { readonly warehouse_id?: string };
  readonly for_each_task?: { readonly task?: NamingTask };
}

/** Of settings that are valid otherwise. References are known when the task begins. */
export async function checkWarehouseIds(
  db: Querier,
  settings: Document,
  { unknownIds }: Pick<Config, 'unknownIds'>,
): Promise<void> {
  for (const [id, path] of findWarehouseIds(settings)) {
    if (hasReference(id)) continue;
    const row = await findWarehouse(db, id);
    const isThere = row !== null && row.deletedAtMs === null;
    // One that was deleted is no unknown one: somebody wanted it gone.
    if (isThere || (row === null && unknownIds === 'default')) continue;
    const what = row === null ? 'does not exist' : 'has been deleted';
    throw new ApiError('INVALID_PARAMETER_VALUE', `${path}: SQL warehouse ${id} ${what}`);
  }
}

/** Each once, with the place where it stands first. */
function findWarehouseIds(settings: Document): ReadonlyMap<string, string> {
  // They have passed the schema.
  const { tasks = [] } = withTasks(settings, 'task') as { readonly tasks?: readonly NamingTask[] };
  const found = new Map<string, string>();
  for (const [index, task] of tasks.entries()) {
    addOf(task, `tasks[${index}]`, found);
    if (task.for_each_task?.task) addOf(task.for_each_task.task, `tasks[${index}].for_each_task.task`, found);
  }
  return found;
}

function addOf({ sql_task: sql, dbt_task: dbt }: NamingTask, path: string, found: Map<string, string>): void {
  for (const [kind, id] of [
    ['sql_task', sql?.warehouse_id],
    ['dbt_task', dbt?.warehouse_id],
  ] as const)
    if (id && !found.has(id)) found.set(id, `${path}.${kind}.warehouse_id`);
}
