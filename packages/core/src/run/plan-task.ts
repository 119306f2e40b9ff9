/** One task: may it begin, by its parents and its run_if, and how. */
import { decideByRunIf } from '../graph/ready.ts';
import { parentsToldMax } from './decisions.ts';
import type { Draft } from './draft.ts';
import { nextStep } from './next-step.ts';
import type { Dependency, EndedResult, TaskDefinition, TaskRun } from './state.ts';
import { endWithoutRunning, stopTaskRun } from './stop.ts';

export function planBlocked(draft: Draft, task: TaskDefinition, nowMs: number): void {
  const taskRun = draft.taskRun(task.key);
  if (taskRun.state.kind !== 'blocked') return;
  if (task.disabled) {
    endWithoutRunning(draft, taskRun, 'disabled', nowMs);
    return;
  }
  if (draft.index.openParents(task.key) > 0) return;
  const parents = task.dependsOn.map((edge) => ({ key: edge.key, result: resultOverEdge(draft, edge) }));
  const decision = decideByRunIf(
    task.runIf,
    parents.map(({ result }) => result),
  );
  if (decision === 'run') return beginWork(draft, taskRun, nowMs);
  endWithoutRunning(draft, taskRun, decision, nowMs);
  draft.decide({
    kind: 'run_if_not_met',
    attemptId: taskRun.attemptId,
    runIf: task.runIf,
    result: decision,
    parents: parents.filter(({ result }) => mattersTo(decision, result)).slice(0, parentsToldMax),
  });
}

/** A condition's parent that went the other way counts as excluded for this edge. */
function resultOverEdge(draft: Draft, { key, outcome }: Dependency): EndedResult {
  const { state, condition } = draft.taskRun(key);
  if (state.kind !== 'ended') throw new Error(`bug: parent '${key}' has not ended`);
  const otherBranch = outcome !== null && state.result === 'succeeded' && condition?.outcome !== outcome;
  return otherBranch ? 'excluded' : state.result;
}

function mattersTo(decision: EndedResult, parent: EndedResult): boolean {
  return decision === 'excluded' || parent !== 'succeeded';
}

/** Parents, guard and clock allow it: the next step is a worker's, or the engine's own. */
export function beginWork(draft: Draft, taskRun: TaskRun, nowMs: number): void {
  const { attemptId } = taskRun;
  if (nextStep(draft.definitionOf(taskRun), taskRun) === null) {
    draft.setState(taskRun, { kind: 'queued', queuedAtMs: nowMs });
    return draft.command({ kind: 'start_attempt', attemptId });
  }
  draft.setState(taskRun, { kind: 'ready', readyAtMs: nowMs });
  draft.command({ kind: 'take_step', attemptId });
}

/** What only the clock decides: a retry that is due, a limit that is reached. */
export function planTimed(draft: Draft, taskRun: TaskRun, nowMs: number): void {
  const dueAtMs = timerOf(draft.definitionOf(taskRun), taskRun);
  if (dueAtMs === null || nowMs < dueAtMs) return;
  if (taskRun.state.kind === 'waiting_for_retry') beginWork(draft, taskRun, nowMs);
  else stopTaskRun(draft, taskRun, 'timed_out', nowMs);
}

/** Epoch milliseconds at which time alone changes this task run. */
export function timerOf({ timeoutMs }: TaskDefinition, { state }: TaskRun): number | null {
  switch (state.kind) {
    case 'waiting_for_retry':
      return state.dueAtMs;
    case 'claimed':
    case 'running':
      return timeoutMs === null ? null : state.claimedAtMs + timeoutMs;
    case 'running_parts':
      return timeoutMs === null || state.stop !== null ? null : state.startedAtMs + timeoutMs;
    default:
      return null;
  }
}
