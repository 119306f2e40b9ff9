/** Why a task run stands where it does: from its row, what was recorded when it was decided, and who else waits. */
import { ApiError } from '@headrace/api';
import {
  assertNever,
  endpointLabel,
  findDefinition,
  graphOf,
  noLabels,
  type RunDefinition,
  type StopReason,
} from '@headrace/core';
import { assert } from '../assert.ts';
import { listRecentHosts } from '../compute/list-hosts.ts';
import type { Services } from '../services.ts';
import {
  type ConditionSides,
  lastLineOf,
  type TaskFact,
  type TaskSubject,
  toldMax,
} from './explain-facts.ts';
import {
  countQueuedAttemptsBefore,
  type RecordedDecision,
  readDecision,
  readPhase,
  readSilentHost,
  readWorkerSlots,
} from './explain-store.ts';
import { toPhase } from './run-rows.ts';
import type { RunView, TaskRunView } from './store.ts';
import { countIterations } from './view-store.ts';
import { toRunWireState } from './wire-states.ts';
import { findWrittenTask, toTaskRunState } from './wire-tasks.ts';
import { findSilence } from './worker-silence.ts';

export type ExplainServices = Pick<Services, 'db' | 'clock'>;

/** The run, and the latest attempt of each of its tasks. */
export interface ExplainedRun {
  readonly run: RunView;
  readonly definition: RunDefinition;
  readonly latest: ReadonlyMap<string, TaskRunView>;
}

export async function explainTaskRun(
  services: ExplainServices,
  explained: ExplainedRun,
  taskRun: TaskRunView,
): Promise<TaskFact[]> {
  const state = toTaskRunState(taskRun);
  const subject = subjectOf(taskRun);
  switch (state.kind) {
    case 'blocked':
      return [explainBlocked(explained, subject)];
    case 'waiting_for_retry':
      return [
        {
          kind: 'waits_for_retry',
          ...subject,
          due_at_ms: state.dueAtMs,
          attempt_number: taskRun.earlier_attempts,
        },
      ];
    case 'ready':
      return [{ kind: 'waits_for_child_to_be_made', ...subject }];
    case 'queued':
      return [await explainQueued(services, explained, taskRun, { subject, sinceMs: state.queuedAtMs })];
    case 'claimed':
      return [await explainClaimed(services, taskRun, state)];
    case 'running':
      return [
        {
          ...{ kind: 'running', ...subject, since_ms: state.startedAtMs, worker_id: state.workerId },
          ...(await tellSilence(services, state.workerId)),
          ...(await tellSilentHost(services, taskRun.cluster_id, state.workerId)),
        },
      ];
    case 'running_parts':
      return explainParts(services, taskRun, state);
    case 'stopping':
      return [
        {
          ...{ kind: 'stopping', ...subject, reason: state.reason, since_ms: state.stoppingAtMs },
          ...(await tellSilence(services, state.workerId)),
          ...(await tellSilentHost(services, taskRun.cluster_id, state.workerId)),
        },
      ];
    case 'ended':
      return explainEnded(services, explained, taskRun);
    default:
      return assertNever(state);
  }
}

async function tellSilence({ db }: ExplainServices, workerId: string) {
  const silence = await findSilence(db, workerId);
  return silence === null ? {} : { silence };
}

async function tellSilentHost({ db }: ExplainServices, clusterId: string | null, workerId: string) {
  const message = clusterId === null ? null : await readSilentHost(db, { clusterId, workerId });
  return message === null ? {} : { host_message: message };
}

function subjectOf({ task_key, iteration, parent_attempt_id }: TaskRunView): TaskSubject {
  return parent_attempt_id === null ? { task_key } : { task_key, iteration };
}

function explainBlocked({ run, definition, latest }: ExplainedRun, subject: TaskSubject): TaskFact {
  if (run.phase === 'queued') return { kind: 'waits_for_run', ...subject };
  const task = definition.tasks.find(({ key }) => key === subject.task_key);
  const keys = new Set((task?.dependsOn ?? []).map(({ key }) => key));
  const open = [...keys].flatMap((task_key) => {
    const state = latest.get(task_key)?.state ?? 'blocked';
    return state === 'ended' ? [] : [{ task_key, state }];
  });
  return { kind: 'waits_for_tasks', ...subject, tasks: open.slice(0, toldMax), count: open.length };
}

async function explainQueued(
  { db }: ExplainServices,
  { definition }: ExplainedRun,
  taskRun: TaskRunView,
  { subject, sinceMs }: { readonly subject: TaskSubject; readonly sinceMs: number },
): Promise<TaskFact> {
  const asked = findDefinition(graphOf(definition), taskRun.task_key)?.workerLabels ?? noLabels;
  // Of what nobody can give, nobody is told.
  const told = Object.hasOwn(asked, endpointLabel) ? noLabels : asked;
  const found = await readWorkerSlots(db, asked);
  const { workers, slots, held, full_worker_ids, labels: takers, silent } = found;
  const ahead = await countQueuedAttemptsBefore(db, taskRun, { asked, takers });
  return {
    kind: 'waits_for_worker',
    ...subject,
    since_ms: sinceMs,
    position: ahead + 1,
    ...(told === noLabels ? {} : { worker_labels: told }),
    workers,
    slots,
    free_slots: Math.max(0, slots - held),
    ...(told === noLabels ? {} : { full_worker_ids }),
    ...(silent.length === 0 ? {} : { silent_workers: silent }),
  };
}

