/** One look for each state of a run or task: a word, a sign and a tone; colour is never the only signal. */
import type { RunDocument } from '@headrace/api';
import { runCan } from '@headrace/core';

export interface Outcome {
  readonly label: string;
  readonly sign: string;
  readonly tone: 'good' | 'bad' | 'warn' | 'busy' | 'idle' | 'muted';
}

const results: Readonly<Record<string, Outcome>> = {
  SUCCESS: { label: 'Succeeded', sign: '✓', tone: 'good' },
  SUCCESS_WITH_FAILURES: { label: 'Succeeded with failures', sign: '✓', tone: 'warn' },
  FAILED: { label: 'Failed', sign: '✕', tone: 'bad' },
  TIMEDOUT: { label: 'Timed out', sign: '◷', tone: 'bad' },
  CANCELED: { label: 'Cancelled', sign: '⊘', tone: 'muted' },
  UPSTREAM_FAILED: { label: 'Upstream failed', sign: '↥', tone: 'warn' },
  UPSTREAM_CANCELED: { label: 'Upstream cancelled', sign: '↥', tone: 'muted' },
  EXCLUDED: { label: 'Excluded', sign: '–', tone: 'muted' },
  DISABLED: { label: 'Disabled', sign: '–', tone: 'muted' },
  MAXIMUM_CONCURRENT_RUNS_REACHED: { label: 'Skipped', sign: '»', tone: 'muted' },
};

const lives: Readonly<Record<string, Outcome>> = {
  QUEUED: { label: 'Queued', sign: '…', tone: 'idle' },
  PENDING: { label: 'Waiting to start', sign: '…', tone: 'idle' },
  BLOCKED: { label: 'Waiting', sign: '○', tone: 'idle' },
  WAITING_FOR_RETRY: { label: 'Waiting for retry', sign: '↻', tone: 'warn' },
  RUNNING: { label: 'Running', sign: '▶', tone: 'busy' },
  TERMINATING: { label: 'Stopping', sign: '■', tone: 'busy' },
};

export function outcomeOf(state: RunDocument['state']): Outcome {
  const { life_cycle_state: life, result_state: result } = state;
  const known = result === undefined ? lives[life] : results[result];
  return known ?? { label: result ?? life, sign: '?', tone: 'muted' };
}

/** Why a run cannot be cancelled; null when it can. */
export function refusalToCancel(state: RunDocument['state']): string | null {
  if (!runCan.cancel({ kind: hasEnded(state) ? 'ended' : 'running' })) return 'The run has ended';
  return state.life_cycle_state === 'TERMINATING' ? 'The run is being stopped' : null;
}

export function hasEnded(state: RunDocument['state']): boolean {
  return ['TERMINATED', 'SKIPPED', 'INTERNAL_ERROR'].includes(state.life_cycle_state);
}

/** Why a task of a run cannot be cancelled on its own; null when it can. */
export function refusalToCancelTask(state: RunDocument['state']): string | null {
  if (hasEnded(state)) return 'The task has ended';
  return state.life_cycle_state === 'TERMINATING' ? 'The task is being stopped' : null;
}

/** Why a run cannot be deleted; null when it can. */
export function refusalToDelete(state: RunDocument['state']): string | null {
  const isAllowed = runCan.delete({ kind: hasEnded(state) ? 'ended' : 'running' });
  return isAllowed ? null : 'The run is active: cancel it first';
}

/** Why no part of a run can run again; null when some can. */
export function refusalToRepair(state: RunDocument['state']): string | null {
  if (state.life_cycle_state === 'SKIPPED') return 'The run was skipped: it has no task to run again';
  if (state.life_cycle_state === 'QUEUED') return 'The run waits in the queue';
  return state.life_cycle_state === 'TERMINATING' ? 'The run is being stopped' : null;
}

/** It did not run, because of other tasks or of what its job says. */
export function isSkipped({ result_state: result }: RunDocument['state']): boolean {
  return ['UPSTREAM_FAILED', 'UPSTREAM_CANCELED', 'EXCLUDED', 'DISABLED'].includes(result ?? '');
}

export function isWaiting({ life_cycle_state: life }: RunDocument['state']): boolean {
  return ['QUEUED', 'PENDING', 'BLOCKED', 'WAITING_FOR_RETRY'].includes(life);
}

/** What a repair of everything that failed runs again: also what was cancelled, or skipped for such a task. */
export function hasFailed({ result_state: result }: RunDocument['state']): boolean {
  return ['FAILED', 'TIMEDOUT', 'CANCELED', 'UPSTREAM_FAILED', 'UPSTREAM_CANCELED'].includes(result ?? '');
}
