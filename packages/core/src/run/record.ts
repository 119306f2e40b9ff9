/** Folds one event into the facts. An event that no longer applies is ignored, with its reason. */
import type { AdvanceContext } from './advance.ts';
import { applyRepair } from './apply-repair.ts';
import type { Draft } from './draft.ts';
import type { RunEvent } from './events.ts';
import { recordOfAttempt } from './record-attempt.ts';
import { recordOfStep } from './record-step.ts';
import type { RunPhase } from './state.ts';
import { stopTaskRun } from './stop.ts';

export function record(draft: Draft, event: RunEvent, context: AdvanceContext): void {
  const { phase, index } = draft.generation;
  if (event.kind === 'repair_requested') return applyRepair(draft, event, context);
  if (phase.kind === 'ended') return draft.ignore(event, 'the run has ended');
  switch (event.kind) {
    case 'admitted':
      if (phase.kind !== 'queued') return draft.ignore(event, 'the run is not queued');
      draft.setPhase({ kind: 'running', startedAtMs: context.nowMs });
      return draft.command({ kind: 'notify', subject: { kind: 'run_started', generation: index } });
    case 'cancel_requested':
      if (phase.kind === 'terminating') return draft.ignore(event, 'the run is ending already');
      return draft.setPhase({
        kind: 'terminating',
        startedAtMs: startedAtMs(phase),
        reason: event.reason,
        sinceMs: context.nowMs,
      });
    case 'task_cancel_requested': {
      const taskRun = draft.byAttempt(event.attemptId);
      if (!taskRun) return draft.ignore(event, 'not a latest attempt of this run');
      if (phase.kind === 'terminating') return draft.ignore(event, 'the run is ending already');
      if (taskRun.state.kind === 'ended') return draft.ignore(event, 'the attempt is ended');
      return stopTaskRun(draft, taskRun, 'cancelled_by_user', context.nowMs);
    }
    case 'condition_evaluated':
    case 'inputs_resolved':
    case 'child_started':
    case 'child_ended':
    case 'step_failed':
      return recordOfStep(draft, event, context);
    default:
      return recordOfAttempt(draft, event, context);
  }
}

function startedAtMs(phase: RunPhase): number | null {
  return phase.kind === 'queued' ? null : phase.startedAtMs;
}
