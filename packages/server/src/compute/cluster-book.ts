/**
 * What the server knows of clusters while it claims, and keeps in step with what workers report. Claims cannot wait for
 * the row of a cluster that a job describes: it is remembered at once and written a moment later; a host's report writes
 * what is still missing first.
 */
import os from 'node:os';
import type { Failure } from '@headrace/core';
import type { ClusterAssignment, HostOrders, HostReport, HostStatus } from '@headrace/worker';
import type { Principal } from '../context.ts';
import { findHome } from '../instance-pools/order-spares.ts';
import { type Placed, withPool } from '../instance-pools/pool-place.ts';
import type { Loop } from '../loops/driver.ts';
import { createPreparation, withPrepared } from '../prepared-hosts/preparation.ts';
import type { Services } from '../services.ts';
import { clusterLoopName } from './cluster-loop.ts';
import { findExisting } from './find-existing.ts';
import { createJobClusters, type JobClusters, resolveGoverned } from './job-clusters.ts';
import { findLife, findWorkersOf } from './life-store.ts';
import { orderHosts } from './order-hosts.ts';
import { recordHost } from './record-host.ts';
import {
  assignAllPurpose,
  type ComputeFacts,
  defaultClusterId,
  defaultClusterName,
  findDescribed,
  type JobPlaces,
  noDefaultSettings,
  type RunPlace,
  resolveCluster,
  type TaskPlace,
} from './resolve-cluster.ts';
import { settleCluster } from './settle-clusters.ts';
import { insertCluster } from './store.ts';

export interface ClusterBook {
  /** The cluster of an attempt, and what a reader should know about it. Waits only for one that the task names by id. */
  resolve(
    task: TaskPlace,
    job: JobPlaces,
    run: RunPlace,
    options?: { readonly mayStart?: boolean; readonly jobId?: number | null },
  ): Promise<{ assignment: ClusterAssignment; warnings: readonly string[] } | Failure>;
  /** The shared cluster as this principal's tasks get it. */
  spareFor(principal: Pick<Principal, 'id' | 'userName'>): ClusterAssignment;
  recordHostReport(workerId: string, report: HostReport): Promise<void>;
  /** What a worker is to do with its hosts; null when nothing. */
  orderHosts(workerId: string, hosts: readonly HostStatus[]): Promise<HostOrders | null>;
  /** A cluster was changed: brings it on as far as it goes at once, and rings the workers that it concerns. */
  announce(clusterId: string): Promise<void>;
  /** Rings the workers that these clusters concern. */
  ringAll(clusterIds: readonly string[]): Promise<void>;
  listen(listener: ClusterListener): void;
  /** Pools were changed: rings the worker that keeps their hosts. */
  announcePools(): Promise<void>;
  /** Processors of this machine: the threads of a cluster at most. */
  readonly cores: number;
  /** Learns what another server changed of the shared cluster. */
  readonly loop: Loop;
  /** Learns which jobs are expected; null where nothing waits for them. */
  readonly preparationLoop: Loop | null;
  /** Resolves when everything told so far is stored, or could not be. */
  settle(): Promise<void>;
  /** At start, before anything is claimed. */
  ensureDefault(admin: Pick<Principal, 'id' | 'userName'>): Promise<void>;
}

/** Makes others look at the store at once: workers, and the loops of every server. */
export interface ClusterListener {
  ringWorker(workerId: string): void;
  wakeEverywhere(loopName: string): void;
}

export const sharedClusterLoopName = 'shared-cluster';
const sharedEveryMs = 5_000;

