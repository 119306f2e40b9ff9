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
  PENDING: { label: 'Starting', sign: '…', tone: 'idle' },
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
