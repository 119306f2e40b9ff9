/** From a settings document to what decides a run's course. Wire seconds become milliseconds here. */
import {
  ApiError,
  findTaskKinds,
  type JobSettings,
  runnableTaskKinds,
  type Task,
  taskKindFields,
} from '@headrace/api';
import { findGraphProblems, type RunDefinition, type TaskDefinition } from '@headrace/core';
import type { Document } from './run-facts.ts';

export function toRunDefinition(settings: Document): RunDefinition {
  const tasks = tasksOf(settings);
  const problems = findGraphProblems(
    tasks.map((task) => ({ key: task.task_key, dependsOn: parentsOf(task) })),
  ).map(({ message }) => `tasks: ${message}`);
  if (tasks.length === 0) problems.push('tasks: there is nothing to run');
  if (problems.length > 0) throw new ApiError('INVALID_PARAMETER_VALUE', problems.join('; '));
  refuseUnsupported(tasks);
  return { tasks: tasks.map(toTaskDefinition), timeoutMs: secondsToMs(settings.timeout_seconds) };
}

/** Documents pass the schema before they are saved, so what is stored has its shape. */
export function tasksOf(settings: Document): readonly Task[] {
  return (settings as JobSettings).tasks ?? [];
}

/**
 * Clients also send a single task's fields at the top, without `tasks`. They look their task up by the run's name
 * (Airflow's notebook operator), so that is its key.
 */
export function withTasks(settings: Document, singleTaskKey: string): Document {
  if (settings.tasks !== undefined) return settings;
  const taskFields = [
    ...Object.keys(taskKindFields),
    'existing_cluster_id',
    'new_cluster',
    'libraries',
    'max_retries',
    'min_retry_interval_millis',
    'max_retry_interval_millis',
    'retry_on_timeout',
  ];
  const entries = Object.entries(settings);
  const task = Object.fromEntries(entries.filter(([name]) => taskFields.includes(name)));
  if (findTaskKinds(task).length === 0) return settings;
  return {
    ...Object.fromEntries(entries.filter(([name]) => !taskFields.includes(name))),
    tasks: [{ task_key: singleTaskKey, ...task }],
  };
}

/** Said at the start of the run, where whoever asked for it reads it, and not by a task that fails hours later. */
function refuseUnsupported(tasks: readonly Task[]): void {
  const problems = tasks.flatMap((task) => {
    const kinds = findTaskKinds(task).filter((kind) => !isRunnable(kind));
    const notYet = kinds.map(
      (kind) => `task '${task.task_key}' is a ${kind}, which is stored but not supported yet`,
    );
    if (isFromGit(task)) notYet.push(`task '${task.task_key}' is read from Git, which is not supported yet`);
    return notYet;
  });
  if (problems.length === 0) return;
  const supported = `; supported are ${runnableTaskKinds.join(', ')}`;
  throw new ApiError('INVALID_PARAMETER_VALUE', `tasks: ${problems.join('; ')}${supported}`);
}

function isRunnable(kind: string): boolean {
  return runnableTaskKinds.some((runnable) => runnable === kind);
}

function isFromGit(task: Task): boolean {
  return task.notebook_task?.source === 'GIT' || task.spark_python_task?.source === 'GIT';
}

function toTaskDefinition(task: Task): TaskDefinition {
  return {
    key: task.task_key,
    dependsOn: parentsOf(task),
    runIf: task.run_if ?? 'ALL_SUCCESS',
    disabled: task.disabled ?? false,
    retry: {
      retriesMax: task.max_retries ?? 0,
      intervalMinMs: task.min_retry_interval_millis ?? 0,
      intervalMaxMs: task.max_retry_interval_millis ?? null,
      onTimeout: task.retry_on_timeout ?? false,
    },
    timeoutMs: secondsToMs(task.timeout_seconds),
  };
}

function parentsOf(task: Task): string[] {
  return [...new Set((task.depends_on ?? []).map((dependency) => dependency.task_key))];
}

/** 0 means without a limit. */
function secondsToMs(seconds: unknown): number | null {
  return typeof seconds === 'number' && seconds > 0 ? seconds * 1000 : null;
}
