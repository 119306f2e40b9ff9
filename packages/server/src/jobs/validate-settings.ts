/** What is wrong with a settings document that someone wants to save. Kept whole: nothing is dropped or filled in. */
import { isDeepStrictEqual } from 'node:util';
import { ApiError, formatIssues, JobSettings } from '@headrace/api';
import { findReferenceProblems } from '@headrace/core';
import { checkClusterSpec } from '../compute/check-cluster-spec.ts';
import type { Config } from '../config.ts';
import { findUnstorable } from '../db/storable-json.ts';
import { withTasks } from '../runs/run-definition.ts';
import type { Document } from '../runs/run-facts.ts';
import { findEnvironmentProblems } from './validate-environments.ts';
import { findGitProblems } from './validate-git.ts';
import { findLabelProblems } from './validate-labels.ts';
import { findScheduleProblems } from './validate-schedule.ts';
import { findSqlTaskProblems } from './validate-sql-tasks.ts';
import { findTaskProblems, referenceProblemsOf } from './validate-tasks.ts';

/** The job whose settings they become. */
export interface SavedJob {
  readonly jobId: number;
  /** What it has until now. */
  readonly settings: Document;
}

/** Throws with every problem that was found, each naming its keys. */
export function validateSettings(
  document: Document,
  config: Pick<Config, 'unknownIds' | 'gitProtocols'>,
  job: SavedJob | null = null,
): void {
  refuseUnstorable(document, 'settings');
  // A task written at the top is checked like any other.
  const parsed = JobSettings.safeParse(withTasks(document, singleTaskKey), { reportInput: true });
  if (!parsed.success) throw new ApiError('INVALID_PARAMETER_VALUE', formatIssues(parsed.error));
  const settings = parsed.data;
  const tasks = settings.tasks ?? [];
  const problems = [
    ...findTaskProblems(tasks, job?.jobId ?? null),
    ...findSqlTaskProblems(settings),
    ...findLabelProblems(settings),
    ...findGitProblems(settings, config),
    ...findEnvironmentProblems(settings),
    ...clusterProblems(settings),
    ...parameterProblems(settings),
    ...(settings.schedule && !isSameSchedule(document, job) ? findScheduleProblems(settings.schedule) : []),
  ];
  if (problems.length > 0) throw new ApiError('INVALID_PARAMETER_VALUE', describe(problems));
}

/** One that was taken before its reading became stricter must not keep a person from changing something else. */
function isSameSchedule({ schedule }: Document, job: SavedJob | null): boolean {
  return job !== null && isDeepStrictEqual(timesOf(schedule), timesOf(job.settings.schedule));
}

function timesOf(schedule: unknown): unknown {
  const { quartz_cron_expression, timezone_id } = Object(schedule) as Record<string, unknown>;
  return [quartz_cron_expression, timezone_id];
}

const singleTaskKey = 'task';
/** A thousand tasks can have a thousand problems; the first ones tell what to do. */
const problemsShownMax = 20;

function describe(problems: readonly string[]): string {
  const hidden = problems.length - problemsShownMax;
  const shown = problems.slice(0, problemsShownMax).join('; ');
  return hidden > 0 ? `${shown}; and ${hidden} more` : shown;
}

/** Before anything walks the document: it may be nested deeper than a walk can go. */
export function refuseUnstorable(value: unknown, what: string): void {
  const problem = findUnstorable(value);
  if (problem !== null) {
    throw new ApiError('INVALID_PARAMETER_VALUE', `${what}: cannot be stored: ${problem}`);
  }
}

function clusterProblems(settings: JobSettings): string[] {
  const keys = (settings.job_clusters ?? []).map((cluster) => cluster.job_cluster_key);
  const tasks = (settings.tasks ?? []).flatMap((task) => [
    task,
    ...(task.for_each_task ? [task.for_each_task.task] : []),
  ]);
  const unknown = tasks.filter(
    (task) => task.job_cluster_key !== undefined && !keys.includes(task.job_cluster_key),
  );
  const described = [
    ...(settings.job_clusters ?? []).map((cluster) => ({
      where: `job_clusters: '${cluster.job_cluster_key}'`,
      spec: cluster.new_cluster,
    })),
    ...tasks.map((task) => ({ where: `tasks: task '${task.task_key}'`, spec: task.new_cluster })),
  ];
  return [
    ...doubled('job_clusters', keys),
    ...described.flatMap(({ where, spec }) =>
      (spec ? checkClusterSpec(spec, 'job').problems : []).map(
        (problem) => `${where}: new_cluster.${problem}`,
      ),
    ),
    ...(settings.job_clusters ?? []).flatMap((cluster) =>
      [...referenceProblemsOf(cluster)].map(
        (problem) => `job_clusters: '${cluster.job_cluster_key}': ${problem}`,
      ),
    ),
    ...unknown.map(
      (task) =>
        `tasks: task '${task.task_key}' asks for job cluster '${task.job_cluster_key}', which job_clusters does not have`,
    ),
  ];
}

function parameterProblems({ parameters = [] }: JobSettings): string[] {
  return [
    ...doubled(
      'parameters',
      parameters.map(({ name }) => name),
    ),
    ...parameters.flatMap((parameter) =>
      findReferenceProblems(parameter.default).map(
        (problem) => `parameters: '${parameter.name}': ${problem}`,
      ),
    ),
  ];
}

function doubled(field: string, keys: readonly string[]): string[] {
  const twice = new Set(keys.filter((key, index) => keys.indexOf(key) !== index));
  return [...twice].map((key) => `${field}: '${key}' is used more than once`);
}
