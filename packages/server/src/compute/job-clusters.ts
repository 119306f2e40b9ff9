/** Clusters that jobs describe: remembered at once, written a moment later; one under a policy is written first. */
import type { NewCluster } from '@headrace/api';
import type { Failure } from '@headrace/core';
import type { ClusterAssignment } from '@headrace/worker';
import type { Database, Querier } from '../db/connect.ts';
import { withPool } from '../instance-pools/pool-place.ts';
import type { Services } from '../services.ts';
import { insertClusterEvents } from './event-store.ts';
import { findTooMany, governJobSpec } from './govern-cluster.ts';
import { findLife } from './life-store.ts';
import {
  type ComputeFacts,
  type findDescribed,
  type ResolvedCluster,
  type RunPlace,
  resolveCluster,
  type TaskPlace,
  withDescribed,
} from './resolve-cluster.ts';
import { insertCluster, type NewClusterRow } from './store.ts';

/** Clusters of runs in progress; older ones are in the table. */
const rememberedMax = 10_000;

interface GovernedSurroundings {
  readonly run: RunPlace;
  readonly facts: ComputeFacts;
  readonly db: Database;
  readonly jobClusters: JobClusters;
}

/** Policies are asked when a cluster is made; one that is there stays as it was made. */
export async function resolveGoverned(
  task: TaskPlace,
  { clusterId, spec: asked }: NonNullable<ReturnType<typeof findDescribed>>,
  { run, facts, db, jobClusters }: GovernedSurroundings,
): Promise<{ assignment: ClusterAssignment; warnings: readonly string[] } | Failure> {
  const known = await jobClusters.findSpec(clusterId);
  const governed = known ? { spec: known, warnings: [] } : await governJobSpec(db, asked);
  if ('code' in governed) return governed;
  const place = withDescribed(task, governed.spec);
  const resolved = resolveCluster(place.task, place.job, run, facts);
  const warnings = [...resolved.warnings, ...governed.warnings];
  const { assignment } = resolved;
  const placed = await withPool(db, governed.spec, { assignment, warnings });
  if (known !== null) return placed;
  const tooMany = await db.transaction(async (client) => {
    const question = { spec: governed.spec, ownerId: run.runAs.id, clusterId };
    const problem = await findTooMany(client, question);
    if (problem === null) await jobClusters.insert(client, { ...resolved, warnings }, run);
    return problem;
  });
  if (tooMany !== null) return { code: 'CLUSTER_ERROR', message: tooMany, trace: null };
  return placed;
}

export type JobClusters = ReturnType<typeof createJobClusters>;

export function createJobClusters({ db, clock, log }: Services) {
  const unwritten = new Map<string, NewClusterRow>();
  const written = new Set<string>();

  async function insert(client: Querier, row: NewClusterRow): Promise<void> {
    if (!(await insertCluster(client, row))) return;
    const details = {
      attributes: row.spec,
      user: row.createdBy,
      job_run_id: row.runId,
      warnings: row.warnings,
    };
    await insertClusterEvents(client, row.clusterId, [{ type: 'CREATING', details }], row.createdAtMs);
  }

  async function write(clusterId: string): Promise<void> {
    const row = unwritten.get(clusterId);
    if (!row) return;
    await insert(db, row);
    unwritten.delete(clusterId);
    if (written.size >= rememberedMax) written.clear();
    written.add(clusterId);
  }

  return {
    write,
    insert: (client: Querier, resolved: ResolvedCluster, run: RunPlace) =>
      insert(client, toRow(resolved, run, clock.nowMs())),
    /** Of one that was made already. */
    async findSpec(clusterId: string): Promise<NewCluster | null> {
      return unwritten.get(clusterId)?.spec ?? (await findLife(db, clusterId))?.spec ?? null;
    },
    remember(resolved: ResolvedCluster, run: RunPlace): void {
      const { clusterId } = resolved.assignment;
      if (resolved.kind === 'default' || written.has(clusterId) || unwritten.has(clusterId)) return;
      unwritten.set(clusterId, toRow(resolved, run, clock.nowMs()));
      void write(clusterId).catch((error) =>
        log.warn({ err: error, cluster_id: clusterId }, 'a cluster could not be recorded yet'),
      );
    },
  };
}

function toRow(
  { assignment, kind, spec, warnings }: ResolvedCluster,
  run: RunPlace,
  nowMs: number,
): NewClusterRow {
  return {
    clusterId: assignment.clusterId,
    clusterName: assignment.clusterName,
    kind,
    runId: run.runId,
    spec,
    warnings,
    createdBy: run.runAs.userName,
    createdAtMs: nowMs,
    ownerId: run.runAs.id,
  };
}
