/** Task runs as the wire shows them: of tasks and of iterations. Each attempt is a task run of its own. */
import type { JobSettings, RunTaskDocument, Task } from '@headrace/api';
import type { JsonValue, RunResult, StopReason, TaskRunState } from '@headrace/core';
import { type FindUsedCommit, noUsedCommits, withUsedCommit } from '../git/used-commits.ts';
import { findGitPath } from './git-path.ts';
import { tasksOf } from './run-definition.ts';
import type { Document, RunParameters } from './run-facts.ts';
import { toTaskRun } from './run-rows.ts';
import type { RunView, TaskRunView } from './store.ts';
import { askedLabelsByKey, tasksByKey, type WrittenTask } from './task-documents.ts';
import type { GenerationView, IterationCounts } from './view-store.ts';
import { toTaskWireState } from './wire-states.ts';

export interface WireOptions {
  /** Scheme, host and port under which people reach this server. */
  readonly publicUrl: string;
  readonly includeResolvedValues?: boolean;
}

/** What a run's documents need beside its own row. */
export interface RunParts {
  /** All of a run that was repaired; of one that was not, none. */
  readonly generations: readonly GenerationView[];
  /** By the attempt of the for-each. */
  readonly counts: ReadonlyMap<number, IterationCounts>;
  /** By the run that a task started; only where resolved values are asked for. */
  readonly childParameters: ReadonlyMap<number, RunParameters>;
  readonly findUsedCommit: FindUsedCommit;
}

export const noParts: RunParts = {
  generations: [],
  counts: new Map(),
  childParameters: new Map(),
  findUsedCommit: noUsedCommits,
};

export function toRunTaskDocument(
  run: RunView,
  taskRun: TaskRunView,
  parts: RunParts,
  options: WireOptions,
): RunTaskDocument {
  const settings = settingsOf(run, parts, taskRun.generation);
  const written = findWrittenTask(settings, taskRun.task_key);
  const { state, status } = toTaskWireState(toTaskRunState(taskRun), stopReasonOf(run, parts, taskRun));
  return {
    ...(written as Task | undefined), // A nested task has the fields of a task.
    ...workFields(written, taskRun, parts),
    task_key: taskRun.task_key,
    run_id: taskRun.attempt_id,
    attempt_number: taskRun.earlier_attempts,
    ...taskTimes(taskRun),
    run_page_url: `${runPageUrl(options.publicUrl, run.run_id)}?${pageQuery(settings, taskRun)}`,
    state,
    status,
    ...gitSourceOf(run, parts, { settings, written }),
    ...(taskRun.cluster_id === null ? {} : { cluster_instance: { cluster_id: taskRun.cluster_id } }),
    ...(options.includeResolvedValues ? resolvedFields(taskRun, parts) : {}),
    ...extraFields(settings, written, taskRun),
  };
}

function gitSourceOf(
  { run_id: runId }: RunView,
  { findUsedCommit }: RunParts,
  { settings, written }: { readonly settings: Document; readonly written: WrittenTask | undefined },
): Pick<RunTaskDocument, 'git_source'> {
  const { git_source: source } = settings as JobSettings; // It passed the schema before it was frozen.
  if (!source || !written || findGitPath(written, { git_source: source }) === null) return {};
  return { git_source: withUsedCommit(source, findUsedCommit(runId, source)) };
}

export function runPageUrl(publicUrl: string, runId: number): string {
  return `${publicUrl}/runs/${runId}`;
}

/** What is ours: as written, but with all the labels that the task asks for, where an iteration stands, and who took it. */
function extraFields(
  settings: Document,
  written: WrittenTask | undefined,
  taskRun: TaskRunView,
): Pick<RunTaskDocument, 'headrace'> {
  const { task_key: key, parent_attempt_id: parentId, iteration, input } = taskRun;
  const labels = askedLabelsByKey(settings).get(key);
  const worker = workerOf(taskRun);
  if (!labels && !worker && parentId === null) return {};
  return {
    headrace: {
      ...written?.headrace,
      ...(labels ? { worker_labels: { ...labels } } : {}),
      ...(parentId === null ? {} : { iteration, input }),
      ...(worker ? { worker } : {}),
    },
  };
}

type AttemptWorker = NonNullable<NonNullable<RunTaskDocument['headrace']>['worker']>;

/** One that gave it back unstarted is still in the row of an attempt that waits again. */
function workerOf({ state, worker_id, worker }: TaskRunView): AttemptWorker | null {
  if (worker_id === null || state === 'queued') return null;
  return { worker_id, hostname: worker?.hostname ?? null, is_local: worker?.is_local ?? false };
}

/** An iteration is shown on the page of its for-each. */
function pageQuery(
  settings: Document,
  { task_key: taskKey, iteration, parent_attempt_id }: TaskRunView,
): string {
  if (parent_attempt_id === null) return `task=${encodeURIComponent(taskKey)}`;
  const outer = tasksOf(settings).find((task) => task.for_each_task?.task.task_key === taskKey);
  return `task=${encodeURIComponent(outer?.task_key ?? taskKey)}&iteration=${iteration}`;
}

/** Undefined where the settings know no such task: a repair may have run a job that has changed. */
export function findWrittenTask(settings: Document, taskKey: string): WrittenTask | undefined {
  return tasksByKey(settings).get(taskKey);
}

