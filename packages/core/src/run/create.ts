/** A new run: every task has its first attempt from the start, blocked until `advance` lets it go. */
import { Map as PersistentMap } from 'immutable';
import { type AttemptId, type JobId, type RunId, toAttemptId } from '../ids.ts';
import {
  type Generation,
  type JsonValue,
  type Run,
  type RunDefinition,
  type RunPhase,
  slotOf,
  type TaskRun,
} from './state.ts';

export function newRun(options: {
  readonly runId: RunId;
  readonly jobId: JobId | null;
  readonly definition: RunDefinition;
  /** `admit` starts at once, `queue` waits for the event `admitted`, `skip` ends here: there was no place. */
  readonly place: 'admit' | 'queue' | 'skip';
  readonly nowMs: number;
  readonly newId: () => number;
}): Run {
  const { runId, jobId, definition, place, nowMs, newId } = options;
  const taskRuns =
    place === 'skip' ? [] : definition.tasks.map((task) => firstAttempt(task.key, toAttemptId(newId()), 0));
  const phase = phaseOf(place, nowMs);
  return assembleRun({
    runId,
    jobId,
    version: 0,
    createdAtMs: nowMs,
    generations: [{ index: 0, createdAtMs: nowMs, repair: null, phase, definition }],
    taskRuns,
    taskValues: [],
  });
}

/** From its parts, as the store has them. */
export function assembleRun(parts: {
  readonly runId: RunId;
  readonly jobId: JobId | null;
  readonly version: number;
  readonly createdAtMs: number;
  readonly generations: readonly Generation[];
  /** The latest attempt of each task and iteration. */
  readonly taskRuns: readonly TaskRun[];
  readonly taskValues: Iterable<readonly [slot: string, Readonly<Record<string, JsonValue>>]>;
}): Run {
  const bySlot = parts.taskRuns.map(
    (taskRun) => [slotOf(taskRun.taskKey, taskRun.iteration), taskRun] as const,
  );
  return { ...parts, taskRuns: PersistentMap(bySlot), taskValues: PersistentMap(parts.taskValues) };
}

/** @param former the attempt that a repair puts this one in the place of. */
export function firstAttempt(
  taskKey: string,
  attemptId: AttemptId,
  generation: number,
  former: TaskRun | null = null,
): TaskRun {
  return {
    attemptId,
    taskKey,
    iteration: null,
    generation,
    attempt: 0,
    earlierAttempts: former === null ? 0 : countWith(former),
    epoch: 0,
    freeDispatches: 0,
    parentAttemptId: null,
    input: null,
    condition: null,
    inputs: null,
    reusedIterations: [],
    childRunId: null,
    state: { kind: 'blocked' },
  };
}

/** A former attempt counts if it began; one that was skipped did not. */
export function countWith({ earlierAttempts, state }: TaskRun): number {
  const hasBegun = state.kind === 'ended' && state.claimedAtMs !== null;
  return earlierAttempts + (hasBegun ? 1 : 0);
}

function phaseOf(place: 'admit' | 'queue' | 'skip', nowMs: number): RunPhase {
  switch (place) {
    case 'admit':
      return { kind: 'running', startedAtMs: nowMs };
    case 'queue':
      return { kind: 'queued' };
    case 'skip':
      return {
        kind: 'ended',
        startedAtMs: null,
        endedAtMs: nowMs,
        result: 'skipped_no_place',
        cause: null,
      };
  }
}
