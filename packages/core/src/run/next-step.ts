/** What the engine must do for a task run that is ready. */
import { assertNever } from '../assert.ts';
import type { TaskDefinition, TaskRun } from './state.ts';

export type Step = 'evaluate_condition' | 'resolve_inputs' | 'start_child';

/** Null: a worker's turn. */
export function nextStep(
  { guarded, work }: TaskDefinition,
  { condition }: Pick<TaskRun, 'condition'>,
): Step | null {
  if (guarded && condition === null) return 'evaluate_condition';
  switch (work.kind) {
    case 'attempt':
      return null;
    case 'condition':
      return 'evaluate_condition';
    case 'for_each':
      return 'resolve_inputs';
    case 'run_job':
      return 'start_child';
    default:
      return assertNever(work);
  }
}
