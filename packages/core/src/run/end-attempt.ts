/** The end of an attempt: its result, and the attempt that follows where the policy has one. */
import { assertNever } from '../assert.ts';
import { toAttemptId } from '../ids.ts';
import { retryDueAtMs } from '../retry/retry-due.ts';
import type { AdvanceContext } from './advance.ts';
import type { Draft } from './draft.ts';
import type { EndedResult, Failure, StopReason, TaskDefinition, TaskRun } from './state.ts';

/**
 * What cannot even begin, a task that starts a job which is gone, fails within a millisecond: with retries for ever and
 * no interval it would fill the store with attempts as fast as that can save them.
 */
const unstartedPauseMs = 1_000;

export interface AttemptEnd {
  readonly result: EndedResult;
  readonly failure: Failure | null;
}

/** @param facts what else the end makes known of the task run. */
export function endAttempt(
  draft: Draft,
  taskRun: TaskRun,
  end: AttemptEnd,
  { nowMs, newId }: AdvanceContext,
  facts: Pick<Partial<TaskRun>, 'condition'> = {},
): void {
  const ended = setEnded(draft, taskRun, end, nowMs, facts);
  const dueAtMs = retryDueOf(draft, ended);
  if (dueAtMs === null) return notifyEnd(draft, taskRun, end);
  draft.addAttempt({
    ...ended,
    attemptId: toAttemptId(newId()),
    attempt: ended.attempt + 1,
    earlierAttempts: ended.earlierAttempts + 1,
    epoch: 0,
    freeDispatches: 0,
    childRunId: null,
    state: { kind: 'waiting_for_retry', dueAtMs },
  });
}

/**
 * The moment of an end of which word came late. Whoever saw it may have a wrong clock: it is never before the beginning,
 * nor after now.
 */
export function whenItEnded(
  beganAtMs: number,
  { endedAtMs }: { readonly endedAtMs?: number },
  context: AdvanceContext,
): AdvanceContext {
  if (endedAtMs === undefined) return context;
  return { ...context, nowMs: Math.min(Math.max(endedAtMs, beganAtMs), context.nowMs) };
}

/** Whatever the policy says: another attempt would come out the same. */
export function endWithoutRetry(draft: Draft, taskRun: TaskRun, end: AttemptEnd, nowMs: number): void {
  setEnded(draft, taskRun, end, nowMs);
  notifyEnd(draft, taskRun, end);
}

function setEnded(
  draft: Draft,
  taskRun: TaskRun,
  end: AttemptEnd,
  nowMs: number,
  facts: Pick<Partial<TaskRun>, 'condition'> = {},
): TaskRun {
  return draft.setState(taskRun, { kind: 'ended', ...end, ...timesOf(taskRun), endedAtMs: nowMs }, facts);
}

function notifyEnd(draft: Draft, { attemptId }: TaskRun, { result }: AttemptEnd): void {
  draft.command({ kind: 'notify', subject: { kind: 'task_ended', attemptId, result } });
}

function timesOf({ state }: TaskRun): { claimedAtMs: number | null; startedAtMs: number | null } {
  if (state.kind === 'running_parts')
    return { claimedAtMs: state.startedAtMs, startedAtMs: state.startedAtMs };
  return {
    claimedAtMs: 'claimedAtMs' in state ? state.claimedAtMs : null,
    startedAtMs: 'startedAtMs' in state ? state.startedAtMs : null,
  };
}

/** Null where the policy has no further attempt, the run is ending, or the for-each is. */
function retryDueOf(draft: Draft, taskRun: TaskRun): number | null {
  const { state } = taskRun;
  if (state.kind !== 'ended' || draft.generation.phase.kind !== 'running') return null;
  const outer = draft.outerOf(taskRun);
  if (outer?.state.kind === 'running_parts' && outer.state.stop !== null) return null;
  const retriable =
    state.result === 'failed' || state.result === 'timed_out' || state.result === 'internal_error';
  if (!retriable) return null;
  const dueAtMs = retryDueAtMs(draft.definitionOf(taskRun).retry, {
    attempt: taskRun.attempt,
    startedAtMs: state.startedAtMs ?? state.claimedAtMs ?? state.endedAtMs,
    timedOut: state.result === 'timed_out',
  });
  if (dueAtMs === null || state.startedAtMs !== null) return dueAtMs;
  return Math.max(dueAtMs, state.endedAtMs + unstartedPauseMs);
}

export function endOfStop(reason: StopReason, task: TaskDefinition, runTimeoutMs: number | null): AttemptEnd {
  switch (reason) {
    case 'cancelled_by_user':
    case 'cancelled_by_system':
      return { result: 'cancelled', failure: null };
    case 'timed_out':
      return { result: 'timed_out', failure: timeoutFailure('task', task.timeoutMs) };
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
