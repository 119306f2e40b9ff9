/** Stopping one task run, whatever it is doing. What lives ends when the stop is proven, all else at once. */
import { assertNever } from '../assert.ts';
import type { Draft } from './draft.ts';
import { type EndedResult, type JsonValue, type StopReason, slotOf, type TaskRun } from './state.ts';

export function stopTaskRun(draft: Draft, taskRun: TaskRun, reason: StopReason, nowMs: number): void {
  const { state } = taskRun;
  switch (state.kind) {
    case 'blocked':
    case 'waiting_for_retry':
    case 'ready':
    case 'queued':
      endWithoutRunning(draft, taskRun, 'cancelled', nowMs);
      return;
    case 'claimed':
    case 'running':
      draft.setState(taskRun, {
        kind: 'stopping',
        workerId: state.workerId,
        reason,
        claimedAtMs: state.claimedAtMs,
        startedAtMs: state.kind === 'running' ? state.startedAtMs : null,
        stoppingAtMs: nowMs,
      });
      return draft.command({ kind: 'stop_attempt', attemptId: taskRun.attemptId });
    case 'running_parts':
      return stopParts(draft, taskRun, reason, nowMs);
    case 'stopping':
      // Whoever cancels it wants no further attempt either, although a time-out alone may be followed by one.
      if (isCancelOfTimeOut(state.reason, reason)) draft.setState(taskRun, { ...state, reason });
      return;
    case 'ended':
      return;
    default:
      return assertNever(state);
  }
}

function isCancelOfTimeOut(before: StopReason, now: StopReason): boolean {
  return before === 'timed_out' && (now === 'cancelled_by_user' || now === 'cancelled_by_system');
}

function stopParts(draft: Draft, taskRun: TaskRun, reason: StopReason, nowMs: number): void {
  const { state } = taskRun;
  if (state.kind !== 'running_parts') return;
  if (state.stop !== null) {
    const { stop } = state;
    if (isCancelOfTimeOut(stop.reason, reason))
      draft.setState(taskRun, { ...state, stop: { ...stop, reason } });
    return;
  }
  draft.setState(taskRun, { ...state, stop: { reason, stoppingAtMs: nowMs } });
  draft.command({ kind: 'stop_attempt', attemptId: taskRun.attemptId });
  const partReason = reason === 'timed_out' ? 'cancelled_by_system' : reason;
  for (const iteration of iterationsOf(draft, taskRun)) stopTaskRun(draft, iteration, partReason, nowMs);
  // Nothing may be live: then no news of an iteration will follow, and the plan must look at once.
  draft.lookAgain(slotOf(taskRun.taskKey, taskRun.iteration));
}

/** Those that this attempt of a for-each has made, in the order of their inputs. */
export function* iterationsOf(draft: Draft, outer: TaskRun): Iterable<TaskRun> {
  const { work } = draft.definitionOf(outer);
  if (work.kind !== 'for_each' || outer.inputs === null) return;
  const { next } = draft.index.iterations(outer.taskKey);
  for (let iteration = 0; iteration < next; iteration++) {
    const taskRun = draft.find(slotOf(work.task.key, iteration));
    if (taskRun?.parentAttemptId === outer.attemptId) yield taskRun;
  }
}

export function endWithoutRunning(
  draft: Draft,
  taskRun: TaskRun,
  result: EndedResult,
  nowMs: number,
  rest: { readonly condition?: TaskRun['condition']; readonly input?: JsonValue } = {},
): TaskRun {
  return draft.setState(
    taskRun,
    { kind: 'ended', result, failure: null, claimedAtMs: null, startedAtMs: null, endedAtMs: nowMs },
    rest,
  );
}
