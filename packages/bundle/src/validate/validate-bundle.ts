// Everything that can be said about a resolved bundle without a server. All findings at once, each at its place.

import { suggest } from '../find-nearest.ts';
import type { LoadedBundle } from '../load/load-bundle.ts';
import { listAt, type MappingNode, at as nodeAt, textAt } from '../nodes.ts';
import { kindOf } from '../plan/kinds/kinds.ts';
import { errorAt, type Problem, sortProblems } from '../problem.ts';
import { pendingResources } from '../resolve/interpolate.ts';
import { tasksOf } from '../resolve/job-tasks.ts';
import { type ResolveInputs, resolveBundle } from '../resolve/resolve-bundle.ts';
import type { ResolvedBundle, ResolvedJob, ResolvedResource } from '../resolve/resolved-bundle.ts';
import { isKnownAfterDeploy } from '../resolve/resource-kinds.ts';
import { resourceSchemas } from '../schema/bundle-file.ts';
import { findControlFlowProblems } from './find-control-flow-problems.ts';
import { findDollarReferences } from './find-dollar-references.ts';
import { findEarlyReferences } from './find-early-references.ts';
import { findExtraTypeProblems } from './find-extra-type-problems.ts';
import { findJobGraphProblems } from './find-graph-problems.ts';
import { findJobReferenceProblems } from './find-reference-problems.ts';
import { findScheduleProblems } from './find-schedule-problems.ts';
import { findSectionProblems } from './find-section-problems.ts';
import { findSyncProblems } from './find-sync-problems.ts';
import { findTypeProblems } from './find-type-problems.ts';
import { findUnknownFields } from './find-unknown-fields.ts';
import { findWorkProblems } from './find-work-problems.ts';

export interface CheckedBundle {
  /** null: there is no telling what would be deployed. */
  readonly bundle: ResolvedBundle | null;
  readonly problems: readonly Problem[];
}

/** Resolves a bundle and says everything that is wrong with it. */
export function checkBundle(loaded: LoadedBundle, inputs: ResolveInputs): CheckedBundle {
  const resolved = resolveBundle(loaded, inputs);
  if ('root' in resolved) return { bundle: resolved, problems: validateBundle(resolved, loaded) };
  return { bundle: null, problems: sortProblems([...resolved.problems, ...findUnknownFields(loaded.root)]) };
}

export function validateBundle(bundle: ResolvedBundle, loaded: Pick<LoadedBundle, 'root'>): Problem[] {
  const nodes = new Map(bundle.jobs.map((job) => [job.key, job.node]));
  const problems = [
    ...bundle.problems,
    ...findUnknownFields(loaded.root),
    // What a variable brings along is known only now; what was said before is not said twice.
    ...findUnknownFields(onlyResources(bundle.root)),
    ...findDollarReferences(bundle.root),
    ...findSyncProblems(bundle.root),
    ...bundle.jobs.flatMap((job) => validateJob(job, nodes)),
    ...bundle.resources.flatMap(findScheduleProblems),
    ...findJobCircle(bundle.jobs),
  ];
  const types = [
    ...findSectionProblems(bundle.root, loaded.root),
    ...bundle.resources.flatMap((resource) => checkSchema(resource)),
  ];
  return sortProblems([...problems, ...withoutSaid(types, problems)]);
}

function onlyResources(root: MappingNode): MappingNode {
  return { ...root, entries: new Map([...root.entries].filter(([key]) => key === 'resources')) };
}

/** What a rule has said of a place in its own words is not said again in those of a schema. */
function withoutSaid(types: readonly Problem[], said: readonly Problem[]): Problem[] {
  const places = new Set(said.filter(({ severity }) => severity === 'error').map(toPlace));
  // What is missing has no place of its own: several things may be missing at one.
  return types.filter((problem) => problem.message.includes('is missing') || !places.has(toPlace(problem)));
}

function toPlace({ file, line, column }: Problem): string {
  return `${file}:${line}:${column}`;
}

function validateJob(job: ResolvedJob, others: ReadonlyMap<string, MappingNode>): Problem[] {
  return [
    ...checkTasks(job),
    ...findWorkProblems(job.node),
    ...findJobGraphProblems(job.node),
    ...findJobReferenceProblems(job.node),
    ...findEarlyReferences(job.node),
    ...findControlFlowProblems(job.node, others),
    ...checkKeys(job),
  ];
}

function checkTasks(job: ResolvedJob): Problem[] {
  if (listAt(job.node, 'tasks').length > 0) return [];
  return [errorAt(job.at, `job ${job.key} has no tasks`, "add a list 'tasks' with at least one task")];
}

function checkSchema({ kind, key, node, settings }: ResolvedResource): Problem[] {
  const owner = `${kindOf(kind).noun} ${key}`;
  const schema = resourceSchemas[kind];
  return [
    ...findTypeProblems(schema, { node, values: settings, owner }),
    ...findExtraTypeProblems(node, schema, owner),
  ];
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
    Object.entries(declared).flatMap(([field, all]) => {
      const node = nodeAt(task, field);
      const key = textAt(node);
      const keys = all.filter((known) => known !== null);
      if (node === undefined || key === null || keys.includes(key)) return [];
      const section = field === 'job_cluster_key' ? 'job_clusters' : 'environments';
      const known = keys.length === 0 ? 'the job declares none' : `declared are: ${keys.join(', ')}`;
      const message = `${field} '${key}' is not declared in job ${job.key}; ${known}`;
      return [errorAt(node.at, message, suggest(key, keys, `declare it under ${section} of the job`))];
    }),
  );
}

/** Jobs that name each other's ids in a circle can never be created. */
function findJobCircle(jobs: readonly ResolvedJob[]): Problem[] {
  const ordered = orderJobs(jobs);
  const stuck = jobs.filter((job) => !ordered.includes(job));
  const [first] = stuck;
  if (first === undefined) return [];
  const [own] = pendingJobs(first).filter((key) => key === first.key);
  if (stuck.length === 1 && own !== undefined) {
    const message = `job ${first.key} needs its own id, which it has only once it is created`;
    return [errorAt(first.at, message, 'take the reference out: a job cannot run itself')];
  }
  const message = `these jobs need each other's ids in a circle: ${stuck.map((job) => job.key).join(', ')}`;
  return [errorAt(first.at, message, 'take one of these references out')];
}

/** Those that others name come first. Jobs in a circle, or behind one, are left out. */
export function orderJobs(jobs: readonly ResolvedJob[]): ResolvedJob[] {
  const keys = new Set(jobs.map((job) => job.key));
  const waiting = new Map(
    jobs.map((job) => {
      return [job, new Set(pendingJobs(job).filter((key) => keys.has(key)))];
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

/** Jobs whose ids a job waits for; a reference to a field that no deployment gives is a finding of its own. */
function pendingJobs(job: ResolvedJob): string[] {
  return pendingResources(JSON.stringify(job.settings))
    .filter(({ kind, field }) => kind === 'jobs' && isKnownAfterDeploy(kind, field.split('.')[0] ?? ''))
    .map(({ key }) => key);
}

function nextReady(waiting: ReadonlyMap<ResolvedJob, ReadonlySet<string>>): ResolvedJob[] {
  return [...waiting].filter(([, names]) => names.size === 0).map(([job]) => job);
}
