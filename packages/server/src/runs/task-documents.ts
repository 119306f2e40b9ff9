/** The tasks of a settings document by their keys, those that a for-each repeats among them. */
import type { JobSettings, NestedTask, Task } from '@headrace/api';
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
