import type { ClusterDocument } from '@headrace/api';
import type { ClusterRow } from './store.ts';

/**
 * A cluster without a host is TERMINATED: it costs nothing and starts when a task needs it. The shared one says
 * RUNNING then too, because clients start or refuse a cluster that they find terminated.
 */
export function toClusterDocument(row: ClusterRow): ClusterDocument {
  const state = toClusterState(row);
  const ended = (row.state === 'stopped' || row.state === 'failed') && row.reportedAtMs !== null;
  return {
    ...row.spec,
    cluster_id: row.clusterId,
    cluster_name: row.clusterName,
    cluster_source: row.kind === 'default' ? 'API' : 'JOB',
    creator_user_name: row.createdBy,
    state,
    state_message: [row.message, ...row.warnings].filter((text) => text).join('\n'),
    spark_version: row.spec.spark_version ?? 'headrace',
    num_workers: row.spec.num_workers ?? row.spec.autoscale?.min_workers ?? 0,
    start_time: row.startedAtMs ?? row.createdAtMs,
    ...(ended && state !== 'RUNNING' ? { terminated_time: row.reportedAtMs ?? row.createdAtMs } : {}),
  };
}

function toClusterState({ kind, state }: ClusterRow): ClusterDocument['state'] {
  switch (state) {
    case 'starting':
      return kind === 'default' ? 'RUNNING' : 'PENDING';
    case 'running':
      return 'RUNNING';
    case 'failed':
      return kind === 'default' ? 'RUNNING' : 'ERROR';
    case 'stopped':
    case null:
      return kind === 'default' ? 'RUNNING' : 'TERMINATED';
    default:
      return state satisfies never;
  }
}
