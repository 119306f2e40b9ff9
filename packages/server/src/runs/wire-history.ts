/** The executions of a run: the original and its repairs. */
import type { RepairHistoryItem } from '@headrace/api';
import type { RunPhase } from '@headrace/core';
import { toPhase } from './run-rows.ts';
import type { RunView, TaskRunView } from './store.ts';
import type { GenerationView } from './view-store.ts';
import { hasGivenUp, toRunWireState } from './wire-states.ts';

/** @param taskRuns of tasks, not of iterations. */
export function toRepairHistory(
  run: RunView,
  generations: readonly GenerationView[],
  taskRuns: readonly TaskRunView[],
): RepairHistoryItem[] {
  return generations.map((generation) => {
    const own = taskRuns.filter((taskRun) => taskRun.generation === generation.generation);
    const phase = generation.phase ?? toPhase(run);
    return {
      ...(generation.repair_id === null
        ? ({ type: 'ORIGINAL' } as const)
        : ({ type: 'REPAIR', id: generation.repair_id } as const)),
      start_time: generation.created_at_ms,
      end_time: phase.kind === 'ended' ? phase.endedAtMs : 0,
      ...toRunWireState(phase, causeOf(phase, own), {
        hasGivenUp: hasGivenUp({
          ...generation,
          ended_at_ms: phase.kind === 'ended' ? phase.endedAtMs : null,
        }),
      }),
      task_run_ids: own.map((taskRun) => taskRun.attempt_id),
    };
  });
}

function causeOf(phase: RunPhase, taskRuns: readonly TaskRunView[]) {
  if (phase.kind !== 'ended' || phase.cause === null) return null;
  return {
    ...phase.cause,
    skippedDownstream: taskRuns.some(({ result }) => result === 'upstream_failed'),
  };
}
