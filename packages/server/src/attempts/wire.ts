/** Attempts, as workers on other machines hear of them and tell about them. */
import type { AttemptReportDocument, ClaimedAttemptDocument, ResumedAttemptDocument } from '@headrace/api';
import { toAttemptId } from '@headrace/core';
import type { AttemptRef, AttemptReport, ClaimedAttempt, ResumedAttempt } from '@headrace/worker';

export function toRefDocument({ attemptId, epoch }: AttemptRef) {
  return { attempt_id: attemptId, epoch };
}

export function fromRefDocument(document: { attempt_id: number; epoch: number }): AttemptRef {
  return { attemptId: toAttemptId(document.attempt_id), epoch: document.epoch };
}

export function toClaimedDocument(attempt: ClaimedAttempt): ClaimedAttemptDocument {
  const { clusterId, clusterName, hostKey, sparkConf, environment, idleMs } = attempt.cluster;
  return {
    ...toRefDocument(attempt),
    run_id: attempt.runId,
    task_key: attempt.taskKey,
    cluster: {
      cluster_id: clusterId,
      cluster_name: clusterName,
      host_key: hostKey,
      spark_conf: { ...sparkConf },
      environment: { ...environment },
      idle_ms: idleMs,
    },
    document: { ...attempt.document },
  };
}

export function toResumedDocument(attempt: ResumedAttempt): ResumedAttemptDocument {
  return { ...toClaimedDocument(attempt), state: attempt.state, stop_reason: attempt.stopReason };
}

export function fromReportDocument(document: AttemptReportDocument): AttemptReport {
  const ref = fromRefDocument(document);
  switch (document.kind) {
    case 'started':
      return { kind: 'started', ...ref, startedAtMs: document.started_at_ms };
    case 'ended': {
      const { outcome, task_values: taskValues, exit_value: exitValue } = document;
      return { kind: 'ended', ...ref, outcome, taskValues, exitValue };
    }
    case 'lost': {
      const { before_user_code: beforeUserCode, message } = document;
      return { kind: 'lost', ...ref, beforeUserCode, message };
    }
  }
}
