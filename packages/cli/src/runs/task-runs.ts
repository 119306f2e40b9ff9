/** Which of a run's task runs are told to people: the latest of each task, iterations apart. */
import type { RunTaskDocument } from '@headrace/api';

/** Ids grow; attempt numbers may tie, since a repair counts anew. */
export function latestAttempts(tasks: readonly RunTaskDocument[]): readonly RunTaskDocument[] {
  return latestBy(withoutIterations(tasks), (task) => task.task_key);
}

/** The latest attempt of each iteration, in the order of the inputs. */
export function latestIterations(iterations: readonly RunTaskDocument[]): readonly RunTaskDocument[] {
  return [...latestBy(iterations, iterationOf)].sort((a, b) => (iterationOf(a) ?? 0) - (iterationOf(b) ?? 0));
}

export function iterationOf(task: RunTaskDocument): number | undefined {
  return task.headrace?.iteration;
}

/** A for-each may have 5,000 iterations: where tasks are listed, they would hide all else. */
export function withoutIterations(tasks: readonly RunTaskDocument[]): readonly RunTaskDocument[] {
  return tasks.filter((task) => iterationOf(task) === undefined);
}

function latestBy(
  tasks: readonly RunTaskDocument[],
  keyOf: (task: RunTaskDocument) => unknown,
): readonly RunTaskDocument[] {
  const latest = new Map<unknown, RunTaskDocument>();
  for (const task of tasks) {
    const key = keyOf(task);
    const known = latest.get(key);
    if (known === undefined || known.run_id <= task.run_id) latest.set(key, task);
  }
  return [...latest.values()];
}
