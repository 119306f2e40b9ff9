/** News of an attempt that a worker holds. All but the claim are fenced by the epoch. */
import { assertNever } from '../assert.ts';
import type { AdvanceContext } from './advance.ts';
import type { Draft } from './draft.ts';
import { type AttemptEnd, endAttempt, endOfStop, whenItEnded } from './end-attempt.ts';
import { runLimitAtMs } from './end-run.ts';
import type { AttemptOutcome, RunEvent } from './events.ts';
import { type Failure, slotOf, type TaskRun, type TaskRunState } from './state.ts';

/** An attempt that never reaches user code is dispatched again free of charge, but not for ever: a broken host would spin. */
export const freeDispatchesMax = 10;

type LiveState = Extract<TaskRunState, { kind: 'claimed' | 'running' | 'stopping' }>;
export type AttemptEvent = Extract<RunEvent, { kind: `attempt_${string}` }>;

export function recordOfAttempt(draft: Draft, event: AttemptEvent, context: AdvanceContext): void {
  const taskRun = draft.byAttempt(event.attemptId);
  if (!taskRun) return draft.ignore(event, 'not a latest attempt of this run');
  const { state } = taskRun;
  if (event.kind === 'attempt_claimed') {
    if (state.kind !== 'queued') return draft.ignore(event, `the attempt is ${state.kind}`);
    if (event.epoch <= taskRun.epoch) return draft.ignore(event, 'an older epoch');
    const { workerId, epoch } = event;
    draft.setState(taskRun, { kind: 'claimed', workerId, claimedAtMs: context.nowMs }, { epoch });
    return;
  }
  if (!isLive(state)) return draft.ignore(event, `the attempt is ${state.kind}`);
  if (event.kind === 'attempt_resumed') {
    if (event.epoch <= taskRun.epoch) return draft.ignore(event, 'an older epoch');
    draft.setState(taskRun, { ...state, workerId: event.workerId }, { epoch: event.epoch });
    return;
  }
  if (event.epoch !== taskRun.epoch) return draft.ignore(event, 'another epoch');
  switch (event.kind) {
    case 'attempt_started':
      return recordStarted(draft, taskRun, state, event, context);
    case 'attempt_ended':
      draft.addTaskValues(slotOf(taskRun.taskKey, taskRun.iteration), event.taskValues);
      return endLive(draft, taskRun, state, event.outcome, whenItEnded(beganAtMs(state), event, context));
    case 'attempt_lost':
      if (event.workerId !== undefined && event.workerId !== state.workerId)
        return draft.ignore(event, "another worker's attempt");
      // Who says so may have looked before the start became known.
      if (event.beforeUserCode && !hasStarted(state))
        return recordLostUnstarted(draft, taskRun, state, event.message, context);
      return endLive(draft, taskRun, state, failedWith('DRIVER_ERROR', event.message), context);
    default:
      return assertNever(event);
  }
}

function recordStarted(
  draft: Draft,
  taskRun: TaskRun,
  state: LiveState,
  event: Extract<RunEvent, { kind: 'attempt_started' }>,
  { nowMs }: AdvanceContext,
): void {
  // Its worker's clock may be anywhere; time-outs and retries count from it on ours.
  const startedAtMs = Math.min(Math.max(event.startedAtMs, state.claimedAtMs), nowMs);
  if (state.kind === 'running') return draft.ignore(event, 'already started');
  if (state.kind === 'stopping') {
    if (state.startedAtMs !== null) return draft.ignore(event, 'already started');
    draft.setState(taskRun, { ...state, startedAtMs });
    return;
  }
  draft.setState(taskRun, { ...state, kind: 'running', startedAtMs });
}

function recordLostUnstarted(
  draft: Draft,
  taskRun: TaskRun,
  state: LiveState,
  message: string,
  context: AdvanceContext,
): void {
  if (state.kind === 'stopping') return endLive(draft, taskRun, state, { kind: 'stopped' }, context);
  const freeDispatches = taskRun.freeDispatches + 1;
  if (freeDispatches >= freeDispatchesMax) {
    const told = `given up after ${freeDispatches} dispatches that never reached user code; the last one: ${message}`;
    return endLive(draft, taskRun, state, failedWith('CLUSTER_ERROR', told), context);
  }
  draft.setState(taskRun, { kind: 'queued', queuedAtMs: context.nowMs }, { freeDispatches });
  draft.command({ kind: 'start_attempt', attemptId: taskRun.attemptId });
}

function endLive(
  draft: Draft,
  taskRun: TaskRun,
  state: LiveState,
  outcome: AttemptOutcome,
  context: AdvanceContext,
): void {
  endAttempt(draft, taskRun, endOf(draft, taskRun, state, outcome, context.nowMs), context);
}

/**
 * A stop that came too late for a success changes nothing: the work is done and its effects stand. Nor does a limit that
 * passed only while word of a failure was on its way.
 */
function endOf(
  draft: Draft,
  taskRun: TaskRun,
  state: LiveState,
  outcome: AttemptOutcome,
  endedAtMs: number,
): AttemptEnd {
  if (outcome.kind === 'succeeded') return { result: 'succeeded', failure: null };
  const isInTime = outcome.kind === 'failed' && endedAtMs < limitAtMs(draft, taskRun, state);
  if (state.kind === 'stopping' && !isInTime) {
    return endOfStop(state.reason, draft.definitionOf(taskRun), draft.generation.definition.timeoutMs);
  }
  if (outcome.kind === 'stopped') {
    const message = 'the worker stopped the attempt without having been asked to';
    return { result: 'internal_error', failure: { code: 'INTERNAL_ERROR', message, trace: null } };
  }
  const ours = outcome.failure.code !== 'RUN_EXECUTION_ERROR';
  return { result: ours ? 'internal_error' : 'failed', failure: outcome.failure };
}

/** Of an attempt that is stopped for it; else there is none. */
function limitAtMs(draft: Draft, taskRun: TaskRun, state: LiveState): number {
  if (state.kind !== 'stopping') return Number.NEGATIVE_INFINITY;
  if (state.reason === 'run_timed_out') return runLimitAtMs(draft) ?? Number.NEGATIVE_INFINITY;
  const { timeoutMs } = draft.definitionOf(taskRun);
  if (state.reason !== 'timed_out' || timeoutMs === null) return Number.NEGATIVE_INFINITY;
  // As its timer counts.
  return state.claimedAtMs + timeoutMs;
}

function failedWith(code: Failure['code'], message: string): AttemptOutcome {
  return { kind: 'failed', failure: { code, message, trace: null } };
}

function isLive(state: TaskRunState): state is LiveState {
  return state.kind === 'claimed' || state.kind === 'running' || state.kind === 'stopping';
}

function beganAtMs(state: LiveState): number {
  const startedAtMs = 'startedAtMs' in state ? state.startedAtMs : null;
  return startedAtMs ?? state.claimedAtMs;
}

function hasStarted(state: LiveState): boolean {
  return 'startedAtMs' in state && state.startedAtMs !== null;
}
