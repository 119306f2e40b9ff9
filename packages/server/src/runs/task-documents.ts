/** The tasks of a settings document by their keys, those that a for-each repeats among them. */
import {
  findTaskKinds,
  type JobSettings,
  type NestedTask,
  type Task,
  type WorkerLabels,
} from '@headrace/api';
import { assert } from '../assert.ts';
import type { Document } from './run-facts.ts';

/** As it was written: a task of the job, or what a for-each repeats. */
export type WrittenTask = Task | NestedTask;

/** Settings are frozen with their run, so this is kept by identity. */
const known = new WeakMap<object, ReadonlyMap<string, WrittenTask>>();

export function findTask(settings: JobSettings | Document, taskKey: string): WrittenTask {
  const found = tasksByKey(settings).get(taskKey);
  assert(found, `task '${taskKey}' is not in the settings of its run`);
  return found;
}

export function tasksByKey(settings: JobSettings | Document): ReadonlyMap<string, WrittenTask> {
  const seen = known.get(settings);
  if (seen) return seen;
  const tasks = new Map<string, WrittenTask>();
  for (const task of (settings as JobSettings).tasks ?? []) {
    tasks.set(task.task_key, task);
    const nested = task.for_each_task?.task;
    if (nested) tasks.set(nested.task_key, nested);
  }
  known.set(settings, tasks);
  return tasks;
}

const knownLabels = new WeakMap<object, ReadonlyMap<string, WorkerLabels>>();
/** Work of the server itself, or of another job's run. */
const kindsWithoutWorker: readonly string[] = ['condition_task', 'for_each_task', 'run_job_task'];

/**
 * What tasks ask of the worker that takes them, where they ask for something and a worker takes them. Of a name that is
 * given several times the value of the innermost counts: the job, the for-each, its task.
 */
export function askedLabelsByKey(settings: JobSettings | Document): ReadonlyMap<string, WorkerLabels> {
  const seen = knownLabels.get(settings);
  if (seen) return seen;
  const asked = new Map<string, WorkerLabels>();
  const add = (task: WrittenTask, around: WorkerLabels): WorkerLabels => {
    const labels = { ...around, ...task.headrace?.worker_labels };
    const hasWorker = findTaskKinds(task).some((kind) => !kindsWithoutWorker.includes(kind));
    if (hasWorker && Object.keys(labels).length > 0) asked.set(task.task_key, labels);
    return labels;
  };
  const { tasks = [], headrace } = settings as JobSettings;
  for (const task of tasks) {
    const labels = add(task, headrace?.worker_labels ?? {});
    if (task.for_each_task) add(task.for_each_task.task, labels);
  }
  knownLabels.set(settings, asked);
  return asked;
}
