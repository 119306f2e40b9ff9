/** The cluster that a task names by its id, started first where it is terminated. */
import type { Failure } from '@headrace/core';
import type { Services } from '../services.ts';
import { beginAgain } from './change-cluster.ts';
import { findTooMany } from './govern-cluster.ts';
import { findLife, type LifeRow, lockCluster } from './life-store.ts';
import type { RunPlace } from './resolve-cluster.ts';

export interface ExistingOptions {
  readonly run: RunPlace;
  readonly taskKey: string;
  /** Not where an attempt is taken back: what ended its cluster ends it. */
  readonly mayStart: boolean;
}

/** Null where the server does not know the id, and it means the shared cluster. */
export async function findExisting(
  { db, clock, config }: Pick<Services, 'db' | 'clock' | 'config'>,
  clusterId: string,
  { run, taskKey, mayStart }: ExistingOptions,
): Promise<{ readonly row: LifeRow } | Failure | null> {
  const row = await findLife(db, clusterId);
  if (row === null) return config.unknownIds === 'default' ? null : noSuchCluster(clusterId);
  const problem = findProblem(row);
  if (problem !== null) return problem;
  if (row.wanted === 'running' || !mayStart) return { row };
  return db.transaction(async (client) => {
    const locked = await lockCluster(client, clusterId);
    if (!locked) return noSuchCluster(clusterId);
    const changed = findProblem(locked);
    if (changed !== null) return changed;
    if (locked.wanted === 'running') return { row: locked };
    const tooMany = await findTooMany(client, locked);
    if (tooMany !== null) return clusterError(tooMany);
    const details = { cause: 'JOB_RUN', user: run.runAs.userName, job_run_id: run.runId, task_key: taskKey };
    await beginAgain(client, locked, details, clock.nowMs());
    return { row: { ...locked, generation: locked.generation + 1 } };
  });
}

function findProblem({ kind, clusterId, deletedAtMs }: LifeRow): Failure | null {
  if (deletedAtMs !== null) return noSuchCluster(clusterId);
  if (kind === 'all_purpose') return null;
  return clusterError(
    `Cluster ${clusterId} was made for another run: existing_cluster_id takes all-purpose clusters`,
  );
}

function noSuchCluster(clusterId: string): Failure {
  return clusterError(`Cluster ${clusterId} does not exist`);
}

function clusterError(message: string): Failure {
  return { code: 'CLUSTER_ERROR', message, trace: null };
}
