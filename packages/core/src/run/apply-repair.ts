/** A repair adds a generation. What runs again gets a new attempt there; what is live is carried over. */
import { toAttemptId } from '../ids.ts';
import type { AdvanceContext } from './advance.ts';
import { firstAttempt } from './create.ts';
import type { Draft } from './draft.ts';
import type { RunEvent } from './events.ts';
import { definitionOfRepair, planRepair } from './repair.ts';
import type { RunPhase } from './state.ts';

export function applyRepair(
  draft: Draft,
  event: Extract<RunEvent, { kind: 'repair_requested' }>,
  { nowMs, newId }: AdvanceContext,
): void {
  const { repairId, request, place } = event;
  const { phase, index } = draft.generation;
  const isActive = phase.kind !== 'ended';
  if (isActive !== (place === 'keep')) return draft.ignore(event, 'the run has moved on; ask again');
  const planned = planRepair(draft.run, request);
  if (planned.kind === 'refused') return draft.ignore(event, planned.reason);

  const definition = definitionOfRepair(draft.run, request);
  if (isActive) draft.setPhase(continuedPhase(phase, nowMs));
  draft.addGeneration({
    index: index + 1,
    createdAtMs: nowMs,
    repair: { repairId, reusesIterations: planned.reusesIterations },
    phase: place === 'queue' ? { kind: 'queued' } : { kind: 'running', startedAtMs: nowMs },
    definition,
  });
  carryOver(draft, index + 1);
  for (const { key, action } of planned.tasks) {
    if (action === 'reuse') continue;
    draft.addAttempt(firstAttempt(key, toAttemptId(newId()), index + 1, draft.find(key)));
  }
  if (place === 'admit') {
    draft.command({ kind: 'notify', subject: { kind: 'run_started', generation: index + 1 } });
  }
}

function continuedPhase(phase: RunPhase, nowMs: number): RunPhase {
  const startedAtMs = phase.kind === 'queued' ? null : phase.startedAtMs;
  return { kind: 'ended', startedAtMs, endedAtMs: nowMs, result: 'continued', cause: null };
}

/** An ended generation never changes, so what is still open moves on into the new one. */
function carryOver(draft: Draft, generation: number): void {
  for (const taskRun of draft.allTaskRuns()) {
    if (taskRun.state.kind !== 'ended') draft.setState(taskRun, taskRun.state, { generation });
  }
}
