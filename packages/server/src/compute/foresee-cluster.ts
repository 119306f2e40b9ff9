/** On which cluster a task of a job would run if a run began now, for whoever has a host ready. */
import type { ClusterAssignment } from '@headrace/worker';
import type { Services } from '../services.ts';
import { governJobSpec } from './govern-cluster.ts';
import { findLife } from './life-store.ts';
import {
  assignAllPurpose,
  type ComputeFacts,
  defaultClusterId,
  findDescribed,
  type JobPlaces,
  resolveCluster,
  type TaskPlace,
  withDescribed,
} from './resolve-cluster.ts';

export interface ForeseenCluster {
  readonly assignment: ClusterAssignment;
  /** It outlives the run: a host with this key may be there already. */
  readonly isKept: boolean;
}

export interface ForeseenTask {
  readonly task: TaskPlace;
  readonly job: JobPlaces;
  readonly runAs: { readonly id: number; readonly userName: string };
}

/** Asks nothing of anybody and makes nothing. Null where a host is there, waits in a pool that the cluster names, or will never be. */
export async function foreseeCluster(
  { db }: Pick<Services, 'db'>,
  { task, job, runAs }: ForeseenTask,
  facts: ComputeFacts,
): Promise<ForeseenCluster | null> {
  const run = { runId: 0, runAs };
  const described = findDescribed(task, job, run);
  const { existing_cluster_id: id } = task;
  if (described === null && id !== undefined && id !== defaultClusterId) {
    const row = await findLife(db, id);
    if (row !== null) {
      const isWanted = row.kind !== 'all_purpose' || row.deletedAtMs !== null || row.wanted === 'running';
      if (isWanted || row.spec.instance_pool_id !== undefined) return null;
      return { assignment: assignAllPurpose(row, runAs.id, facts), isKept: true };
    }
  }
  if (described === null)
    return { assignment: resolveCluster(task, job, run, facts).assignment, isKept: true };
  const governed = await governJobSpec(db, described.spec);
  if ('code' in governed || governed.spec.instance_pool_id !== undefined) return null;
  const place = withDescribed(task, governed.spec);
  return { assignment: resolveCluster(place.task, place.job, run, facts).assignment, isKept: false };
}
