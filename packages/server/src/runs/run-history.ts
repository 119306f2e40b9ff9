/** What happened, for people and for "why": each change of the run's phase and of a task's state, with its reason. */
import { type Decision, type JsonValue, type Run, slotOf, type TaskRun } from '@headrace/core';
import { currentPhase, type RunDraft } from './run-draft.ts';
import type { HistorySave } from './save-store.ts';

export function toHistory(draft: RunDraft, nowMs: number): HistorySave[] {
  const { run } = draft;
  const phase = currentPhase(run);
  const history: HistorySave[] = [];
  const isRepaired = draft.storedGenerations > 0 && run.generations.length > draft.storedGenerations;
  if (isRepaired) {
    const repairId = run.generations.at(-1)?.repair?.repairId ?? null;
    history.push({ ...historyOf(run, nowMs), kind: 'run_repaired', detail: { repair_id: repairId } });
  }
  if (phase.kind !== draft.storedPhase || isRepaired) {
    const detail = phase.kind === 'ended' ? { result: phase.result } : null;
    history.push({ ...historyOf(run, nowMs), kind: `run_${phase.kind}`, detail });
  }
  for (const { before, after } of draft.changes.values()) {
    const { state } = after;
    if (state.kind === 'blocked' || (before?.state.kind === state.kind && before.epoch === after.epoch))
      continue;
    history.push({
      ...historyOf(run, nowMs),
      task_key: slotOf(after.taskKey, after.iteration),
      attempt_id: after.attemptId,
      kind: `attempt_${state.kind}`,
      detail: detailOf(after, draft.decisions.get(after.attemptId)),
    });
  }
  return history;
}

function historyOf(run: Run, nowMs: number) {
  return { run_id: run.runId, at_ms: nowMs, task_key: null, attempt_id: null };
}

function detailOf({ state, epoch, inputs, childRunId }: TaskRun, decision: Decision | undefined): JsonValue {
  switch (state.kind) {
    case 'ended':
      return {
        result: state.result,
        message: state.failure?.message ?? null,
        ...(decision ? { decision: detailOfDecision(decision) } : {}),
      };
    case 'running_parts':
      return inputs === null ? { child_run_id: childRunId } : { iterations: inputs.length };
    case 'waiting_for_retry':
      return { due_at_ms: state.dueAtMs };
    case 'claimed':
    case 'running':
    case 'stopping':
      return { worker_id: state.workerId, epoch };
    default:
      return null;
  }
}

function detailOfDecision(decision: Decision): JsonValue {
  if (decision.kind === 'guard_not_met') return { kind: decision.kind, ...decision.evaluation };
  const parents = decision.parents.map(({ key, result }) => ({ task_key: key, result }));
  return { kind: decision.kind, run_if: decision.runIf, parents };
}
