/** Compares the facts with what the job intends: what starts, stops, is skipped, or has ended. */
import { assert } from '../assert.ts';
import { type Graph, graphOf } from '../graph/graph.ts';
import { decideByRunIf, isFailed } from '../graph/ready.ts';
import type { AdvanceContext } from './advance.ts';
import type { Draft } from './draft.ts';
import type {
  EndedResult,
  Failure,
  RunPhase,
  RunResult,
  StopReason,
  TaskDefinition,
  TaskRun,
} from './state.ts';

export function plan(draft: Draft, { nowMs }: AdvanceContext): void {
  const { phase, definition } = draft.generation;
  if (phase.kind === 'queued' || phase.kind === 'ended') return;
  const graph = graphOf(definition);
  if (phase.kind === 'running') {
    if (definition.timeoutMs !== null && nowMs >= phase.startedAtMs + definition.timeoutMs) {
      draft.setPhase({
        kind: 'terminating',
        startedAtMs: phase.startedAtMs,
        reason: 'run_timed_out',
        sinceMs: nowMs,
      });
    } else {
      for (const task of graph.order) planTask(draft, task, nowMs);
    }
  }
  const current = draft.generation.phase;
  if (current.kind === 'terminating') stopAll(draft, graph, current.reason, nowMs);
  endWhenDone(draft, graph, nowMs);
}

/** One pass in graph order is enough: a task that ends here is decided before its children are looked at. */
function planTask(draft: Draft, task: TaskDefinition, nowMs: number): void {
  const taskRun = draft.taskRun(task.key);
  const { state } = taskRun;
  switch (state.kind) {
    case 'blocked':
      return planBlocked(draft, task, taskRun, nowMs);
    case 'waiting_for_retry':
      if (nowMs >= state.dueAtMs) queue(draft, taskRun, nowMs);
      return;
    case 'claimed':
    case 'running':
      if (task.timeoutMs !== null && nowMs >= state.claimedAtMs + task.timeoutMs)
        stop(draft, taskRun, 'timed_out', nowMs);
      return;
    default:
  }
}

function planBlocked(draft: Draft, task: TaskDefinition, taskRun: TaskRun, nowMs: number): void {
  if (task.disabled) return endWithoutRunning(draft, taskRun, 'disabled', nowMs);
  const results: EndedResult[] = [];
  for (const parent of task.dependsOn) {
    const { state } = draft.taskRun(parent);
    if (state.kind !== 'ended') return;
    results.push(state.result);
  }
  const decision = decideByRunIf(task.runIf, results);
  if (decision === 'run') queue(draft, taskRun, nowMs);
  else endWithoutRunning(draft, taskRun, decision, nowMs);
}

function queue(draft: Draft, taskRun: TaskRun, nowMs: number): void {
  draft.setState(taskRun, { kind: 'queued', queuedAtMs: nowMs });
  draft.command({ kind: 'start_attempt', attemptId: taskRun.attemptId });
}

function stop(draft: Draft, taskRun: TaskRun, reason: StopReason, nowMs: number): void {
  const { state } = taskRun;
  assert(
    state.kind === 'claimed' || state.kind === 'running',
    `attempt ${taskRun.attemptId} has nothing to stop`,
  );
  draft.setState(taskRun, {
    kind: 'stopping',
    workerId: state.workerId,
    reason,
    claimedAtMs: state.claimedAtMs,
    startedAtMs: state.kind === 'running' ? state.startedAtMs : null,
    stoppingAtMs: nowMs,
  });
  draft.command({ kind: 'stop_attempt', attemptId: taskRun.attemptId });
}

function endWithoutRunning(draft: Draft, taskRun: TaskRun, result: EndedResult, nowMs: number): void {
  draft.setState(taskRun, {
    kind: 'ended',
    result,
    failure: null,
    claimedAtMs: null,
    startedAtMs: null,
    endedAtMs: nowMs,
  });
}

/** A run that is ending starts nothing further; what lives is stopped, what has not begun ends as cancelled. */
function stopAll(draft: Draft, graph: Graph, reason: StopReason, nowMs: number): void {
  for (const task of graph.order) {
    const taskRun = draft.taskRun(task.key);
    switch (taskRun.state.kind) {
      case 'claimed':
      case 'running':
        stop(draft, taskRun, reason, nowMs);
        break;
      case 'blocked':
      case 'queued':
      case 'waiting_for_retry':
        endWithoutRunning(draft, taskRun, 'cancelled', nowMs);
        break;
      default:
    }
  }
}

function endWhenDone(draft: Draft, graph: Graph, nowMs: number): void {
  const { phase, index } = draft.generation;
  if (phase.kind !== 'running' && phase.kind !== 'terminating') return;
  for (const taskRun of draft.taskRuns.values()) if (taskRun.state.kind !== 'ended') return;
  const result = phase.kind === 'terminating' ? resultOfStop(phase.reason) : resultOfLeaves(draft, graph);
  draft.setPhase({
    kind: 'ended',
    startedAtMs: startedAtMs(phase),
    endedAtMs: nowMs,
    result,
    cause: result === 'failed' || result === 'timed_out' ? firstFailure(draft) : null,
  });
  draft.command({ kind: 'notify', subject: { kind: 'run_ended', generation: index, result } });
}

function resultOfStop(reason: StopReason): RunResult {
  if (reason === 'cancelled_by_user') return 'cancelled';
  return reason === 'cancelled_by_system' ? 'cancelled_by_system' : 'timed_out';
}

/** Leaves decide. Excluded and disabled leaves do not count; a failure that a later task made good is only mentioned. */
function resultOfLeaves(draft: Draft, graph: Graph): RunResult {
  const leaves = graph.leaves.map((key) => endedResult(draft.taskRun(key)));
  if (leaves.length > 0 && leaves.some(isFailed)) {
    const timedOut = leaves.filter(isFailed).every((result) => result === 'timed_out');
    return timedOut ? 'timed_out' : 'failed';
  }
  if (leaves.some((result) => result === 'cancelled' || result === 'upstream_cancelled')) return 'cancelled';
  const anyFailed = [...draft.taskRuns.values()].some((taskRun) => isFailed(endedResult(taskRun)));
  return anyFailed ? 'succeeded_with_failures' : 'succeeded';
}

function endedResult(taskRun: TaskRun): EndedResult {
  assert(taskRun.state.kind === 'ended', `task '${taskRun.taskKey}' has not ended`);
  return taskRun.state.result;
}

/** The failure that came first in time; the ones after it are mostly its consequences. */
function firstFailure(draft: Draft): { taskKey: string; failure: Failure } | null {
  let first: { taskKey: string; failure: Failure; endedAtMs: number } | null = null;
  for (const { taskKey, state } of draft.taskRuns.values()) {
    if (state.kind !== 'ended' || state.failure === null) continue;
    if (first === null || state.endedAtMs < first.endedAtMs)
      first = { taskKey, failure: state.failure, endedAtMs: state.endedAtMs };
  }
  return first && { taskKey: first.taskKey, failure: first.failure };
}

function startedAtMs(phase: RunPhase): number | null {
  return phase.kind === 'queued' ? null : phase.startedAtMs;
}
