/** Takes in what a worker reports of a host: the host's row, the events that people read, and what follows for the cluster. */
import type { ClusterNews } from '@headrace/core';
import type { HostReport } from '@headrace/worker';
import type { Services } from '../services.ts';
import { insertClusterEvents } from './event-store.ts';
import { findLife, type LifeRow } from './life-store.ts';
import { allPurposeHostKey } from './resolve-cluster.ts';
import { settleCluster } from './settle-clusters.ts';
import { upsertHost } from './store.ts';

/** Whether an all-purpose cluster moved. A host of a cluster whose row was tidied away has nothing left to report on. */
export async function recordHost(
  services: Pick<Services, 'db' | 'clock'>,
  workerId: string,
  report: HostReport,
): Promise<boolean> {
  const { db, clock } = services;
  const row = await findLife(db, report.clusterId);
  if (row === null) return false;
  const before = await upsertHost(db, workerId, report, clock.nowMs());
  if (before !== report.state) {
    await insertClusterEvents(db, row.clusterId, newsOf(row, workerId, report, before), clock.nowMs());
  }
  return row.kind === 'all_purpose' && settleCluster(services, row.clusterId);
}

function newsOf(
  row: LifeRow,
  workerId: string,
  { state, message, hostKey }: HostReport,
  before: HostReport['state'] | null,
): ClusterNews[] {
  const { kind, spec, clusterId, ownerId, generation } = row;
  const hasScripts = (spec.init_scripts ?? []).length > 0;
  const hasPool = spec.instance_pool_id !== undefined && message !== '';
  const scripts = { init_scripts: { cluster: spec.init_scripts, reported_for_node: workerId } };
  switch (state) {
    case 'starting':
      return [
        ...(hasPool
          ? [{ type: 'STARTING', details: { driver_state_message: message, worker: workerId } }]
          : []),
        ...(hasScripts ? [{ type: 'INIT_SCRIPTS_STARTED', details: scripts }] : []),
      ];
    case 'running':
      return [
        ...(hasScripts && before === 'starting' ? [{ type: 'INIT_SCRIPTS_FINISHED', details: scripts }] : []),
        ...(kind === 'job' ? [{ type: 'RUNNING', details: { worker: workerId } }] : []),
        // Whether it found a host in its pool, or why not.
        ...(hasPool ? [{ type: 'DRIVER_HEALTHY', details: { driver_state_message: message } }] : []),
      ];
    case 'stopped':
      return kind === 'job' ? [{ type: 'TERMINATING', details: { driver_state_message: message } }] : [];
    case 'failed': {
      const details = { driver_state_message: message, worker: workerId };
      if (kind !== 'all_purpose') return [{ type: 'DRIVER_UNAVAILABLE', details }];
      // Of the owner's own host the decision tells.
      const isOwn = hostKey === allPurposeHostKey(clusterId, ownerId, generation);
      return isOwn ? [] : [{ type: 'ADD_NODES_FAILED', details }];
    }
  }
}
