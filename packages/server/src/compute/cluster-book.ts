/**
 * Keeps the clusters table in step with what claims decide. Claims cannot wait, so a new cluster is remembered at once
 * and written a moment later; a host's report writes what is still missing first.
 */
import os from 'node:os';
import type { ClusterAssignment, HostReport } from '@headrace/worker';
import type { Services } from '../services.ts';
import {
  type ComputeFacts,
  defaultClusterId,
  defaultClusterName,
  type JobPlaces,
  type ResolvedCluster,
  type RunPlace,
  resolveCluster,
  type TaskPlace,
} from './resolve-cluster.ts';
import { findCluster, insertCluster, type NewClusterRow, upsertHost } from './store.ts';

export interface ClusterBook {
  /** The cluster of an attempt, and what a reader should know about it. Never waits. */
  resolve(
    task: TaskPlace,
    job: JobPlaces,
    run: RunPlace,
  ): { assignment: ClusterAssignment; warnings: readonly string[] };
  recordHostReport(workerId: string, report: HostReport): Promise<void>;
  /** Resolves when everything told so far is stored, or could not be. */
  settle(): Promise<void>;
  /** At start, before anything is claimed. */
  ensureDefault(createdBy: string): Promise<void>;
}

/** Clusters of runs in progress; older ones are in the table. */
const rememberedMax = 10_000;

export function createClusterBook(
  { db, clock, log }: Services,
  cores = os.availableParallelism(),
): ClusterBook {
  const facts: ComputeFacts = { cores };
  const unwritten = new Map<string, NewClusterRow>();
  const written = new Set<string>();
  /** Nobody waits for a host's last report while the worker stops. */
  const underWay = new Set<Promise<void>>();

  function remember(resolved: ResolvedCluster, run: RunPlace): void {
    const { clusterId } = resolved.assignment;
    if (resolved.kind === 'default' || written.has(clusterId) || unwritten.has(clusterId)) return;
    unwritten.set(clusterId, toRow(resolved, run, clock.nowMs()));
    void write(clusterId).catch((error) =>
      log.warn({ err: error, cluster_id: clusterId }, 'a cluster could not be recorded yet'),
    );
  }

  async function write(clusterId: string): Promise<void> {
    const row = unwritten.get(clusterId);
    if (!row) return;
    await insertCluster(db, row);
    unwritten.delete(clusterId);
    if (written.size >= rememberedMax) written.clear();
    written.add(clusterId);
  }

  async function record(workerId: string, report: HostReport): Promise<void> {
    await write(report.clusterId);
    const known = written.has(report.clusterId) || (await findCluster(db, report.clusterId)) !== null;
    // A host of a cluster whose row was tidied away has nothing left to report on.
    if (known) await upsertHost(db, workerId, report, clock.nowMs());
  }

  return {
    resolve(task, job, run) {
      const resolved = resolveCluster(task, job, run, facts);
      remember(resolved, run);
      return { assignment: resolved.assignment, warnings: resolved.warnings };
    },
    recordHostReport(workerId, report) {
      const recording = record(workerId, report).finally(() => underWay.delete(recording));
      underWay.add(recording);
      return recording;
    },
    async settle() {
      await Promise.allSettled([...underWay]);
    },
    async ensureDefault(createdBy) {
      await insertCluster(db, {
        clusterId: defaultClusterId,
        clusterName: defaultClusterName,
        kind: 'default',
        runId: null,
        spec: {},
        warnings: [],
        createdBy,
        createdAtMs: clock.nowMs(),
      });
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
  };
}
