/** Attempts, as workers on other machines hear of them and tell about them. */
import type {
  AttemptReportDocument,
  ClaimedAttemptDocument,
  ClusterAssignmentDocument,
  HostFactsDocument,
  ResponseOf,
  ResumedAttemptDocument,
  routes,
} from '@headrace/api';
import { preparedPoolId, toAttemptId } from '@headrace/core';
import type {
  AttemptRef,
  AttemptReport,
  ClaimedAttempt,
  ClusterAssignment,
  Heartbeat,
  HostReport,
  ResumedAttempt,
} from '@headrace/worker';

export function toRefDocument({ attemptId, epoch }: AttemptRef) {
  return { attempt_id: attemptId, epoch };
}

export function fromRefDocument(document: { attempt_id: number; epoch: number }): AttemptRef {
  return { attemptId: toAttemptId(document.attempt_id), epoch: document.epoch };
}

export function toClaimedDocument(attempt: ClaimedAttempt): ClaimedAttemptDocument {
  return {
    ...toRefDocument(attempt),
    run_id: attempt.runId,
    task_key: attempt.taskKey,
    cluster: toClusterDocument(attempt.cluster),
    document: { ...attempt.document },
  };
}

function toClusterDocument(cluster: ClusterAssignment): ClusterAssignmentDocument {
  const { clusterId, clusterName, hostKey, sparkConf, environment, idleMs } = cluster;
  const { initScripts, principalId, pool, executors } = cluster;
  return {
    cluster_id: clusterId,
    cluster_name: clusterName,
    host_key: hostKey,
    spark_conf: { ...sparkConf },
    environment: { ...environment },
    idle_ms: idleMs,
    ...(initScripts && {
      init_scripts: {
        paths: [...initScripts.paths],
        log_folder: initScripts.logFolder,
        timeout_ms: initScripts.timeoutMs,
      },
    }),
    ...(executors && {
      executors: {
        ...{ min: executors.min, max: executors.max },
        node: executors.node && { cores: executors.node.cores, memory_mb: executors.node.memoryMb },
      },
    }),
    ...(principalId !== undefined && { principal_id: principalId }),
    // Nothing waits for jobs on workers elsewhere.
    ...(pool &&
      pool.poolId !== preparedPoolId && {
        pool: {
          pool_id: pool.poolId,
          name: pool.name,
          capacity_max: pool.capacityMax,
          is_spare: pool.isSpare,
        },
      }),
  };
}

export function toHeartbeatDocument({
  stop,
  gone,
  orders,
}: Heartbeat): ResponseOf<typeof routes.workersHeartbeat> {
  return {
    stop: stop.map(({ reason, ...ref }) => ({ ...toRefDocument(ref), reason })),
    gone: gone.map(toRefDocument),
    ...(orders && {
      orders: {
        start: orders.start.map(toClusterDocument),
        stop: orders.stop.map(({ hostKey, message, isReplaced, ifIdle }) => ({
          host_key: hostKey,
          message,
          is_replaced: isReplaced,
          if_idle: ifIdle,
        })),
      },
    }),
  };
}

type HostDocument<State> = HostFactsDocument & { readonly state: State };

export function fromHostDocument<State extends string>(document: HostDocument<State>) {
  const { failure_code: failureCode, executors } = document;
  return {
    clusterId: document.cluster_id,
    hostKey: document.host_key,
    state: document.state,
    sparkState: document.spark_state,
    pid: document.pid ?? null,
    message: document.message,
    ...(failureCode && { failureCode }),
    ...(executors && { executors }),
  } satisfies Omit<HostReport, 'state'> & { readonly state: State };
}

export function toResumedDocument(attempt: ResumedAttempt): ResumedAttemptDocument {
  return { ...toClaimedDocument(attempt), state: attempt.state, stop_reason: attempt.stopReason };
}

/** @param nowMs by the clock that the moments of the report are to be of. */
export function fromReportDocument(document: AttemptReportDocument, nowMs: number): AttemptReport {
  const ref = fromRefDocument(document);
  switch (document.kind) {
    case 'started':
      return { kind: 'started', ...ref, startedAtMs: document.started_at_ms };
    case 'ended': {
      const { outcome, task_values: taskValues, exit_value: exitValue, ended_ms_ago: endedMsAgo } = document;
      const ended = { kind: 'ended', ...ref, outcome, taskValues, exitValue } as const;
      return endedMsAgo === undefined ? ended : { ...ended, endedAtMs: nowMs - endedMsAgo };
    }
    case 'lost': {
      const { before_user_code: beforeUserCode, message } = document;
      return { kind: 'lost', ...ref, beforeUserCode, message };
    }
  }
}
