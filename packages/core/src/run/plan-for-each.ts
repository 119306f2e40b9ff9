/** A for-each: begins as many iterations as it may have live, and ends when all have ended. */
import { toAttemptId } from '../ids.ts';
import type { AdvanceContext } from './advance.ts';
import { countWith } from './create.ts';
import type { Draft } from './draft.ts';
import { type AttemptEnd, endAttempt, endOfStop, whenItEnded } from './end-attempt.ts';
import { beginWork } from './plan-task.ts';
import { slotOf, type TaskRun, type TaskWork } from './state.ts';
import { endWithoutRunning, iterationsOf } from './stop.ts';

type ForEach = Extract<TaskWork, { kind: 'for_each' }>;

export function planForEach(draft: Draft, outer: TaskRun, context: AdvanceContext): void {
  const { work } = draft.definitionOf(outer);
  const { state, inputs } = outer;
  if (work.kind !== 'for_each' || state.kind !== 'running_parts' || inputs === null) return;
  if (state.stop === null) beginIterations(draft, outer, work, context);
  const { live, next } = draft.index.iterations(outer.taskKey);
  if (live > 0) return;
  if (state.stop === null && nextInput(outer, next) < inputs.length) return;
  const endedAtMs = lastEndAtMs(draft, outer, state);
  endAttempt(draft, outer, endOf(draft, outer), whenItEnded(state.startedAtMs, { endedAtMs }, context));
}

/** Word of its last iteration may have come late. */
function lastEndAtMs(
  draft: Draft,
  outer: TaskRun,
  { startedAtMs, stop }: Extract<TaskRun['state'], { kind: 'running_parts' }>,
): number {
  let lastMs = Math.max(startedAtMs, stop?.stoppingAtMs ?? 0);
  for (const { state } of iterationsOf(draft, outer)) {
    if (state.kind === 'ended') lastMs = Math.max(lastMs, state.endedAtMs);
  }
  return lastMs;
}

function beginIterations(draft: Draft, outer: TaskRun, work: ForEach, context: AdvanceContext): void {
  const inputs = outer.inputs ?? [];
  for (;;) {
    const { live, next } = draft.index.iterations(outer.taskKey);
    const iteration = nextInput(outer, next);
    if (live >= work.concurrency || iteration >= inputs.length) return;
    const former = draft.find(slotOf(work.task.key, iteration));
    const taskRun = draft.addAttempt({
      attemptId: toAttemptId(context.newId()),
      taskKey: work.task.key,
      iteration,
      generation: outer.generation,
      attempt: 0,
      earlierAttempts: former ? countWith(former) : 0,
      epoch: 0,
      freeDispatches: 0,
      parentAttemptId: outer.attemptId,
      input: inputs[iteration] ?? null,
      condition: null,
      inputs: null,
      reusedIterations: [],
      childRunId: null,
      state: { kind: 'blocked' },
    });
    if (work.task.disabled) endWithoutRunning(draft, taskRun, 'disabled', context.nowMs);
    else beginWork(draft, taskRun, context.nowMs);
  }
}

/** The first from `next` on whose success is not reused. */
function nextInput({ reusedIterations }: TaskRun, next: number): number {
  if (reusedIterations.length === 0) return next;
  const reused = new Set(reusedIterations);
  let iteration = next;
  while (reused.has(iteration)) iteration += 1;
  return iteration;
}

function endOf(draft: Draft, outer: TaskRun): AttemptEnd {
  const { failed, cancelled } = draft.index.iterations(outer.taskKey);
  const { state } = outer;
  if (state.kind === 'running_parts' && state.stop !== null) {
    return endOfStop(state.stop.reason, draft.definitionOf(outer), draft.generation.definition.timeoutMs);
  }
  if (failed > 0) return failedEnd(draft, outer, failed);
  return { result: cancelled > 0 ? 'cancelled' : 'succeeded', failure: null };
}

function failedEnd(draft: Draft, outer: TaskRun, failed: number): AttemptEnd {
  for (const { iteration, state } of iterationsOf(draft, outer)) {
    if (state.kind !== 'ended' || state.failure === null) continue;
    const total = outer.inputs?.length ?? 0;
    const message = `${failed} of ${total} iterations failed; the first, iteration ${iteration}: ${state.failure.message}`;
    return {
      result: 'failed',
      failure: { code: 'RUN_EXECUTION_ERROR', message, trace: state.failure.trace },
    };
  }
  throw new Error(`bug: ${slotOf(outer.taskKey, outer.iteration)} counts failures that it does not have`);
}
