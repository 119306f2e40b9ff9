/** Folds one event into the facts. An event that no longer applies is ignored, with its reason. */
import { assertNever } from '../assert.ts';
import { graphOf } from '../graph/graph.ts';
import { toAttemptId } from '../ids.ts';
import { retryDueAtMs } from '../retry/retry-due.ts';
import type { AdvanceContext } from './advance.ts';
import type { Draft } from './draft.ts';
import type { AttemptOutcome, RunEvent } from './events.ts';
import type {
  EndedResult,
  Failure,
  RunPhase,
  StopReason,
  TaskDefinition,
  TaskRun,
  TaskRunState,
} from './state.ts';

/**
 * An attempt that never reaches user code is dispatched again free of charge, but not for ever: a broken host would
 * otherwise spin. Each dispatch takes at least one epoch.
 */
export const freeDispatchesMax = 10;

type LiveState = Extract<TaskRunState, { kind: 'claimed' | 'running' | 'stopping' }>;
type AttemptEvent = Extract<RunEvent, { attemptId: unknown }>;

export function record(draft: Draft, event: RunEvent, context: AdvanceContext): void {
  const { phase } = draft.generation;
  if (phase.kind === 'ended') return draft.ignore(event, 'the run has ended');
  switch (event.kind) {
    case 'admitted':
      if (phase.kind !== 'queued') return draft.ignore(event, 'the run is not queued');
      return draft.setPhase({ kind: 'running', startedAtMs: context.nowMs });
    case 'cancel_requested':
      if (phase.kind === 'terminating') return draft.ignore(event, 'the run is ending already');
      return draft.setPhase({
        kind: 'terminating',
        startedAtMs: startedAtMs(phase),
        reason: event.reason,
        sinceMs: context.nowMs,
      });
    default:
      return recordOfAttempt(draft, event, context);
  }
}

function recordOfAttempt(draft: Draft, event: AttemptEvent, context: AdvanceContext): void {
  const taskRun = draft.byAttempt(event.attemptId);
  if (!taskRun) return draft.ignore(event, 'not a latest attempt of this run');
  const { state } = taskRun;
  if (event.kind === 'attempt_claimed') {
    if (state.kind !== 'queued') return draft.ignore(event, `the attempt is ${state.kind}`);
    if (event.epoch <= taskRun.epoch) return draft.ignore(event, 'an older epoch');
    draft.setState(
      taskRun,
      { kind: 'claimed', workerId: event.workerId, claimedAtMs: context.nowMs },
      event.epoch,
    );
    return;
  }
  if (!isLive(state)) return draft.ignore(event, `the attempt is ${state.kind}`);
  if (event.kind === 'attempt_resumed') {
    if (event.epoch <= taskRun.epoch) return draft.ignore(event, 'an older epoch');
    draft.setState(taskRun, { ...state, workerId: event.workerId }, event.epoch);
    return;
  }
  if (event.epoch !== taskRun.epoch) return draft.ignore(event, 'another epoch');
  switch (event.kind) {
    case 'attempt_started':
      return recordStarted(draft, taskRun, state, event);
    case 'attempt_ended':
      draft.addTaskValues(taskRun.taskKey, event.taskValues);
      return endAttempt(draft, taskRun, state, event.outcome, context);
    case 'attempt_lost':
      if (event.beforeUserCode) return recordLostUnstarted(draft, taskRun, state, event.message, context);
      return endAttempt(draft, taskRun, state, failedWith('DRIVER_ERROR', event.message), context);
    default:
      return assertNever(event);
  }
}

function recordStarted(
  draft: Draft,
  taskRun: TaskRun,
  state: LiveState,
  event: Extract<RunEvent, { kind: 'attempt_started' }>,
): void {
  if (state.kind === 'running') return draft.ignore(event, 'already started');
  if (state.kind === 'stopping') {
    if (state.startedAtMs !== null) return draft.ignore(event, 'already started');
    draft.setState(taskRun, { ...state, startedAtMs: event.startedAtMs });
    return;
  }
  draft.setState(taskRun, { ...state, kind: 'running', startedAtMs: event.startedAtMs });
}

function recordLostUnstarted(
  draft: Draft,
  taskRun: TaskRun,
  state: LiveState,
  message: string,
  context: AdvanceContext,
): void {
  if (state.kind === 'stopping') return endAttempt(draft, taskRun, state, { kind: 'stopped' }, context);
  if (taskRun.epoch >= freeDispatchesMax) {
    const told = `given up after ${taskRun.epoch} dispatches that never reached user code; the last one: ${message}`;
    return endAttempt(draft, taskRun, state, failedWith('CLUSTER_ERROR', told), context);
  }
  draft.setState(taskRun, { kind: 'queued', queuedAtMs: context.nowMs });
  draft.command({ kind: 'start_attempt', attemptId: taskRun.attemptId });
}

