/**
 * Which cluster an attempt runs on, and so which host. Decided from documents alone: claims ask this while they are
 * under way, so nothing here waits.
 *   nothing, or an unknown id ──▶ the shared default cluster
 *   job_cluster_key           ──▶ one cluster for all tasks of the run that name it
 *   new_cluster               ──▶ one cluster for the task, its retries included
 */
import crypto from 'node:crypto';
import type { NewCluster } from '@headrace/api';
import type { ClusterAssignment } from '@headrace/worker';
import { dropHostedOnlyConfs } from './hosted-only-confs.ts';

export const defaultClusterId = 'default';
export const defaultClusterName = 'Shared cluster';

/** What the resolution reads of a task's settings. */
export interface TaskPlace {
  readonly task_key: string;
  readonly existing_cluster_id?: string | undefined;
  readonly job_cluster_key?: string | undefined;
  readonly new_cluster?: NewCluster | undefined;
}

export interface JobPlaces {
  readonly job_clusters?:
    | readonly { job_cluster_key: string; new_cluster?: NewCluster | undefined }[]
    | undefined;
}

export interface RunPlace {
  readonly runId: number;
  /** Whom the run acts as: principals never share a host. */
  readonly runAs: { readonly id: number; readonly userName: string };
}

export interface ResolvedCluster {
  readonly assignment: ClusterAssignment;
  readonly kind: 'default' | 'job';
  /** As the job asked for it; empty for the default cluster. */
  readonly spec: NewCluster;
  /** For the task's events and the cluster's page. */
  readonly warnings: readonly string[];
}

/** Between two tasks of a run the host is worth keeping: a JVM takes seconds to start. */
const jobClusterIdleMs = 120_000;
/** Only a retry could use it again. */
const taskClusterIdleMs = 15_000;

export interface ComputeFacts {
  /** Processors of this machine: the most threads that local mode gets. */
  readonly cores: number;
}

export function resolveCluster(
  task: TaskPlace,
  job: JobPlaces,
  run: RunPlace,
  facts: ComputeFacts,
): ResolvedCluster {
  const { job_cluster_key: key, existing_cluster_id: existingId } = task;
  if (task.new_cluster) {
    const clusterId = `job-${run.runId}-task-${shortHash(task.task_key)}`;
    return makeJobCluster(
      task.new_cluster,
      { clusterId, name: `${task.task_key} of run ${run.runId}`, idleMs: taskClusterIdleMs },
      run,
      facts,
    );
  }
  if (key !== undefined) {
    const spec = job.job_clusters?.find((cluster) => cluster.job_cluster_key === key)?.new_cluster;
    const clusterId = `job-${run.runId}-${shortHash(key)}`;
    if (spec)
      return makeJobCluster(
        spec,
        { clusterId, name: `${key} of run ${run.runId}`, idleMs: jobClusterIdleMs },
        run,
        facts,
      );
    return useDefaultCluster(run, [`the job has no cluster ${key}: the shared cluster is used`]);
  }
  const isKnown = existingId === undefined || existingId === defaultClusterId;
  return useDefaultCluster(
    run,
    isKnown ? [] : [`cluster ${existingId} is unknown here: the shared cluster is used`],
  );
}

function useDefaultCluster(run: RunPlace, warnings: readonly string[]): ResolvedCluster {
  const assignment = assign(
    { clusterId: defaultClusterId, name: defaultClusterName, idleMs: null },
    run,
    {},
    {},
  );
  return { assignment, kind: 'default', spec: {}, warnings };
}

function makeJobCluster(
  spec: NewCluster,
  place: { clusterId: string; name: string; idleMs: number },
  run: RunPlace,
  { cores }: ComputeFacts,
): ResolvedCluster {
  const { kept, warnings } = dropHostedOnlyConfs(spec.spark_conf ?? {});
  const sparkConf = { 'spark.master': `local[${countThreads(spec, cores)}]`, ...kept };
  const name = spec.cluster_name || place.name;
  return {
    assignment: assign({ ...place, name }, run, sparkConf, spec.spark_env_vars ?? {}),
    kind: 'job',
    spec,
    warnings,
  };
}

/** Workers become threads of local mode, at least two: with one, a stream and a query would wait for each other. */
function countThreads({ autoscale, num_workers }: NewCluster, cores: number): number {
  const workers = autoscale?.max_workers ?? num_workers ?? 0;
  return Math.max(2, Math.min(cores, workers));
}

function assign(
  { clusterId, name, idleMs }: { clusterId: string; name: string; idleMs: number | null },
  run: RunPlace,
  sparkConf: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string>>,
): ClusterAssignment {
  const facts = JSON.stringify([run.runAs.id, clusterId, sorted(sparkConf), sorted(environment)]);
  return { clusterId, clusterName: name, hostKey: shortHash(facts), sparkConf, environment, idleMs };
}

const sorted = (record: Readonly<Record<string, string>>) =>
  Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));

/** Names a folder and part of socket paths, so it is short; 64 bits keep accidents away. */
function shortHash(text: string): string {
  return crypto.createHash('sha256').update(text).digest('hex').slice(0, 16);
}
