/** Compares the facts with what the job intends: what starts, stops, is skipped, or has ended. */
import type { AdvanceContext } from './advance.ts';
import type { Draft } from './draft.ts';
import { endQueuedTooLong, endWhenDone } from './end-run.ts';
import { planForEach } from './plan-for-each.ts';
import { planBlocked, planTimed } from './plan-task.ts';
import type { StopReason } from './state.ts';
import { stopTaskRun } from './stop.ts';

export function plan(draft: Draft, context: AdvanceContext): void {
  const { nowMs } = context;
  if (draft.generation.phase.kind === 'queued') return endQueuedTooLong(draft, nowMs);
  if (draft.generation.phase.kind === 'running') planRunning(draft, nowMs);
  const { phase } = draft.generation;
  if (phase.kind === 'ended') return;
  if (phase.kind === 'terminating' && draft.needsWholePlan) stopAll(draft, phase.reason, nowMs);
  followEnds(draft, context);
  endWhenDone(draft, nowMs);
}

function planRunning(draft: Draft, nowMs: number): void {
  const { phase, definition } = draft.generation;
  if (phase.kind !== 'running') return;
  if (definition.timeoutMs !== null && nowMs >= phase.startedAtMs + definition.timeoutMs) {
    const { startedAtMs } = phase;
    return draft.setPhase({ kind: 'terminating', startedAtMs, reason: 'run_timed_out', sinceMs: nowMs });
  }
  if (draft.needsWholePlan) for (const task of draft.graph.order) planBlocked(draft, task, nowMs);
  for (const slot of draft.index.timed) planTimed(draft, draft.taskRun(slot), nowMs);
}

/** What ends may let others begin, or end in turn; each is looked at once, so this comes to rest. */
function followEnds(draft: Draft, context: AdvanceContext): void {
  for (let slots = draft.takeSlotsToFollow(); slots.length > 0; slots = draft.takeSlotsToFollow()) {
    for (const slot of slots) {
      const taskRun = draft.taskRun(slot);
      if (taskRun.state.kind === 'running_parts') planForEach(draft, taskRun, context);
      if (taskRun.state.kind !== 'ended') continue;
      const outer = draft.outerOf(taskRun);
      if (outer) planForEach(draft, outer, context);
      for (const key of draft.graph.children.get(slot) ?? []) {
        const child = draft.graph.byKey.get(key);
        if (child && draft.generation.phase.kind === 'running') planBlocked(draft, child, context.nowMs);
      }
    }
  }
}

/** A run that is ending starts nothing further; what lives is stopped, what has not begun ends as cancelled. */
function stopAll(draft: Draft, reason: StopReason, nowMs: number): void {
  for (const taskRun of draft.allTaskRuns()) {
    // Those of a for-each are stopped with it.
    if (taskRun.parentAttemptId === null) stopTaskRun(draft, taskRun, reason, nowMs);
  }
}
