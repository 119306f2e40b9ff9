/** Takes in what a worker reports of a host: the host's row, the events that people read, and what follows for the cluster. */
import type { ClusterNews } from '@headrace/core';
import type { HostReport } from '@headrace/worker';
import type { Services } from '../services.ts';
import { insertClusterEvents } from './event-store.ts';
import { findLife, type LifeRow } from './life-store.ts';
import { allPurposeHostKey } from './resolve-cluster.ts';
import { settleCluster } from './settle-clusters.ts';
import { isSilent, type KnownHost, upsertHost } from './store.ts';

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
  const news = [
    ...(before?.state !== report.state ? newsOf(row, workerId, report, before?.state ?? null) : []),
    ...driverNews(report, workerId, before),
    ...executorNews(report),
  ];
  await insertClusterEvents(db, row.clusterId, news, clock.nowMs());
  return row.kind === 'all_purpose' && settleCluster(services, row.clusterId);
}

/** Of a driver, or the host of one, that falls silent, answers again, or was ended for its silence. */
function driverNews(report: HostReport, workerId: string, before: KnownHost | null): ClusterNews[] {
  const wasSilent = before?.state === 'running' && isSilent(before);
  if (report.state !== 'running' || wasSilent === isSilent(report)) return [];
  const details = { driver_state_message: report.message, worker: workerId };
  if (!wasSilent) return [{ type: 'DRIVER_NOT_RESPONDING', details }];
  return [{ type: report.sparkState === 'failed' ? 'DRIVER_UNAVAILABLE' : 'DRIVER_HEALTHY', details }];
}

/** Whether it took a host that waited for its job, or why not; see spare-hosts.ts of the worker. */
const tellsPlace = /^it (took a waiting host|starts cold|started cold)/;

/** Of the executors that a Spark master gives and takes. */
function executorNews({ executors, message }: HostReport): ClusterNews[] {
  if (executors === undefined) return [];
  const { master, running, before, min, max } = executors;
  const details = {
    ...{ current_num_workers: running, previous_num_workers: before, driver_state_message: message },
    ...{
      target_num_workers: min === max ? max : { min_workers: min, max_workers: max },
      spark_master: master,
    },
  };
  if (running > before) return [{ type: 'UPSIZE_COMPLETED', details }];
  const isScaling = running >= min;
  return [
    {
      type: isScaling ? 'RESIZING' : 'NODES_LOST',
      details: { ...details, ...(isScaling && { cause: 'AUTOSCALE' }) },
    },
  ];
}

function newsOf(
  row: LifeRow,
  workerId: string,
  { state, message, hostKey }: HostReport,
  before: HostReport['state'] | null,
): ClusterNews[] {
  const { kind, spec, clusterId, ownerId, generation } = row;
  const hasScripts = (spec.init_scripts ?? []).length > 0;
  const hasPool = message !== '' && (spec.instance_pool_id !== undefined || tellsPlace.test(message));
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