/** An attempt shows what it was made from. */
export function settingsOf(
  run: RunView,
  { generations }: Pick<RunParts, 'generations'>,
  index: number,
): Document {
  return generations.find(({ generation }) => generation === index)?.settings ?? run.settings;
}

/** The state does not depend on what a for-each goes through. */
export function toTaskRunState(taskRun: TaskRunView): TaskRunState {
  return toTaskRun({ ...taskRun, inputs: null, reused_iterations: null }).state;
}

/** Why a task run was stopped: for a reason of its own, or with its run. */
function stopReasonOf(run: RunView, { generations }: RunParts, taskRun: TaskRunView): StopReason | null {
  if (taskRun.stop_reason !== null) return taskRun.stop_reason;
  const phase = generations.find(({ generation }) => generation === taskRun.generation)?.phase ?? null;
  if (phase !== null) return phase.kind === 'ended' ? endedBy(phase.result) : null;
  return run.stop_reason ?? endedBy(run.result);
}

/** An ended run keeps its result; the reason it was stopped for follows from it. */
function endedBy(result: RunResult | null): StopReason | null {
  switch (result) {
    case 'cancelled':
      return 'cancelled_by_user';
    case 'cancelled_by_system':
    case 'skipped_no_place':
      return 'cancelled_by_system';
    case 'timed_out':
      return 'run_timed_out';
    default:
      return null;
  }
}

/** What became of conditions, for-each tasks and tasks whose work is another run. */
function workFields(
  written: WrittenTask | undefined,
  taskRun: TaskRunView,
  { counts }: RunParts,
): Pick<RunTaskDocument, 'condition_task' | 'for_each_task' | 'run_job_task'> {
  const { condition, child_run_id: childRunId } = taskRun;
  const forEach = written && 'for_each_task' in written ? (written as Task).for_each_task : undefined;
  return {
    ...(condition && written?.condition_task
      ? {
          condition_task: {
            ...written.condition_task,
            left: condition.left,
            right: condition.right,
            outcome: condition.outcome ? 'true' : 'false',
          },
        }
      : {}),
    ...(forEach && taskRun.inputs_count !== null
      ? { for_each_task: { ...forEach, stats: statsOf(taskRun, counts.get(taskRun.attempt_id)) } }
      : {}),
    ...(written?.run_job_task && childRunId !== null
      ? { run_job_task: { ...written.run_job_task, run_id: childRunId } }
      : {}),
  };
}

/** An iteration that is reused has been scheduled, has ended and has succeeded. */
function statsOf(
  { inputs_count: total, reused_count: reusedCount }: TaskRunView,
  counts: IterationCounts | undefined,
) {
  const reused = reusedCount ?? 0;
  const { begun, active, succeeded, failed, messages } = counts ?? nothingBegun;
  return {
    task_run_stats: {
      total_iterations: total ?? 0,
      scheduled_iterations: begun + reused,
      active_iterations: active,
      completed_iterations: begun - active + reused,
      succeeded_iterations: succeeded + reused,
      failed_iterations: failed,
    },
    error_message_stats: (messages ?? []).map(({ message, count }) => ({ error_message: message, count })),
  };
}

const nothingBegun = { begun: 0, active: 0, succeeded: 0, failed: 0, messages: null };

function resolvedFields(
  { resolved, condition, child_run_id: childRunId }: TaskRunView,
  { childParameters }: RunParts,
): Pick<RunTaskDocument, 'resolved_values'> {
  const child = childRunId === null ? undefined : childParameters.get(childRunId);
  const values = {
    ...(isDocument(resolved) ? resolved : {}),
    ...(condition ? { condition_task: { left: condition.left, right: condition.right } } : {}),
    ...(child ? { run_job_task: { job_parameters: valuesOf(child) } } : {}),
  };
  return Object.keys(values).length === 0 ? {} : { resolved_values: values };
}

function valuesOf({ job }: RunParameters): Record<string, string> {
  return Object.fromEntries(job.map((parameter) => [parameter.name, parameter.value ?? parameter.default]));
}

/** A task that ended without having run began and ended at once. */
function taskTimes(taskRun: TaskRunView) {
  const ended = taskRun.ended_at_ms ?? 0;
  const claimed = taskRun.claimed_at_ms;
  const waiting = taskRun.state === 'queued' || taskRun.state === 'ready' ? taskRun.queued_at_ms : null;
  const start = claimed ?? taskRun.started_at_ms ?? waiting ?? ended;
  return {
    start_time: start,
    end_time: ended,
    setup_duration:
      claimed !== null && taskRun.started_at_ms !== null ? Math.max(0, taskRun.started_at_ms - claimed) : 0,
    execution_duration:
      ended !== 0 && taskRun.started_at_ms !== null ? Math.max(0, ended - taskRun.started_at_ms) : 0,
    cleanup_duration: 0,
    queue_duration:
      claimed !== null && taskRun.queued_at_ms !== null ? Math.max(0, claimed - taskRun.queued_at_ms) : 0,
    run_duration: ended !== 0 && start !== 0 ? Math.max(0, ended - start) : 0,
  };
}

function isDocument(value: JsonValue): value is Document {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
