/** How a run ends: its leaves decide. */
import { assert } from '../assert.ts';
import { isFailed } from '../graph/ready.ts';
import type { Draft } from './draft.ts';
import type { EndedResult, Failure, RunPhase, RunResult, StopReason } from './state.ts';
import { endWithoutRunning } from './stop.ts';

/** Hosted workspaces give up on a queued run after as long. */
export const queuedMsMax = 48 * 60 * 60 * 1000;

export function endQueuedTooLong(draft: Draft, nowMs: number): void {
  if (nowMs < draft.generation.createdAtMs + queuedMsMax) return;
  for (const taskRun of draft.allTaskRuns()) {
    if (taskRun.state.kind !== 'ended') endWithoutRunning(draft, taskRun, 'cancelled', nowMs);
  }
  end(draft, { startedAtMs: null, endedAtMs: nowMs, result: 'skipped_no_place', cause: null });
}

export function endWhenDone(draft: Draft, nowMs: number): void {
  const { phase } = draft.generation;
  if (phase.kind !== 'running' && phase.kind !== 'terminating') return;
  if (draft.index.openTasks > 0) return;
  const lastEndMs = lastEndAtMs(draft, phase.startedAtMs ?? 0);
  const isStopped = phase.kind === 'terminating' && !isInTime(draft, phase.reason, lastEndMs);
  const result = isStopped ? resultOfStop(phase.reason) : resultOfLeaves(draft);
  end(draft, {
    startedAtMs: phase.startedAtMs,
    endedAtMs: Math.min(isStopped ? Math.max(lastEndMs, phase.sinceMs) : lastEndMs, nowMs),
    result,
    cause: result === 'failed' || result === 'timed_out' ? firstFailure(draft) : null,
  });
}

/** A run ends with its last task, and word of that may come late. */
function lastEndAtMs(draft: Draft, startedAtMs: number): number {
  let lastMs = startedAtMs;
  for (const { key } of draft.graph.order) {
    const { state } = draft.taskRun(key);
    if (state.kind === 'ended') lastMs = Math.max(lastMs, state.endedAtMs);
  }
  return lastMs;
}

/** All had ended by themselves before the limit of the run passed: only word of it came later. */
function isInTime(draft: Draft, reason: StopReason, lastEndMs: number): boolean {
  const limitAtMs = runLimitAtMs(draft);
  return reason === 'run_timed_out' && limitAtMs !== null && lastEndMs < limitAtMs;
}

/** When the run has taken longer than it may; null where it has no limit, or has not begun. */
export function runLimitAtMs({ generation }: Draft): number | null {
  const { phase, definition } = generation;
  if (definition.timeoutMs === null || (phase.kind !== 'running' && phase.kind !== 'terminating'))
    return null;
  return phase.startedAtMs === null ? null : phase.startedAtMs + definition.timeoutMs;
}

function end(draft: Draft, ended: Omit<Extract<RunPhase, { kind: 'ended' }>, 'kind'>): void {
  const { index } = draft.generation;
  draft.setPhase({ kind: 'ended', ...ended });
  draft.command({ kind: 'notify', subject: { kind: 'run_ended', generation: index, result: ended.result } });
}

function resultOfStop(reason: StopReason): RunResult {
  if (reason === 'cancelled_by_user') return 'cancelled';
  return reason === 'cancelled_by_system' ? 'cancelled_by_system' : 'timed_out';
}

/** Excluded and disabled leaves do not count; a failure that a later task made good is only mentioned. */
function resultOfLeaves(draft: Draft): RunResult {
  const leaves = draft.graph.leaves.map((key) => endedResult(draft, key));
  // Also by a task that timed out: only a job that runs past its own limit times out.
  if (leaves.some(isFailed)) return 'failed';
  if (leaves.some((result) => result === 'cancelled' || result === 'upstream_cancelled')) return 'cancelled';
  const anyFailed = draft.graph.order.some((task) => isFailed(endedResult(draft, task.key)));
  return anyFailed ? 'succeeded_with_failures' : 'succeeded';
}

function endedResult(draft: Draft, key: string): EndedResult {
  const { state } = draft.taskRun(key);
  assert(state.kind === 'ended', `task '${key}' has not ended`);
  return state.result;
}

/** The failure that came first in time; the ones after it are mostly its consequences. */
function firstFailure(draft: Draft): { taskKey: string; failure: Failure } | null {
  let first: { taskKey: string; failure: Failure; endedAtMs: number } | null = null;
  for (const { key } of draft.graph.order) {
    const { state } = draft.taskRun(key);
    if (state.kind !== 'ended' || state.failure === null) continue;
    if (first === null || state.endedAtMs < first.endedAtMs)
      first = { taskKey: key, failure: state.failure, endedAtMs: state.endedAtMs };
  }
  return first && { taskKey: first.taskKey, failure: first.failure };
}
