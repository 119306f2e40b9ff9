/** Clusters and the pool that they name: what of their configuration a waiting host must have, and what sessions get. */
import crypto from 'node:crypto';
import type { NewCluster } from '@headrace/api';
import { toHostKey, toSpareClusterId } from '@headrace/core';
import type { ClusterAssignment, ExecutorPlan, PoolPlace } from '@headrace/worker';
import { nodeOf, planExecutors } from '../compute/resolve-cluster.ts';
import type { Querier } from '../db/connect.ts';
import { findPool, type Pool } from './read-pools.ts';

/** Of these Spark takes a new value in a session that runs; whatever is not here must be the host's from its start. */
const sessionPrefixes = [
  // Delta's, and those of the hosted product, which Spark only shows.
  'spark.databricks.',
  ...[
    ...['adaptive', 'ansi', 'autoBroadcastJoinThreshold', 'broadcastTimeout', 'caseSensitive', 'cbo', 'csv'],
    ...[
      'execution',
      'files',
      'inMemoryColumnarStorage',
      'join',
      'json',
      'maxPlanStringLength',
      'optimizer',
      'orc',
    ],
    ...['parquet', 'session', 'shuffle', 'sources.partitionOverwriteMode', 'statistics', 'window'],
    ...['streaming.metricsEnabled', 'streaming.stateStore', 'streaming.noDataMicroBatches'],
  ].map((name) => `spark.sql.${name}`),
];

export function isSessionConf(name: string, value: string): boolean {
  // A secret is put in where a host starts.
  return !value.includes('{{') && sessionPrefixes.some((prefix) => name.startsWith(prefix));
}

export interface Placed {
  readonly assignment: ClusterAssignment;
  readonly warnings: readonly string[];
}

/** The cluster's host may be one that waits in its pool. One that names no pool, or an unknown one, stays as it is. */
export async function withPool(
  db: Querier,
  { instance_pool_id: poolId }: Pick<NewCluster, 'instance_pool_id'>,
  { assignment, warnings }: Placed,
): Promise<Placed> {
  if (poolId === undefined) return { assignment, warnings };
  const pool = await findPool(db, poolId);
  if (pool === null) {
    const told = `instance pool ${poolId} is unknown here: the cluster starts a host of its own`;
    return { assignment, warnings: [...warnings, told] };
  }
  return { assignment: inPool(assignment, pool), warnings };
}

function inPool(assignment: ClusterAssignment, pool: Pool): ClusterAssignment {
  const confs = Object.entries(assignment.sparkConf);
  const { executors } = assignment;
  // Clusters in a pool name no type: they get that of the pool.
  const node = executors?.node ?? nodeOf(pool.fields.node_type_id);
  return {
    ...assignment,
    ...(executors && { executors: { ...executors, node } }),
    sparkConf: Object.fromEntries(confs.filter(([name, value]) => !isSessionConf(name, value))),
    sessionConf: Object.fromEntries(confs.filter(([name, value]) => isSessionConf(name, value))),
    pool: { ...toPlace(pool), isSpare: false },
  };
}

function toPlace({ poolId, fields }: Pool): Omit<PoolPlace, 'isSpare'> {
  return { poolId, name: fields.instance_pool_name, capacityMax: fields.max_capacity ?? null };
}

const shortHash = (value: unknown) =>
  crypto.createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16);

/** What the hosts of a pool are started with, in a few letters: those with other letters are out of date. */
export function profileOf(pool: Pool, cores: number): string {
  const executors = executorsOf(pool);
  return shortHash([
    ...[pool.poolId, Object.entries(sparkConfOf(pool, cores)).sort()],
    ...(executors ? [executors] : []),
  ]);
}

export function assignSpare(pool: Pool, cores: number): ClusterAssignment {
  const executors = executorsOf(pool);
  const driver = nodeOf(pool.fields.node_type_id);
  return {
    clusterId: toSpareClusterId(pool.poolId),
    clusterName: pool.fields.instance_pool_name,
    // With a number at its end the host waits for orders; see `generationOf`.
    hostKey: toHostKey(profileOf(pool, cores), crypto.randomInt(1, 1_000_000_000)),
    sparkConf: sparkConfOf(pool, cores),
    environment: {},
    idleMs: null,
    ...(executors && { executors }),
    ...(driver && { driver }),
    pool: { ...toPlace(pool), isSpare: true },
  };
}

function executorsOf({ fields: { headrace = {}, node_type_id } }: Pool): ExecutorPlan | null {
  return planExecutors({ num_workers: headrace.num_workers, node_type_id });
}

function sparkConfOf({ fields: { headrace = {} } }: Pool, cores: number): Record<string, string> {
  const { spark_conf: conf = {}, num_workers: workers = 0 } = headrace;
  const threads = Math.max(2, Math.min(cores, workers));
  const fixed = Object.entries(conf).filter(([name, value]) => !isSessionConf(name, value));
  return { 'spark.master': `local[${threads}]`, ...Object.fromEntries(fixed) };
}
