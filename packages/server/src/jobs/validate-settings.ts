/** What is wrong with a settings document that someone wants to save. Kept whole: nothing is dropped or filled in. */
import { ApiError, formatIssues, JobSettings, type Task } from '@headrace/api';
import { findGraphProblems, findReferenceProblems } from '@headrace/core';
import { checkClusterIds } from '../compute/check-clusters.ts';
import type { Config } from '../config.ts';
import { findUnstorable } from '../db/storable-json.ts';

/** Throws with every problem that was found, each naming its keys. */
export function validateSettings(document: object, config: Pick<Config, 'unknownIds'>): void {
  refuseUnstorable(document, 'settings');
  const parsed = JobSettings.safeParse(document, { reportInput: true });
  if (!parsed.success) throw new ApiError('INVALID_PARAMETER_VALUE', formatIssues(parsed.error));
  const settings = parsed.data;
  const tasks = settings.tasks ?? [];
  checkClusterIds(tasks, config);
  const problems = [
    ...graphProblemsOf(tasks),
    ...clusterProblems(settings),
    ...doubled(
      'parameters',
      (settings.parameters ?? []).map(({ name }) => name),
    ),
    ...referenceProblems(tasks),
  ];
  if (problems.length > 0) throw new ApiError('INVALID_PARAMETER_VALUE', problems.join('; '));
}

/** Before anything walks the document: it may be nested deeper than a walk can go. */
export function refuseUnstorable(value: unknown, what: string): void {
  const problem = findUnstorable(value);
  if (problem !== null) {
    throw new ApiError('INVALID_PARAMETER_VALUE', `${what}: cannot be stored: ${problem}`);
  }
}

function graphProblemsOf(tasks: readonly Task[]): string[] {
  const nodes = tasks.map((task) => ({
    key: task.task_key,
    dependsOn: (task.depends_on ?? []).map((dependency) => dependency.task_key),
  }));
  return findGraphProblems(nodes).map(({ message }) => `tasks: ${message}`);
}

function clusterProblems(settings: JobSettings): string[] {
  const keys = (settings.job_clusters ?? []).map((cluster) => cluster.job_cluster_key);
  const unknown = (settings.tasks ?? []).filter(
    (task) => task.job_cluster_key !== undefined && !keys.includes(task.job_cluster_key),
  );
  return [
    ...doubled('job_clusters', keys),
    ...unknown.map(
      (task) =>
        `tasks: task '${task.task_key}' asks for job cluster '${task.job_cluster_key}', which job_clusters does not have`,
    ),
  ];
}

function doubled(field: string, keys: readonly string[]): string[] {
  const twice = new Set(keys.filter((key, index) => keys.indexOf(key) !== index));
  return [...twice].map((key) => `${field}: '${key}' is used more than once`);
}

function referenceProblems(tasks: readonly Task[]): string[] {
  return tasks.flatMap((task) =>
    [...textsOf(task)]
      .flatMap(findReferenceProblems)
      .map((problem) => `tasks: task '${task.task_key}': ${problem}`),
  );
}

function* textsOf(value: unknown): Iterable<string> {
  if (typeof value === 'string') yield value;
  else if (typeof value === 'object' && value !== null)
    for (const part of Object.values(value)) yield* textsOf(part);
}