async function explainClaimed(
  services: ExplainServices,
  taskRun: TaskRunView,
  { workerId, claimedAtMs }: { readonly workerId: string; readonly claimedAtMs: number },
): Promise<TaskFact> {
  const hosts = taskRun.cluster_id === null ? [] : await listRecentHosts(services);
  const host = hosts.find((found) => found.clusterId === taskRun.cluster_id && found.workerId === workerId);
  return {
    kind: 'waits_for_cluster',
    ...subjectOf(taskRun),
    since_ms: claimedAtMs,
    worker_id: workerId,
    cluster_id: taskRun.cluster_id,
    host_state: host?.state ?? null,
    message: host?.message || null,
    ...(await tellSilence(services, workerId)),
  };
}

/** A for-each with its iterations, or a task whose work is another run. */
async function explainParts(
  { db }: ExplainServices,
  taskRun: TaskRunView,
  state: {
    readonly startedAtMs: number;
    readonly stop: { readonly reason: StopReason; readonly stoppingAtMs: number } | null;
  },
): Promise<TaskFact[]> {
  const subject = subjectOf(taskRun);
  const { stop } = state;
  const own: TaskFact = stop
    ? { kind: 'stopping', ...subject, reason: stop.reason, since_ms: stop.stoppingAtMs }
    : { kind: 'running', ...subject, since_ms: state.startedAtMs, worker_id: null };
  const { child_run_id: childRunId } = taskRun;
  if (childRunId !== null) {
    const child = await readPhase(db, childRunId);
    const phase = child && toRunWireState(toPhase(child), child.cause).state.life_cycle_state;
    return [own, { kind: 'waits_for_child_run', ...subject, run_id: childRunId, state: phase ?? 'UNKNOWN' }];
  }
  return [own, await explainIterations({ db }, taskRun)];
}

async function explainIterations(
  { db }: Pick<ExplainServices, 'db'>,
  taskRun: TaskRunView,
): Promise<TaskFact> {
  const [counts] = await countIterations(db, [taskRun.attempt_id]);
  const reused = taskRun.reused_count ?? 0;
  return {
    kind: 'iterations',
    ...subjectOf(taskRun),
    total: taskRun.inputs_count ?? 0,
    completed: (counts ? counts.begun - counts.active : 0) + reused,
    active: counts?.active ?? 0,
    failed: counts?.failed ?? 0,
  };
}

async function explainEnded(
  { db }: ExplainServices,
  explained: ExplainedRun,
  taskRun: TaskRunView,
): Promise<TaskFact[]> {
  const { result, ended_at_ms: endedAtMs, failure } = taskRun;
  assert(result !== null && endedAtMs !== null, `attempt ${taskRun.attempt_id} has ended without a result`);
  if (taskRun.claimed_at_ms === null) {
    const decision = await readDecision(db, taskRun);
    if (decision) return explainDecision(explained, taskRun, decision);
    if (result === 'disabled') return [{ kind: 'disabled', ...subjectOf(taskRun) }];
  }
  const reason = taskRun.stop_reason ?? (result === 'cancelled' ? explained.run.stop_reason : null);
  const message = failure ? lastLineOf(failure.message) : '';
  const ended: TaskFact = {
    kind: 'ended',
    ...subjectOf(taskRun),
    result,
    at_ms: endedAtMs,
    attempt_number: taskRun.earlier_attempts,
    ...(reason === null ? {} : { reason }),
    ...(message === '' ? {} : { message }),
  };
  if (taskRun.inputs_count !== null) return [ended, await explainIterations({ db }, taskRun)];
  return taskRun.condition === null ? [ended] : [ended, explainCondition(explained, taskRun)];
}

function explainCondition(explained: ExplainedRun, taskRun: TaskRunView): TaskFact {
  assert(taskRun.condition !== null, `attempt ${taskRun.attempt_id} has evaluated no condition`);
  const sides = sidesOf(explained, taskRun.task_key, taskRun.condition);
  const { outcome } = taskRun.condition;
  return { kind: 'condition_evaluated', ...subjectOf(taskRun), outcome, ...sides };
}

/** What counted as excluded was excluded, or is a condition whose other branch this task stands on. */
function explainDecision(
  explained: ExplainedRun,
  taskRun: TaskRunView,
  decision: RecordedDecision,
): TaskFact[] {
  const subject = subjectOf(taskRun);
  if (decision.kind === 'guard_not_met') {
    const sides = sidesOf(explained, taskRun.task_key, decision);
    return [{ kind: 'excluded_by_guard', ...subject, ...sides }];
  }
  const { result } = taskRun;
  assert(result !== null, `attempt ${taskRun.attempt_id} has ended without a result`);
  const branches = decision.parents.flatMap(({ task_key, result: counted }): TaskFact[] => {
    const parent = explained.latest.get(task_key);
    if (counted !== 'excluded' || parent?.result !== 'succeeded' || parent.condition === null) return [];
    const sides = sidesOf(explained, task_key, parent.condition);
    const { outcome } = parent.condition;
    return [{ kind: 'excluded_by_branch', ...subject, condition_task_key: task_key, outcome, ...sides }];
  });
  if (result === 'excluded' && branches.length > 0) return branches;
  const { run_if, parents } = decision;
  return [{ kind: 'skipped_by_run_if', ...subject, result, run_if, parents }, ...branches];
}

function sidesOf(
  { run }: ExplainedRun,
  taskKey: string,
  { left, right }: { readonly left: string; readonly right: string },
): ConditionSides {
  const op = findWrittenTask(run.settings, taskKey)?.condition_task?.op ?? null;
  return { left, op, right };
}

export function unknownTask(runId: number, taskKey: string, keys: readonly string[]): ApiError {
  const more = keys.length > toldMax ? ` and ${keys.length - toldMax} more` : '';
  return new ApiError(
    'INVALID_PARAMETER_VALUE',
    `task_key: run ${runId} has no task '${taskKey}'; its tasks are ${keys.slice(0, toldMax).join(', ')}${more}`,
  );
}
