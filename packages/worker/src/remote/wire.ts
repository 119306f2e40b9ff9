/** Attempts as they travel between a server and a worker on another machine. */
import type {
  AttemptReportDocument,
  ClaimedAttemptDocument,
  ClusterAssignmentDocument,
  HostFactsDocument,
  ResponseOf,
  ResumedAttemptDocument,
  routes,
} from '@headrace/api';
import { toAttemptId, toRunId } from '@headrace/core';
import type {
  AttemptRef,
  AttemptReport,
  ClaimedAttempt,
  ClusterAssignment,
  Heartbeat,
  HostReport,
  HostStatus,
  ResumedAttempt,
} from '../ports.ts';
import type { AttemptDocument } from '../protocol.ts';

/** What is another on this machine than on the server's. */
export interface Place {
  readonly apiUrl: string;
  readonly dataRoot: string;
}

export function toRefDocument({ attemptId, epoch }: AttemptRef) {
  return { attempt_id: attemptId, epoch };
}

export function fromRefDocument(document: { attempt_id: number; epoch: number }): AttemptRef {
  return { attemptId: toAttemptId(document.attempt_id), epoch: document.epoch };
}

export function fromClaimedDocument(claimed: ClaimedAttemptDocument, place: Place): ClaimedAttempt {
  const { cluster } = claimed;
  // The server made it, for workers of this protocol version.
  const document = claimed.document as unknown as AttemptDocument;
  return {
    ...fromRefDocument(claimed),
    runId: toRunId(claimed.run_id),
    taskKey: claimed.task_key,
    cluster: fromClusterDocument(cluster),
    document: {
      ...document,
      api: { ...document.api, url: place.apiUrl },
      data_root: place.dataRoot,
    },
  };
}

function fromClusterDocument(cluster: ClusterAssignmentDocument): ClusterAssignment {
  const { init_scripts: scripts, executors } = cluster;
  return {
    clusterId: cluster.cluster_id,
    clusterName: cluster.cluster_name,
    hostKey: cluster.host_key,
    sparkConf: cluster.spark_conf,
    environment: cluster.environment,
    idleMs: cluster.idle_ms,
    ...(scripts && {
      initScripts: {
        paths: scripts.paths,
        logFolder: scripts.log_folder,
        timeoutMs: scripts.timeout_ms,
      },
    }),
    ...(executors && {
      executors: {
        ...{ min: executors.min, max: executors.max },
        node: executors.node && { cores: executors.node.cores, memoryMb: executors.node.memory_mb },
      },
    }),
    ...(cluster.principal_id !== undefined && { principalId: cluster.principal_id }),
    ...(cluster.pool && {
      pool: {
        poolId: cluster.pool.pool_id,
        name: cluster.pool.name,
        capacityMax: cluster.pool.capacity_max,
        isSpare: cluster.pool.is_spare,
      },
    }),
  };
}

type HeartbeatDocument = ResponseOf<typeof routes.workersHeartbeat>;

export function fromHeartbeatDocument({ stop, gone, orders }: HeartbeatDocument): Heartbeat {
  return {
    stop: stop.map((request) => ({ ...fromRefDocument(request), reason: request.reason })),
    gone: gone.map(fromRefDocument),
    ...(orders && {
      orders: {
        start: orders.start.map(fromClusterDocument),
        stop: orders.stop.map((order) => ({
          hostKey: order.host_key,
          message: order.message,
          isReplaced: order.is_replaced,
          ifIdle: order.if_idle,
        })),
      },
    }),
  };
}

export function toHostDocument<State extends string>(
  report: Omit<HostReport | HostStatus, 'state'> & { readonly state: State },
): HostFactsDocument & { state: State } {
  const { clusterId, hostKey, state, sparkState, pid, message, failureCode, executors } = report;
  return {
    ...{ cluster_id: clusterId, host_key: hostKey, state, spark_state: sparkState },
    message: toText(message).slice(0, messageCharsMax),
    ...(pid === null ? {} : { pid }),
    ...(executors && { executors: { ...executors } }),
    ...(failureCode === undefined ? {} : { failure_code: failureCode }),
  };
}

/** What the server takes. */
const messageCharsMax = 10_000;

export function fromResumedDocument(resumed: ResumedAttemptDocument, place: Place): ResumedAttempt {
  return { ...fromClaimedDocument(resumed, place), state: resumed.state, stopReason: resumed.stop_reason };
}

/** @param nowMs by the clock of this machine, when it is sent: a report may have waited long. */
export function toReportDocument(report: AttemptReport, nowMs: number): AttemptReportDocument {
  const ref = toRefDocument(report);
  switch (report.kind) {
    case 'started':
      return { kind: 'started', ...ref, started_at_ms: report.startedAtMs };
    case 'ended':
      return {
        kind: 'ended',
        ...ref,
        outcome: toOutcomeDocument(report.outcome),
        task_values: { ...report.taskValues } as Extract<
          AttemptReportDocument,
          { kind: 'ended' }
        >['task_values'], // Both are JSON; theirs may be changed.
        exit_value: toText(report.exitValue),
        ...(report.endedAtMs !== undefined && { ended_ms_ago: Math.max(0, nowMs - report.endedAtMs) }),
      };
    case 'lost': {
      const { beforeUserCode, message } = report;
      return { kind: 'lost', ...ref, before_user_code: beforeUserCode, message: toText(message) };
    }
  }
}

/** In place of an end that a server will not take: too large, or holding what it cannot read. */
export function toRefusedDocument(
  refused: Extract<AttemptReportDocument, { kind: 'ended' }>,
  reason: string,
): AttemptReportDocument {
  const message = `What this attempt reported at its end was refused by the server: ${reason}`;
  const failure = { code: 'INTERNAL_ERROR', message, trace: null } as const;
  return { ...refused, outcome: { kind: 'failed', failure }, task_values: {}, exit_value: null };
}

function toOutcomeDocument(outcome: Extract<AttemptReport, { kind: 'ended' }>['outcome']) {
  if (outcome.kind !== 'failed') return outcome;
  const { code, message, trace } = outcome.failure;
  return { kind: 'failed', failure: { code, message: toText(message), trace: toText(trace) } } as const;
}

/** Programs print what no server takes: NULs, and halves of characters. */
function toText<Text extends string | null>(text: Text): Text {
  return (text === null ? null : text.toWellFormed().replaceAll('\0', '\ufffd')) as Text; // Null stays null.
}
