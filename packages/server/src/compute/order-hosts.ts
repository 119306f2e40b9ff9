/**
 * What a worker is to do with its hosts: compared anew with every heartbeat, so an order that was lost is given again.
 * A host of an all-purpose cluster, or of the shared one, goes when its generation is over; that of a job cluster when
 * its run is.
 */
import type { NewCluster } from '@headrace/api';
import { generationOf, poolOfSpare } from '@headrace/core';
import type { ClusterAssignment, HostOrders, HostReport, HostStatus, HostStop } from '@headrace/worker';
import type { Querier } from '../db/connect.ts';
import { orderSpares } from '../instance-pools/order-spares.ts';
import { withPool } from '../instance-pools/pool-place.ts';
import { type Preparation, withPrepared } from '../prepared-hosts/preparation.ts';
import { findOrdered, findRecordedHosts, type OrderedRow } from './life-store.ts';
import { assignAllPurpose, type ComputeFacts } from './resolve-cluster.ts';
import { isSilent } from './store.ts';

/** A report on its way is younger. */
const settledMs = 15_000;

export interface OrderOptions {
  readonly db: Querier;
  readonly facts: Pick<ComputeFacts, 'cores'>;
  readonly nowMs: number;
  readonly record: (workerId: string, report: HostReport) => Promise<void>;
  readonly preparation: Pick<Preparation, 'order' | 'placeFor'>;
}

/** Null when nothing is to be done. */
export async function orderHosts(
  workerId: string,
  hosts: readonly HostStatus[],
  options: OrderOptions,
): Promise<HostOrders | null> {
  const ofClusters = hosts.filter(({ clusterId }) => poolOfSpare(clusterId) === null);
  await recordWhatDiffers(workerId, ofClusters, options);
  const ids = [...new Set(ofClusters.map(({ clusterId }) => clusterId))];
  const rows = await findOrdered(options.db, workerId, ids);
  const byId = new Map(rows.map((row) => [row.clusterId, row]));
  const stop = ofClusters.flatMap((host) => {
    const row = byId.get(host.clusterId);
    return row === undefined ? [] : stopOf(host, row);
  });
  const there = new Set(hosts.filter(({ state }) => state !== 'failed').map(({ hostKey }) => hostKey));
  const missing = rows
    .flatMap((row) => ownHostOf(row, workerId, options.facts))
    .filter(({ assignment }) => !there.has(assignment.hostKey));
  const start = await Promise.all(
    missing.map(async ({ assignment, spec }) => {
      const placed = await withPool(options.db, spec, { assignment, warnings: [] });
      return withPrepared(placed, options.preparation.placeFor(null)).assignment;
    }),
  );
  const { db, facts, nowMs } = options;
  const spares = await orderSpares(workerId, hosts, { db, cores: facts.cores, nowMs });
  const prepared = await options.preparation.order(workerId, hosts);
  const orders = {
    start: [...start, ...spares.start, ...prepared.start],
    stop: [...stop, ...spares.stop, ...prepared.stop],
    warm: prepared.warm ?? [],
  };
  return orders.stop.length + orders.start.length + orders.warm.length === 0 ? null : orders;
}

/** A report may have been lost: what the worker tells now is the truth. */
async function recordWhatDiffers(
  workerId: string,
  hosts: readonly HostStatus[],
  { db, nowMs, record }: OrderOptions,
): Promise<void> {
  const recorded = await findRecordedHosts(
    db,
    workerId,
    hosts.map(({ hostKey }) => hostKey),
  );
  const known = new Map(recorded.map((host) => [`${host.clusterId} ${host.hostKey}`, host]));
  const told = new Set(hosts.map(({ clusterId, hostKey }) => `${clusterId} ${hostKey}`));
  for (const host of hosts) {
    const { state } = host;
    if (state !== 'failed' && state !== 'running') continue;
    const before = known.get(`${host.clusterId} ${host.hostKey}`);
    if (before?.state === state && (isSilent(host) || !isSilent(before))) continue;
    // What the worker told may be older than a report that overtook it.
    const isOld = before === undefined || nowMs - before.reportedAtMs >= settledMs;
    if (isOld || before.state === 'starting') await record(workerId, { ...host, state });
  }
  for (const { clusterId, hostKey, state, reportedAtMs } of recorded) {
    if (state !== 'starting' && state !== 'running') continue;
    if (told.has(`${clusterId} ${hostKey}`) || nowMs - reportedAtMs < settledMs) continue;
    const facts = { clusterId, hostKey, sparkState: 'none', pid: null } as const;
    await record(workerId, { ...facts, state: 'stopped', message: 'the worker has no such host any more' });
  }
}

function stopOf({ hostKey, state }: HostStatus, row: OrderedRow): HostStop[] {
  if (state === 'failed' || state === 'stopping') return [];
  if (row.kind === 'job') {
    const message = 'the run of the cluster has ended';
    return row.isRunOver ? [{ hostKey, message, isReplaced: true, ifIdle: true }] : [];
  }
  const name = row.kind === 'default' ? 'The shared cluster' : `Cluster ${row.clusterId}`;
  if (row.wanted === 'terminated')
    return [
      { hostKey, message: `${name} was terminated${reasonOf(row)}.`, isReplaced: false, ifIdle: false },
    ];
  if (generationOf(hostKey) === row.generation) return [];
  // A task that has begun meanwhile ends on the host that it began on.
  const isResized =
    generationOf(hostKey) === row.resizedInGeneration && row.generation === row.resizedInGeneration + 1;
  const message = `${name} was ${isResized ? 'resized' : 'restarted'}.`;
  return [{ hostKey, message, isReplaced: true, ifIdle: isResized }];
}

function reasonOf({ termination }: OrderedRow): string {
  if (termination === null) return '';
  const { username } = termination.parameters;
  return username === undefined ? ` (${termination.code})` : ` by ${username}`;
}

/** Of a cluster whose host this worker is to have. */
function ownHostOf(
  row: OrderedRow,
  workerId: string,
  facts: Pick<ComputeFacts, 'cores'>,
): { readonly assignment: ClusterAssignment; readonly spec: NewCluster }[] {
  if (row.kind !== 'all_purpose' || row.wanted !== 'running' || row.workerId !== workerId) return [];
  if (row.ownerId === null) return [];
  return [{ assignment: assignAllPurpose(row, row.ownerId, facts), spec: row.spec }];
}
