/** The tasks with which a run of a job begins, of those kinds that use the driver of their cluster. */
import type { Task } from '@headrace/api';
import type { TaskPlace } from '../compute/resolve-cluster.ts';

/** Others have a JVM of their own, a warehouse, or no process at all. */
const driverKinds = ['notebook_task', 'spark_python_task', 'python_wheel_task'] as const;

/** One for each cluster. A condition takes no time: what comes after it comes first, too. */
export function findFirstTasks(tasks: readonly Task[]): TaskPlace[] {
  const byKey = new Map(tasks.map((task) => [task.task_key, task]));
  const found = new Map<string, TaskPlace>();
  for (const task of tasks) {
    if (!isFirst(task, byKey, new Set()) || task.disabled) continue;
    const worked = task.for_each_task?.task ?? task;
    if (driverKinds.every((kind) => worked[kind] === undefined)) continue;
    const place = clusterKeyOf(worked);
    if (!found.has(place)) found.set(place, worked);
  }
  return [...found.values()];
}

function isFirst(task: Task, byKey: ReadonlyMap<string, Task>, seen: Set<string>): boolean {
  // A circle is refused when its job runs.
  if (seen.has(task.task_key)) return false;
  seen.add(task.task_key);
  return (task.depends_on ?? []).every(({ task_key: key }) => {
    const parent = byKey.get(key);
    const isInstant = parent?.condition_task !== undefined && driverKinds.every((kind) => !parent[kind]);
    return isInstant && isFirst(parent, byKey, new Set(seen));
  });
}

function clusterKeyOf({ task_key, new_cluster, job_cluster_key, existing_cluster_id }: TaskPlace): string {
  if (new_cluster) return `task ${task_key}`;
  return job_cluster_key === undefined ? `cluster ${existing_cluster_id ?? ''}` : `key ${job_cluster_key}`;
}