function endAttempt(
  draft: Draft,
  taskRun: TaskRun,
  state: LiveState,
  outcome: AttemptOutcome,
  context: AdvanceContext,
): void {
  const started = 'startedAtMs' in state ? state.startedAtMs : null;
  const task = definitionOf(draft, taskRun.taskKey);
  const { result, failure } = resultOf(outcome, state, task, draft.generation.definition.timeoutMs);
  const ended = draft.setState(taskRun, {
    kind: 'ended',
    result,
    failure,
    claimedAtMs: state.claimedAtMs,
    startedAtMs: started,
    endedAtMs: context.nowMs,
  });
  if (!retryIfDue(draft, ended, task, context)) {
    draft.command({ kind: 'notify', subject: { kind: 'task_ended', attemptId: taskRun.attemptId, result } });
  }
}

/** Makes the next attempt where the policy has one and the run is not ending. */
function retryIfDue(draft: Draft, ended: TaskRun, task: TaskDefinition, context: AdvanceContext): boolean {
  const { state } = ended;
  if (state.kind !== 'ended' || draft.generation.phase.kind !== 'running') return false;
  const retriable =
    state.result === 'failed' || state.result === 'timed_out' || state.result === 'internal_error';
  if (!retriable) return false;
  const dueAtMs = retryDueAtMs(task.retry, {
    attempt: ended.attempt,
    startedAtMs: state.startedAtMs ?? state.claimedAtMs ?? state.endedAtMs,
    timedOut: state.result === 'timed_out',
  });
  if (dueAtMs === null) return false;
  draft.addAttempt({
    ...ended,
    attemptId: toAttemptId(context.newId()),
    attempt: ended.attempt + 1,
    epoch: 0,
    state: { kind: 'waiting_for_retry', dueAtMs },
  });
  return true;
}

/** A stop that came too late for a success changes nothing: the work is done and its effects stand. */
function resultOf(
  outcome: AttemptOutcome,
  state: LiveState,
  task: TaskDefinition,
  runTimeoutMs: number | null,
): { result: EndedResult; failure: Failure | null } {
  if (outcome.kind === 'succeeded') return { result: 'succeeded', failure: null };
  if (state.kind === 'stopping') return resultOfStop(state.reason, task.timeoutMs, runTimeoutMs);
  if (outcome.kind === 'stopped') {
    const message = 'the worker stopped the attempt without having been asked to';
    return { result: 'internal_error', failure: { code: 'INTERNAL_ERROR', message, trace: null } };
  }
  const ours = outcome.failure.code !== 'RUN_EXECUTION_ERROR';
  return { result: ours ? 'internal_error' : 'failed', failure: outcome.failure };
}

function resultOfStop(
  reason: StopReason,
  taskTimeoutMs: number | null,
  runTimeoutMs: number | null,
): { result: EndedResult; failure: Failure | null } {
  switch (reason) {
    case 'cancelled_by_user':
    case 'cancelled_by_system':
      return { result: 'cancelled', failure: null };
    case 'timed_out':
      return { result: 'timed_out', failure: timeoutFailure('task', taskTimeoutMs) };
    case 'run_timed_out':
      return { result: 'timed_out', failure: timeoutFailure('job', runTimeoutMs) };
    default:
      return assertNever(reason);
  }
}

function timeoutFailure(whose: 'task' | 'job', limitMs: number | null): Failure {
  const limit = limitMs === null ? '' : ` of ${limitMs / 1000} seconds`;
  return {
    code: 'RUN_EXECUTION_ERROR',
    message: `The ${whose} ran longer than its timeout_seconds${limit}.`,
    trace: null,
  };
}

function failedWith(code: Failure['code'], message: string): AttemptOutcome {
  return { kind: 'failed', failure: { code, message, trace: null } };
}

function definitionOf(draft: Draft, key: string): TaskDefinition {
  const found = graphOf(draft.generation.definition).byKey.get(key);
  if (!found) throw new Error(`bug: task '${key}' is not in the definition of its run`);
  return found;
}

function isLive(state: TaskRunState): state is LiveState {
  return state.kind === 'claimed' || state.kind === 'running' || state.kind === 'stopping';
}

function startedAtMs(phase: RunPhase): number | null {
  return phase.kind === 'queued' ? null : phase.startedAtMs;
}
