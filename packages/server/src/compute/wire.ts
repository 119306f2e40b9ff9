import type { ClusterDocument, ClusterEvent, TerminationReason } from '@headrace/api';
import type { ClusterEventRow } from './event-store.ts';
import { findNodeSize } from './node-types.ts';
import type { ClusterRow } from './store.ts';

/**
 * A cluster without a host is TERMINATED: it costs nothing and starts when a task needs it. The shared one says
 * RUNNING then too, because clients start or refuse a cluster that they find terminated.
 */
export function toClusterDocument(row: ClusterRow): ClusterDocument {
  const state = toClusterState(row);
  const { spec } = row;
  const numWorkers = spec.num_workers ?? spec.autoscale?.min_workers ?? 0;
  return {
    ...spec,
    cluster_id: row.clusterId,
    cluster_name: row.clusterName,
    cluster_source: row.kind === 'job' ? 'JOB' : 'API',
    creator_user_name: row.createdBy,
    spec: { ...spec },
    state,
    state_message: [messageOf(row), ...row.warnings].filter((text) => text).join('\n'),
    spark_version: spec.spark_version ?? 'headrace',
    num_workers: numWorkers,
    ...sizeOf(row, numWorkers),
    default_tags: tagsOf(row),
    start_time: (row.kind === 'all_purpose' ? row.lifeStartedAtMs : row.startedAtMs) ?? row.createdAtMs,
    ...(row.restartedAtMs === null ? {} : { last_restarted_time: row.restartedAtMs }),
    ...endOf(row, state),
  };
}

function messageOf({ kind, message, lifeMessage }: ClusterRow): string {
  return (kind === 'all_purpose' ? lifeMessage : message) ?? '';
}

/** As `shownState` in store.ts. */
function toClusterState({ kind, state, life, isRunOver }: ClusterRow): ClusterDocument['state'] {
  if (kind === 'default') return 'RUNNING';
  if (life !== null) return life;
  switch (state) {
    case 'starting':
      return isRunOver ? 'TERMINATING' : 'PENDING';
    case 'running':
      return isRunOver ? 'TERMINATING' : 'RUNNING';
    case 'failed':
      return 'ERROR';
    case 'stopped':
    case null:
      return 'TERMINATED';
    default:
      return state satisfies never;
  }
}

function sizeOf({ spec }: ClusterRow, workers: number): Partial<ClusterDocument> {
  const { node_type_id: type, driver_node_type_id: driverType = type } = spec;
  const [worker, driver] = [type, driverType].map((name) => (name === undefined ? null : findNodeSize(name)));
  if (!driver || (workers > 0 && !worker)) return {};
  return {
    cluster_cores: driver.cores + workers * (worker?.cores ?? 0),
    cluster_memory_mb: driver.memoryMb + workers * (worker?.memoryMb ?? 0),
  };
}

function tagsOf({ clusterId, clusterName, createdBy, runId }: ClusterRow): Record<string, string> {
  return {
    Vendor: 'Headrace',
    Creator: createdBy,
    ClusterName: clusterName,
    ClusterId: clusterId,
    ...(runId === null ? {} : { RunId: String(runId) }),
  };
}

function endOf(row: ClusterRow, state: ClusterDocument['state']): Partial<ClusterDocument> {
  const { kind, terminatedAtMs, termination, reportedAtMs } = row;
  if (kind === 'all_purpose') {
    const isEnding = state === 'TERMINATED' || state === 'TERMINATING';
    return {
      ...(state === 'TERMINATED' && terminatedAtMs !== null ? { terminated_time: terminatedAtMs } : {}),
      ...(isEnding && termination !== null ? { termination_reason: termination } : {}),
    };
  }
  if (state !== 'TERMINATED' && state !== 'ERROR') return {};
  return {
    ...(reportedAtMs === null ? {} : { terminated_time: reportedAtMs }),
    ...(row.state === null ? {} : { termination_reason: reasonOf(row) }),
  };
}

function reasonOf({ state, message, isRunOver }: ClusterRow): TerminationReason {
  if (state === 'failed') {
    const parameters = { error_message: message ?? '' };
    return { code: 'DRIVER_UNREACHABLE', type: 'SERVICE_FAULT', parameters };
  }
  return isRunOver ? { code: 'JOB_FINISHED', type: 'SUCCESS' } : { code: 'INACTIVITY', type: 'SUCCESS' };
}

export function toClusterEvent({ clusterId, atMs, kind, details }: ClusterEventRow): ClusterEvent {
  return { cluster_id: clusterId, timestamp: atMs, type: kind, details: { ...details } };
}
