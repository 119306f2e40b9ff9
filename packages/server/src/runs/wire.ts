/** Runs as the wire shows them, and a task run by itself in the form of a run. */
import type { JobSettings, RunDocument } from '@headrace/api';
import { withUsedCommit } from '../git/used-commits.ts';
import type { Document, RunParameters } from './run-facts.ts';
import { toPhase } from './run-rows.ts';
import type { RunView, TaskRunView } from './store.ts';
import type { GenerationView } from './view-store.ts';
import { toRepairHistory } from './wire-history.ts';
import { hasGivenUp, toRunWireState } from './wire-states.ts';
import { noParts, type RunParts, runPageUrl, toRunTaskDocument, type WireOptions } from './wire-tasks.ts';

/** Arrays of a run's document that may be long. */
export const pagedFields = ['tasks', 'job_clusters', 'job_parameters', 'repair_history'];

export function toRunDocument(
  run: RunView,
  taskRuns: readonly TaskRunView[] | null,
  options: WireOptions,
  parts: RunParts = noParts,
): RunDocument {
  const settings = run.settings as JobSettings; // It passed the schema before it was frozen.
  return {
    ...(run.job_id === null ? {} : { job_id: run.job_id }),
    run_id: run.run_id,
    job_run_id: run.run_id,
    number_in_job: run.number_in_job,
    original_attempt_run_id: run.run_id,
    run_name: run.run_name,
    // Clients know no other types; it is a run that somebody's statement has submitted.
    run_type: run.run_type === 'SQL_ENDPOINT' ? 'SUBMIT_RUN' : run.run_type,
    trigger: run.trigger,
    ...(run.parent_attempt_id === null ? {} : { trigger_info: { run_id: run.parent_attempt_id } }),
    creator_user_name: run.creator_user_name,
    attempt_number: 0,
    ...runTimes(run, parts.generations),
    run_page_url: runPageUrl(options.publicUrl, run.run_id),
    ...toRunWireState(toPhase(run), run.cause, {
      hasGivenUp: hasGivenUp({ ...run, created_at_ms: run.generation_created_at_ms }),
    }),
    ...parametersOf(run.parameters),
    ...deploymentOf(settings),
    ...(settings.git_source
      ? {
          git_source: withUsedCommit(
            settings.git_source,
            parts.findUsedCommit(run.run_id, settings.git_source),
          ),
        }
      : {}),
    ...(taskRuns === null
      ? {}
      : {
          tasks: taskRuns.map((taskRun) => toRunTaskDocument(run, taskRun, parts, options)),
          ...(settings.job_clusters ? { job_clusters: settings.job_clusters } : {}),
        }),
  };
}

export function withHistory(
  document: RunDocument,
  run: RunView,
  generations: readonly GenerationView[],
  taskRuns: readonly TaskRunView[],
): RunDocument {
  return { ...document, repair_history: toRepairHistory(run, generations, taskRuns) };
}

/** One task run by its own id, in the form of a run. */
export function toTaskRunDocument(
  run: RunView,
  taskRun: TaskRunView,
  options: WireOptions,
  parts: RunParts = noParts,
): RunDocument {
  const { trigger_info: _trigger, ...document } = toRunDocument(run, null, options, parts);
  const task = toRunTaskDocument(run, taskRun, parts, options);
  return { ...document, ...task, job_run_id: run.run_id, run_name: taskRun.task_key };
}

/** Of a run that was repaired, the sum of what each execution took. */
function runTimes(run: RunView, generations: readonly GenerationView[]) {
  const ended = run.ended_at_ms ?? 0;
  const began = run.started_at_ms ?? run.ended_at_ms;
  const earlier = generations.flatMap(({ created_at_ms: createdAtMs, phase }) =>
    phase?.kind === 'ended'
      ? [
          {
            run: phase.endedAtMs - createdAtMs,
            execution: phase.startedAtMs === null ? 0 : phase.endedAtMs - phase.startedAtMs,
          },
        ]
      : [],
  );
  const sum = (name: 'run' | 'execution') => earlier.reduce((total, times) => total + times[name], 0);
  return {
    start_time: run.created_at_ms,
    end_time: ended,
    setup_duration: 0,
    cleanup_duration: 0,
    execution_duration:
      ended === 0 || run.started_at_ms === null ? 0 : sum('execution') + ended - run.started_at_ms,
    queue_duration: began === null ? 0 : Math.max(0, began - run.generation_created_at_ms),
    run_duration: ended === 0 ? 0 : sum('run') + ended - run.generation_created_at_ms,
  };
}

/** Of a job that a bundle has deployed, the version that it was when the run began. */
function deploymentOf({ deployment }: JobSettings): Pick<RunDocument, 'headrace'> {
  const { deployment_id, version, resource }: Readonly<Record<string, unknown>> = deployment ?? {};
  if (typeof deployment_id !== 'number' || typeof version !== 'number') return {};
  const named = typeof resource === 'string' ? { resource } : {};
  return { headrace: { deployment: { deployment_id, version, ...named } } };
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
