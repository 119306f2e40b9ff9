/** A new run: every task has its first attempt from the start, blocked until `advance` lets it go. */
import { type JobId, type RunId, toAttemptId } from '../ids.ts';
import type { Run, RunDefinition, TaskRun } from './state.ts';

export function newRun(options: {
  readonly runId: RunId;
  readonly jobId: JobId | null;
  readonly definition: RunDefinition;
  /** `admit` starts at once, `queue` waits for the event `admitted`, `skip` ends here: there was no place. */
  readonly place: 'admit' | 'queue' | 'skip';
  readonly nowMs: number;
  readonly newId: () => number;
}): Run {
  const { runId, jobId, definition, place, nowMs } = options;
  const phase =
    place === 'admit'
      ? ({ kind: 'running', startedAtMs: nowMs } as const)
      : place === 'queue'
        ? ({ kind: 'queued' } as const)
        : ({
            kind: 'ended',
            startedAtMs: null,
            endedAtMs: nowMs,
            result: 'skipped_no_place',
            cause: null,
          } as const);
  const taskRuns = new Map<string, TaskRun>();
  if (place !== 'skip') {
    for (const task of definition.tasks)
      taskRuns.set(task.key, firstAttempt(task.key, toAttemptId(options.newId())));
  }
  return {
    runId,
    jobId,
    version: 0,
    createdAtMs: nowMs,
    generations: [{ index: 0, createdAtMs: nowMs, phase, definition }],
    taskRuns,
    taskValues: new Map(),
  };
}

function firstAttempt(taskKey: string, attemptId: TaskRun['attemptId']): TaskRun {
  return {
    attemptId,
    taskKey,
    iteration: 0,
    generation: 0,
    attempt: 0,
    epoch: 0,
    state: { kind: 'blocked' },
  };
}
