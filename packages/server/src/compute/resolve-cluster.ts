/**
 * Which cluster an attempt runs on, and so which host. Decided from documents alone: claims ask this while they are
 * under way, so nothing here waits. An all-purpose cluster has been looked up by then.
 *   nothing, or an unknown id ──▶ the shared default cluster
 *   existing_cluster_id       ──▶ that all-purpose cluster, in the generation that is wanted
 *   job_cluster_key           ──▶ one cluster for all tasks of the run that name it
 *   new_cluster               ──▶ one cluster for the task, its retries included
 */
import crypto from 'node:crypto';
import type { InitScript, NewCluster } from '@headrace/api';
import { toHostKey } from '@headrace/core';
import type { ClusterAssignment, ExecutorPlan, InitScripts, NodeSize } from '@headrace/worker';
import { checkClusterSpec } from './check-cluster-spec.ts';
import { findNodeSize } from './node-types.ts';
import { sortConfs } from './sort-confs.ts';

export const defaultClusterId = 'default';
/** Of the clusters of SQL warehouses; before the warehouse's id. */
export const warehouseClusterPrefix = 'warehouse-';
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
  /** As an administrator edited it; until then it has no settings of its own. */
  readonly defaultCluster: { readonly spec: NewCluster; readonly generation: number };
}

export const noDefaultSettings: ComputeFacts['defaultCluster'] = { spec: {}, generation: 0 };

/** What stands in the row of an all-purpose cluster. */
export interface AllPurposeCluster {
  readonly clusterId: string;
  readonly clusterName: string;
  readonly spec: NewCluster;
  readonly generation: number;
}

/** The cluster that the job describes for a task; null where it describes none. */
export function findDescribed(
  { new_cluster, job_cluster_key: key, task_key }: TaskPlace,
  job: JobPlaces,
  { runId }: RunPlace,
): { readonly clusterId: string; readonly spec: NewCluster } | null {
  if (new_cluster) return { clusterId: `job-${runId}-task-${shortHash(task_key)}`, spec: new_cluster };
  if (key === undefined) return null;
  const spec = job.job_clusters?.find((cluster) => cluster.job_cluster_key === key)?.new_cluster;
  return spec ? { clusterId: `job-${runId}-${shortHash(key)}`, spec } : null;
}

/** With `spec` in place of what the job describes for the task. */
export function withDescribed(
  task: TaskPlace,
  spec: NewCluster,
): { readonly task: TaskPlace; readonly job: JobPlaces } {
  const { job_cluster_key } = task;
  if (task.new_cluster || job_cluster_key === undefined)
    return { task: { ...task, new_cluster: spec }, job: {} };
  return { task, job: { job_clusters: [{ job_cluster_key, new_cluster: spec }] } };
}

export function resolveCluster(
  task: TaskPlace,
  job: JobPlaces,
  run: RunPlace,
  facts: ComputeFacts,
): ResolvedCluster {
  const { job_cluster_key: key, existing_cluster_id: existingId } = task;
  const described = findDescribed(task, job, run);
  if (described !== null) {
    const isOfTask = task.new_cluster !== undefined;
    const name = `${isOfTask ? task.task_key : key} of run ${run.runId}`;
    const idleMs = isOfTask ? taskClusterIdleMs : jobClusterIdleMs;
    return makeJobCluster(described.spec, { clusterId: described.clusterId, name, idleMs }, run, facts);
  }
  if (key !== undefined)
    return useDefaultCluster(run, [`the job has no cluster ${key}: the shared cluster is used`], facts);
  const isKnown = existingId === undefined || existingId === defaultClusterId;
  return useDefaultCluster(
    run,
    isKnown ? [] : [`cluster ${existingId} is unknown here: the shared cluster is used`],
    facts,
  );
}

function useDefaultCluster(
  run: RunPlace,
  warnings: readonly string[],
  { cores, defaultCluster: { spec, generation } }: ComputeFacts,
): ResolvedCluster {
  const place = { clusterId: defaultClusterId, name: defaultClusterName, idleMs: null };
  const isEdited = Object.keys(spec).length > 0;
  const settings = isEdited ? settingsOf(spec, defaultClusterId, cores) : noSettings;
  return { assignment: assign(place, run.runAs.id, settings, generation), kind: 'default', spec, warnings };
}

/** The host of one who runs tasks on it: each principal has its own. */
export function assignAllPurpose(
  { clusterId, clusterName, spec, generation }: AllPurposeCluster,
  principalId: number,
  { cores }: Pick<ComputeFacts, 'cores'>,
): ClusterAssignment {
  const place = { clusterId, name: clusterName, idleMs: null };
  const settings = settingsOf(spec, clusterId, cores);
  const sparkConf = { ...settings.sparkConf, ...(isOfWarehouse(clusterId) && onlySql) };
  return {
    ...assign(place, principalId, { ...settings, sparkConf }, generation),
    hostKey: allPurposeHostKey(clusterId, principalId, generation),
  };
}

/** SQL alone runs there: its statements use no other files than those that SQL may name, and run no code. */
const onlySql = { 'spark.headrace.guarded': 'true' };
const isOfWarehouse = (clusterId: string) => clusterId.startsWith(warehouseClusterPrefix);

