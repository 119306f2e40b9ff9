/** One task of a run, or one iteration of a for-each, by what people call it. */
import type { Client, RunDocument, RunTaskDocument } from '@headrace/api';
import { CommandError, exitCodes } from '../command-error.ts';
import { getWholeRun } from './get-whole.ts';
import { iterationOf, latestAttempts, latestIterations } from './task-runs.ts';

/** Its latest attempt. */
export function findTask(run: RunDocument, key: string): RunTaskDocument {
  const tasks = latestAttempts(run.tasks ?? []);
  const task = tasks.find(({ task_key }) => task_key === key);
  if (task) return task;
  throw new CommandError(`run ${run.run_id} has no task ${key}`, {
    exitCode: exitCodes.notFound,
    cure: `its tasks are ${tasks.map(({ task_key }) => task_key).join(', ')}`,
  });
}

/** Every attempt of every iteration. */
export async function readIterations(
  client: Client,
  forEach: RunTaskDocument,
): Promise<readonly RunTaskDocument[]> {
  if (forEach.for_each_task === undefined) {
    throw new CommandError(`task ${forEach.task_key} is no for-each: it has no iterations`, {
      exitCode: exitCodes.usage,
    });
  }
  return (await getWholeRun(client, forEach.run_id, { hasHistory: true })).iterations ?? [];
}

/** Its latest attempt. */
export async function findIteration(
  client: Client,
  forEach: RunTaskDocument,
  iteration: number,
): Promise<RunTaskDocument> {
  const iterations = latestIterations(await readIterations(client, forEach));
  const found = iterations.find((each) => iterationOf(each) === iteration);
  if (found) return found;
  throw new CommandError(`task ${forEach.task_key} has not begun an iteration ${iteration}`, {
    exitCode: exitCodes.notFound,
    cure: `it has begun ${iterations.length}; they count from 0`,
  });
}
