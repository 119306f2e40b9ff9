/** Runs and task runs as the wire shows them. The page that a person opens is named here too. */
import type { JobSettings, RunDocument, RunTaskDocument, Task } from '@headrace/api';
import type { JsonValue, StopReason } from '@headrace/core';
import { tasksOf } from './run-definition.ts';
import type { Document, RunParameters } from './run-facts.ts';
import { type RunRow, toPhase, toTaskRun } from './run-rows.ts';
import type { RunView, TaskRunView } from './store.ts';
import { toRunWireState, toTaskWireState } from './wire-states.ts';

export interface WireOptions {
  /** Scheme, host and port under which people reach this server. */
  readonly publicUrl: string;
  readonly includeResolvedValues?: boolean;
}

export function toRunDocument(
  run: RunView,
  taskRuns: readonly TaskRunView[] | null,
  options: WireOptions,
): RunDocument {
  const settings = run.settings as JobSettings;
  return {
    ...(run.job_id === null ? {} : { job_id: run.job_id }),
    run_id: run.run_id,
    job_run_id: run.run_id,
    number_in_job: run.number_in_job,
    original_attempt_run_id: run.run_id,
    run_name: run.run_name,
    run_type: run.run_type,
    trigger: run.trigger,
    creator_user_name: run.creator_user_name,
    attempt_number: 0,
    ...runTimes(run),
    run_page_url: runPageUrl(options.publicUrl, run.run_id),
    ...toRunWireState(toPhase(run), run.cause),
    ...parametersOf(run.parameters),
    ...(taskRuns === null
      ? {}
      : {
          tasks: toRunTaskDocuments(run, taskRuns, options),
          ...(settings.job_clusters ? { job_clusters: settings.job_clusters } : {}),
        }),
  };
}

export function toRunTaskDocuments(
  run: RunView,
  taskRuns: readonly TaskRunView[],
  options: WireOptions,
): RunTaskDocument[] {
  const tasks = new Map(tasksOf(run.settings).map((task) => [task.task_key, task]));
  return taskRuns.map((taskRun) => toRunTaskDocument(run, taskRun, tasks.get(taskRun.task_key), options));
}

function toRunTaskDocument(
  run: RunView,
  taskRun: TaskRunView,
  task: Task | undefined,
  options: WireOptions,
): RunTaskDocument {
  const { state, status } = toTaskWireState(toTaskRun(taskRun).state, run.stop_reason ?? endedBy(run));
  return {
    ...task,
    task_key: taskRun.task_key,
    run_id: taskRun.attempt_id,
    attempt_number: taskRun.attempt,
    ...taskTimes(taskRun),
    run_page_url: `${runPageUrl(options.publicUrl, run.run_id)}?task=${encodeURIComponent(taskRun.task_key)}`,
    state,
    status,
    ...(taskRun.cluster_id === null ? {} : { cluster_instance: { cluster_id: taskRun.cluster_id } }),
    ...(options.includeResolvedValues && isDocument(taskRun.resolved)
      ? { resolved_values: taskRun.resolved }
      : {}),
  };
}

/** One task run by its own id, in the form of a run. */
export function toTaskRunDocument(run: RunView, taskRun: TaskRunView, options: WireOptions): RunDocument {
  const [task] = toRunTaskDocuments(run, [taskRun], options);
  const { tasks: _tasks, job_clusters: _clusters, ...document } = toRunDocument(run, null, options);
  return { ...document, ...task, job_run_id: run.run_id, run_name: taskRun.task_key };
}

export function runPageUrl(publicUrl: string, runId: number): string {
  return `${publicUrl}/runs/${runId}`;
}

function runTimes(run: RunRow) {
  const ended = run.ended_at_ms ?? 0;
  const began = run.started_at_ms ?? run.ended_at_ms;
  return {
    start_time: run.created_at_ms,
    end_time: ended,
    setup_duration: 0,
    cleanup_duration: 0,
    execution_duration: ended === 0 || run.started_at_ms === null ? 0 : ended - run.started_at_ms,
    queue_duration: began === null ? 0 : began - run.created_at_ms,
    run_duration: ended === 0 ? 0 : ended - run.created_at_ms,
  };
}

/** A task that ended without having run began and ended at once. */
function taskTimes(taskRun: TaskRunView) {
  const ended = taskRun.ended_at_ms ?? 0;
  const claimed = taskRun.claimed_at_ms;
  const start = claimed ?? (taskRun.state === 'queued' ? taskRun.queued_at_ms : null) ?? ended;
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

function parametersOf(
  parameters: RunParameters,
): Pick<RunDocument, 'job_parameters' | 'overriding_parameters'> {
  const { job, overriding } = parameters;
  return {
    ...(job.length === 0 ? {} : { job_parameters: job.map((parameter) => ({ ...parameter })) }),
    ...(Object.keys(overriding).length === 0 ? {} : { overriding_parameters: overriding as Document }),
  };
}

/** An ended run keeps its result; the reason it was stopped for follows from it. */
function endedBy(run: RunRow): StopReason | null {
  switch (run.result) {
    case 'cancelled':
      return 'cancelled_by_user';
    case 'cancelled_by_system':
      return 'cancelled_by_system';
    case 'timed_out':
      return 'run_timed_out';
    default:
      return null;
  }
}

function isDocument(value: JsonValue): value is Document {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
