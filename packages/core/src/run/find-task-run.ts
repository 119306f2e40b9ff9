/** Finding a task run in its run without walking all of them. */
import type { AttemptId } from '../ids.ts';
import { indexOf } from './run-index.ts';
import type { Run, TaskRun } from './state.ts';

/** Null when the attempt is none of the latest of this run. */
export function findTaskRun(run: Run, attemptId: AttemptId): TaskRun | null {
  const slot = indexOf(run).slotByAttempt.get(attemptId);
  return slot === undefined ? null : (run.taskRuns.get(slot) ?? null);
}