export function createClusterBook(services: Services, cores = os.availableParallelism()): ClusterBook {
  const { db, clock } = services;
  let facts: ComputeFacts = { cores, defaultCluster: noDefaultSettings };
  const jobClusters = createJobClusters(services);
  const preparation = createPreparation(services, () => facts);
  let listener: ClusterListener = { ringWorker() {}, wakeEverywhere() {} };
  /** Nobody waits for a host's last report while the worker stops. */
  const underWay = new Set<Promise<void>>();

  async function record(workerId: string, report: HostReport): Promise<void> {
    await jobClusters.write(report.clusterId);
    if (await recordHost(services, workerId, report)) await ring(report.clusterId);
  }

  async function ring(clusterId: string): Promise<void> {
    for (const workerId of await findWorkersOf(db, clusterId)) listener.ringWorker(workerId);
    listener.wakeEverywhere(clusterId === defaultClusterId ? sharedClusterLoopName : clusterLoopName);
  }

  async function refreshDefault(): Promise<void> {
    const row = await findLife(db, defaultClusterId);
    if (row) facts = { ...facts, defaultCluster: { spec: row.spec, generation: row.generation } };
  }

  return {
    cores,
    preparationLoop: preparation.loop,
    async resolve(task, job, run, { mayStart = false, jobId = null } = {}) {
      const placed = await placeTask(services, { task, job, run, mayStart }, { facts, jobClusters });
      return withPrepared(placed, preparation.placeFor(jobId));
    },
    spareFor: ({ id, userName }) =>
      resolveCluster({ task_key: '' }, {}, { runId: 0, runAs: { id, userName } }, facts).assignment,
    recordHostReport(workerId, report) {
      const recording = record(workerId, report).finally(() => underWay.delete(recording));
      underWay.add(recording);
      return recording;
    },
    orderHosts: (workerId, hosts) =>
      orderHosts(workerId, hosts, { db, facts, nowMs: clock.nowMs(), record, preparation }),
    async announce(clusterId) {
      if (clusterId === defaultClusterId) await refreshDefault();
      else await settleCluster(services, clusterId);
      await ring(clusterId);
    },
    async ringAll(clusterIds) {
      for (const clusterId of clusterIds) await ring(clusterId);
    },
    async announcePools() {
      const home = await findHome(db);
      if (home !== null) listener.ringWorker(home.workerId);
    },
    listen(told) {
      listener = told;
    },
    loop: {
      name: sharedClusterLoopName,
      everyMs: sharedEveryMs,
      async turn() {
        await refreshDefault();
        return 'idle';
      },
    },
    async settle() {
      await Promise.allSettled([...underWay]);
    },
    async ensureDefault({ id, userName }) {
      await insertCluster(db, {
        ...{ clusterId: defaultClusterId, clusterName: defaultClusterName, kind: 'default', runId: null },
        ...{ spec: {}, warnings: [], createdBy: userName, createdAtMs: clock.nowMs(), ownerId: id },
      });
      await refreshDefault();
    },
  };
}

interface PlaceRequest {
  readonly task: TaskPlace;
  readonly job: JobPlaces;
  readonly run: RunPlace;
  readonly mayStart: boolean;
}

async function placeTask(
  services: Services,
  { task, job, run, mayStart }: PlaceRequest,
  { facts, jobClusters }: { readonly facts: ComputeFacts; readonly jobClusters: JobClusters },
): Promise<Placed | Failure> {
  const { db } = services;
  const { existing_cluster_id: id, task_key: taskKey } = task;
  const isNamed = id !== undefined && id !== defaultClusterId && !task.new_cluster && !task.job_cluster_key;
  const found = isNamed ? await findExisting(services, id, { run, taskKey, mayStart }) : null;
  if (found !== null && 'code' in found) return found;
  if (found !== null) {
    const assignment = assignAllPurpose(found.row, run.runAs.id, facts);
    return withPool(db, found.row.spec, { assignment, warnings: [] });
  }
  const described = findDescribed(task, job, run);
  if (described?.spec.policy_id !== undefined)
    return resolveGoverned(task, described, { run, facts, db, jobClusters });
  const resolved = resolveCluster(task, job, run, facts);
  jobClusters.remember(resolved, run);
  return withPool(db, resolved.spec, resolved);
}
