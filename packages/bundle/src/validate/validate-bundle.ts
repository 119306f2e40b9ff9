// Everything that can be said about a resolved bundle without a server. All findings at once, each at its place.

import { formatIssue, JobSettings } from '@headrace/api';
import type { LoadedBundle } from '../load/load-bundle.ts';
import { listAt, type MappingNode, at as nodeAt, type Path, positionOf, textAt } from '../nodes.ts';
import { errorAt, type Problem, sortProblems } from '../problem.ts';
import { pendingResources } from '../resolve/interpolate.ts';
import { tasksOf } from '../resolve/job-tasks.ts';
import type { ResolvedBundle, ResolvedJob } from '../resolve/resolve-bundle.ts';
import { findControlFlowProblems } from './find-control-flow-problems.ts';
import { findEarlyReferences } from './find-early-references.ts';
import { findJobGraphProblems } from './find-graph-problems.ts';
import { findJobReferenceProblems } from './find-reference-problems.ts';
import { findScheduleProblems } from './find-schedule-problems.ts';
import { findUnknownKeys } from './known-keys.ts';

export function validateBundle(bundle: ResolvedBundle, loaded: Pick<LoadedBundle, 'root'>): Problem[] {
  const nodes = new Map(bundle.jobs.map((job) => [job.key, job.node]));
  return sortProblems([
    ...bundle.problems,
    ...findUnknownKeys(loaded.root, [bundle.target]),
    ...bundle.jobs.flatMap((job) => validateJob(job, nodes)),
    ...findJobCircle(bundle.jobs),
  ]);
}

function validateJob(job: ResolvedJob, others: ReadonlyMap<string, MappingNode>): Problem[] {
  return [
    ...checkSchema(job),
    ...findJobGraphProblems(job.node),
    ...findJobReferenceProblems(job.node),
    ...findEarlyReferences(job.node),
    ...findControlFlowProblems(job.node, others),
    ...checkKeys(job),
    ...findScheduleProblems(job),
  ];
}

function checkSchema(job: ResolvedJob): Problem[] {
  // Ids of other jobs are texts until they exist; any number stands in for them.
  const settings: unknown = JSON.parse(JSON.stringify(job.settings), (key, value: unknown) =>
    key === 'job_id' && typeof value === 'string' && isResourceId(value) ? 1 : value,
  );
  const result = JobSettings.safeParse(settings, { reportInput: true });
  const problems = result.success
    ? []
    : result.error.issues.map(
        (issue) => errorAt(positionOf(job.node, issue.path as Path), `job ${job.key}: ${formatIssue(issue)}`), // JSON has no symbols as keys
      );
  if (listAt(job.node, 'tasks').length === 0) problems.push(errorAt(job.at, `job ${job.key} has no tasks`));
  return problems;
}

function isResourceId(value: string): boolean {
  const [pending] = pendingResources(value);
  return pending?.kind === 'jobs' && pending.match === value;
}

/** `job_cluster_key` and `environment_key` must name something the job declares. */
function checkKeys(job: ResolvedJob): Problem[] {
  const declared = {
    job_cluster_key: listAt(job.node, 'job_clusters').map((cluster) => textAt(cluster, 'job_cluster_key')),
    environment_key: listAt(job.node, 'environments').map((environment) =>
      textAt(environment, 'environment_key'),
    ),
  };
  return tasksOf(job.node).flatMap(({ node: task }) =>
    Object.entries(declared).flatMap(([field, keys]) => {
      const node = nodeAt(task, field);
      const key = textAt(node);
      if (node === undefined || key === null || keys.includes(key)) return [];
      const known = keys.length === 0 ? 'the job declares none' : `declared are: ${keys.join(', ')}`;
      return [errorAt(node.at, `${field} '${key}' is not declared in job ${job.key}; ${known}`)];
    }),
  );
}

/** Jobs that name each other's ids in a circle can never be created. */
function findJobCircle(jobs: readonly ResolvedJob[]): Problem[] {
  const ordered = orderJobs(jobs);
  const stuck = jobs.filter((job) => !ordered.includes(job));
  const [first] = stuck;
  if (first === undefined) return [];
  const [own] = pendingResources(JSON.stringify(first.settings)).filter(({ key }) => key === first.key);
  if (stuck.length === 1 && own !== undefined) {
    const message = `job ${first.key} needs its own id, which it has only once it is created; a job cannot run itself`;
    return [errorAt(first.at, message)];
  }
  return [
    errorAt(
      first.at,
      `these jobs need each other's ids in a circle: ${stuck.map((job) => job.key).join(', ')}`,
    ),
  ];
}

/** Those that others name come first. Jobs in a circle, or behind one, are left out. */
export function orderJobs(jobs: readonly ResolvedJob[]): ResolvedJob[] {
  const keys = new Set(jobs.map((job) => job.key));
  const waiting = new Map(
    jobs.map((job) => {
      const pending = pendingResources(JSON.stringify(job.settings)).filter(
        ({ kind, key }) => kind === 'jobs' && keys.has(key),
      );
      return [job, new Set(pending.map(({ key }) => key))];
    }),
  );
  const ordered: ResolvedJob[] = [];
  for (let ready = nextReady(waiting); ready.length > 0; ready = nextReady(waiting)) {
    for (const job of ready) {
      ordered.push(job);
      waiting.delete(job);
    }
    for (const names of waiting.values()) for (const job of ready) names.delete(job.key);
  }
  return ordered;
}

function nextReady(waiting: ReadonlyMap<ResolvedJob, ReadonlySet<string>>): ResolvedJob[] {
  return [...waiting].filter(([, names]) => names.size === 0).map(([job]) => job);
}