/** Whatever the generation holds, it is one thing; so machines with other cores agree on the key. */
export function allPurposeHostKey(clusterId: string, principalId: number, generation: number): string {
  return toHostKey(shortHash(JSON.stringify([principalId, clusterId])), generation);
}

function makeJobCluster(
  spec: NewCluster,
  place: { clusterId: string; name: string; idleMs: number },
  run: RunPlace,
  { cores }: ComputeFacts,
): ResolvedCluster {
  const { warnings } = checkClusterSpec(spec, 'job');
  const name = spec.cluster_name || place.name;
  const settings = settingsOf(spec, place.clusterId, cores);
  return { assignment: assign({ ...place, name }, run.runAs.id, settings, 0), kind: 'job', spec, warnings };
}

interface HostSettings {
  readonly sparkConf: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string>>;
  readonly initScripts?: InitScripts;
  readonly executors?: ExecutorPlan;
  readonly driver?: NodeSize;
}

const noSettings: HostSettings = { sparkConf: {}, environment: {} };
/** Scripts install packages, which takes minutes; one that hangs must not hold its tasks for hours. */
const initScriptsTimeoutMs = 20 * 60_000;

function settingsOf(spec: NewCluster, clusterId: string, cores: number): HostSettings {
  const { kept } = sortConfs(spec.spark_conf ?? {});
  const paths = (spec.init_scripts ?? []).map(toScriptPath).filter((path) => path !== null);
  const logs = spec.cluster_log_conf?.volumes ?? spec.cluster_log_conf?.dbfs;
  const executors = planExecutors(spec);
  const driver = nodeOf(spec.driver_node_type_id ?? spec.node_type_id);
  const logFolder = `${(logs?.destination ?? 'dbfs:/cluster-logs').replace(/\/+$/, '')}/${clusterId}`;
  return {
    sparkConf: { 'spark.master': `local[${countThreads(spec, cores)}]`, ...kept },
    environment: spec.spark_env_vars ?? {},
    ...(executors && { executors }),
    ...(driver && { driver }),
    ...(paths.length > 0 && { initScripts: { paths, logFolder, timeoutMs: initScriptsTimeoutMs } }),
  };
}

/** With its place in front; null for one that only a cloud has, which is refused before it is stored. */
function toScriptPath({ workspace, volumes, dbfs, file }: InitScript): string | null {
  if (workspace) {
    const path = workspace.destination;
    return path.startsWith('/Workspace/') ? path : `/Workspace/${path.replace(/^\/+/, '')}`;
  }
  if (volumes) return volumes.destination.replace(/^dbfs:/, '');
  if (dbfs) return dbfs.destination.startsWith('dbfs:') ? dbfs.destination : `dbfs:${dbfs.destination}`;
  return file ? `file:${file.destination.replace(/^file:/, '')}` : null;
}

/** Workers become threads of local mode, at least two: with one, a stream and a query would wait for each other. */
export function countThreads({ autoscale, num_workers }: NewCluster, cores: number): number {
  const workers = autoscale?.max_workers ?? num_workers ?? 0;
  return Math.max(2, Math.min(cores, workers));
}

/** Null for a cluster of one node. */
export function planExecutors({
  autoscale,
  num_workers: workers = 0,
  node_type_id: nodeType,
}: Pick<NewCluster, 'autoscale' | 'num_workers' | 'node_type_id'>): ExecutorPlan | null {
  const max = autoscale?.max_workers ?? workers;
  if (max <= 0) return null;
  const min = autoscale === undefined ? max : (autoscale.min_workers ?? 1);
  return { min: Math.min(min, max), max, node: nodeOf(nodeType) };
}

export function nodeOf(nodeTypeId: string | undefined): NodeSize | null {
  const size = nodeTypeId === undefined ? null : findNodeSize(nodeTypeId);
  return size && { cores: size.cores, memoryMb: size.memoryMb };
}

function assign(
  { clusterId, name, idleMs }: { clusterId: string; name: string; idleMs: number | null },
  principalId: number,
  settings: HostSettings,
  generation: number,
): ClusterAssignment {
  const { sparkConf, environment, initScripts } = settings;
  const scripts = initScripts === undefined ? [] : [initScripts];
  const facts = [principalId, clusterId, sorted(sparkConf), sorted(environment), ...scripts];
  const hostKey = toHostKey(shortHash(JSON.stringify(facts)), generation);
  const values = [...Object.values(sparkConf), ...Object.values(environment)];
  const hasSecrets = values.some((value) => value.startsWith('{{') && value.includes('secrets/'));
  const secrets = hasSecrets && { principalId };
  return { clusterId, clusterName: name, hostKey, idleMs, ownerId: principalId, ...settings, ...secrets };
}

const sorted = (record: Readonly<Record<string, string>>) =>
  Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));

/** Names a folder and part of socket paths, so it is short; 64 bits keep accidents away. */
function shortHash(text: string): string {
  return crypto.createHash('sha256').update(text).digest('hex').slice(0, 16);
}
