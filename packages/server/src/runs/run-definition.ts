/** From a settings document to what decides a run's course. Wire seconds become milliseconds here. */
import {
  ApiError,
  findTaskKinds,
  type JobSettings,
  runnableTaskKinds,
  runTaskKeyCharsMax,
  type Task,
  taskKindFields,
} from '@headrace/api';
import {
  type Dependency,
  findGraphProblems,
  type RunDefinition,
  type TaskDefinition,
  type TaskWork,
  type WorkerLabels,
} from '@headrace/core';
import { selectTasks } from '../jobs/select-tasks.ts';
import type { Document } from './run-facts.ts';
import { askedLabelsByKey, type WrittenTask } from './task-documents.ts';

/** @param only the tasks to run, see `selectTasks`; without it, all. */
export function toRunDefinition(settings: Document, only: readonly string[] = []): RunDefinition {
  const selected = selectTasks(tasksOf(settings), only);
  if ('problem' in selected) throw new ApiError('INVALID_PARAMETER_VALUE', `only: ${selected.problem}`);
  const { tasks } = selected;
  const problems = findGraphProblems(
    tasks.map((task) => ({ key: task.task_key, dependsOn: dependenciesOf(task).map(({ key }) => key) })),
  ).map(({ message }) => `tasks: ${message}`);
  if (tasks.length === 0) problems.push('tasks: there is nothing to run');
  if (problems.length > 0) throw new ApiError('INVALID_PARAMETER_VALUE', problems.join('; '));
  refuseUnsupported(tasks);
  const asked = askedLabelsByKey(settings);
  return {
    tasks: tasks.map((task) => toTaskDefinition(task, asked)),
    timeoutMs: secondsToMs(settings.timeout_seconds),
  };
}

/** Documents pass the schema before they are saved, so what is stored has its shape. */
export function tasksOf(settings: Document): readonly Task[] {
  return (settings as JobSettings).tasks ?? [];
}

/**
 * Clients also send a single task's fields at the top, without `tasks`. They look their task up by the run's name
 * (Airflow's notebook operator), so that is its key, whatever characters it has.
 */
export function withTasks(settings: Document, name: string): Document {
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
    // '#' parts a key from an iteration.
    tasks: [{ task_key: name.slice(0, runTaskKeyCharsMax).replaceAll('#', '_'), ...task }],
  };
}

/** Said at the start of the run, where whoever asked for it reads it, and not by a task that fails hours later. */
function refuseUnsupported(tasks: readonly Task[]): void {
  const all: WrittenTask[] = tasks.flatMap((task) =>
    task.for_each_task ? [task, task.for_each_task.task] : [task],
  );
  const problems = all.flatMap((task) => {
    const kinds: string[] = findTaskKinds(task).filter((kind) => !isRunnable(kind));
    const sql = task.sql_task;
    if (sql && !sql.file && !sql.query && !sql.alert) kinds.push('sql_task with a dashboard');
    return kinds.map((kind) => `task '${task.task_key}' is a ${kind}, which is stored but not supported yet`);
  });
  if (problems.length === 0) return;
  const supported = `; supported are ${runnableTaskKinds.join(', ')}`;
  throw new ApiError('INVALID_PARAMETER_VALUE', `tasks: ${problems.join('; ')}${supported}`);
}

function isRunnable(kind: string): boolean {
  return runnableTaskKinds.some((runnable) => runnable === kind);
}

/** @param asked labels by task key. */
function toTaskDefinition(task: WrittenTask, asked: ReadonlyMap<string, WorkerLabels>): TaskDefinition {
  const work = toWork(task, asked);
  const workerLabels = asked.get(task.task_key);
  const isRetried = work.kind === 'attempt' || work.kind === 'run_job';
  const forEach = 'for_each_task' in task ? task.for_each_task : undefined;
  return {
    key: task.task_key,
    dependsOn: dependenciesOf(task),
    runIf: task.run_if ?? 'ALL_SUCCESS',
    // A for-each whose task is disabled has nothing to do.
    disabled: (task.disabled ?? false) || (forEach?.task.disabled ?? false),
    work,
    guarded: task.condition_task !== undefined && work.kind !== 'condition',
    retry: {
      // A condition would come out the same again; of a for-each the iterations are retried.
      retriesMax: isRetried ? (task.max_retries ?? 0) : 0,
      intervalMinMs: task.min_retry_interval_millis ?? 0,
      intervalMaxMs: task.max_retry_interval_millis ?? null,
      onTimeout: task.retry_on_timeout ?? false,
    },
    timeoutMs: secondsToMs(task.timeout_seconds),
    ...(workerLabels ? { workerLabels } : {}),
  };
}

/** As hosted: one iteration after the other unless told. */
const concurrencyDefault = 1;

function toWork(task: WrittenTask, asked: ReadonlyMap<string, WorkerLabels>): TaskWork {
  const forEach = 'for_each_task' in task ? task.for_each_task : undefined;
  if (forEach) {
    const nested = toTaskDefinition(
      { ...forEach.task, depends_on: undefined, run_if: undefined, disabled: false },
      asked,
    );
    return { kind: 'for_each', concurrency: forEach.concurrency ?? concurrencyDefault, task: nested };
  }
  if (task.run_job_task) return { kind: 'run_job' };
  const isCondition = findTaskKinds(task).every((kind) => kind === 'condition_task');
  return isCondition ? { kind: 'condition' } : { kind: 'attempt' };
}

/** `"SUCCESS"` on an ordinary parent says no more than ALL_SUCCESS does. */
function dependenciesOf(task: WrittenTask): Dependency[] {
  const edges = new Map<string, Dependency>();
  for (const { task_key: key, outcome } of task.depends_on ?? []) {
    const branch = outcome === 'true' ? true : outcome === 'false' ? false : null;
    edges.set(`${key} ${branch}`, { key, outcome: branch });
  }
  return [...edges.values()];
}

/** 0 means without a limit. */
function secondsToMs(seconds: unknown): number | null {
  return typeof seconds === 'number' && seconds > 0 ? seconds * 1000 : null;
}
