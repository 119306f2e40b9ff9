/** States in one word for people, from either of the wire's two descriptions. */
import type { RunState } from '@headrace/api';

/** `running`, `succeeded`, `failed`, `timed out`, … */
export function describeState(state: RunState): string {
  if (state.result_state !== undefined) return resultWords[state.result_state];
  return lifeCycleWords[state.life_cycle_state];
}

const resultWords: Readonly<Record<NonNullable<RunState['result_state']>, string>> = {
  SUCCESS: 'succeeded',
  SUCCESS_WITH_FAILURES: 'succeeded with failures',
  FAILED: 'failed',
  TIMEDOUT: 'timed out',
  CANCELED: 'cancelled',
  DISABLED: 'disabled',
  EXCLUDED: 'excluded',
  MAXIMUM_CONCURRENT_RUNS_REACHED: 'skipped: too many runs at once',
  UPSTREAM_CANCELED: 'not run: an earlier task was cancelled',
  UPSTREAM_FAILED: 'not run: an earlier task failed',
};

const lifeCycleWords: Readonly<Record<RunState['life_cycle_state'], string>> = {
  QUEUED: 'queued',
  PENDING: 'pending',
  BLOCKED: 'blocked',
  WAITING_FOR_RETRY: 'waiting for retry',
  RUNNING: 'running',
  TERMINATING: 'stopping',
  TERMINATED: 'ended',
  SKIPPED: 'skipped',
  INTERNAL_ERROR: 'failed',
};

export function hasEnded(state: RunState): boolean {
  return ['TERMINATED', 'SKIPPED', 'INTERNAL_ERROR'].includes(state.life_cycle_state);
}

/** As CI understands it: everything that had to succeed did. */
export function hasSucceeded(state: RunState): boolean {
  return state.result_state === 'SUCCESS' || state.result_state === 'SUCCESS_WITH_FAILURES';
}

/** From start to end, or to now; undefined before the start. */
export function elapsedMs(
  run: { readonly start_time: number; readonly end_time: number },
  nowMs: number,
): number | undefined {
  if (run.start_time <= 0) return undefined;
  return (run.end_time > 0 ? run.end_time : nowMs) - run.start_time;
}

/** It will not run, or has not run, because of other tasks. */
export function isSkipped(state: RunState): boolean {
  return ['UPSTREAM_FAILED', 'UPSTREAM_CANCELED', 'EXCLUDED', 'DISABLED'].includes(state.result_state ?? '');
}

export function isWaiting(state: RunState): boolean {
  return ['QUEUED', 'PENDING', 'BLOCKED', 'WAITING_FOR_RETRY'].includes(state.life_cycle_state);
}

/** What a repair of everything that failed runs again: also what was cancelled, or skipped for such a task. */
export function hasFailed(state: RunState): boolean {
  const { result_state: result = '' } = state;
  return ['FAILED', 'TIMEDOUT', 'CANCELED', 'UPSTREAM_FAILED', 'UPSTREAM_CANCELED'].includes(result);
}
