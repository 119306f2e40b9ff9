/** Answers to the engine's own steps: a condition evaluated, a for-each expanded, another job's run begun or ended. */
import { assertNever } from '../assert.ts';
import type { AdvanceContext } from './advance.ts';
import type { Draft } from './draft.ts';
import { type AttemptEnd, endAttempt, endOfStop, endWithoutRetry, whenItEnded } from './end-attempt.ts';
import type { ChildOutcome, RunEvent } from './events.ts';
import { isSameJson } from './is-same-json.ts';
import { nextStep } from './next-step.ts';
import { beginWork } from './plan-task.ts';
import { type JsonValue, slotOf, type TaskRun } from './state.ts';
import { endWithoutRunning } from './stop.ts';

export type StepEvent = Extract<
  RunEvent,
  { kind: 'condition_evaluated' | 'inputs_resolved' | 'child_started' | 'child_ended' | 'step_failed' }
>;

export function recordOfStep(draft: Draft, event: StepEvent, context: AdvanceContext): void {
  const taskRun = draft.byAttempt(event.attemptId);
  if (!taskRun) return draft.ignore(event, 'not a latest attempt of this run');
  if (event.kind === 'child_ended') return recordChildEnded(draft, taskRun, event, context);
  if (taskRun.state.kind !== 'ready') return draft.ignore(event, `the attempt is ${taskRun.state.kind}`);
  const step = nextStep(draft.definitionOf(taskRun), taskRun);
  switch (event.kind) {
    case 'condition_evaluated':
      if (step !== 'evaluate_condition') return draft.ignore(event, `the next step is ${step}`);
      return recordEvaluated(draft, taskRun, event, context);
    case 'inputs_resolved':
      if (step !== 'resolve_inputs') return draft.ignore(event, `the next step is ${step}`);
      return recordInputs(draft, taskRun, event.inputs, context);
    case 'child_started':
      if (step !== 'start_child') return draft.ignore(event, `the next step is ${step}`);
      draft.setState(
        taskRun,
        { kind: 'running_parts', startedAtMs: context.nowMs, stop: null },
        { childRunId: event.childRunId },
      );
      return;
    case 'step_failed': {
      const isOurs = event.failure.code !== 'RUN_EXECUTION_ERROR';
      const end = { result: isOurs ? 'internal_error' : 'failed', failure: event.failure } as const;
      // What it compares is settled: a guard with retries for ever would be evaluated for ever, in one batch.
      if (step === 'evaluate_condition') return endWithoutRetry(draft, taskRun, end, context.nowMs);
      return endAttempt(draft, taskRun, end, context);
    }
    default:
      return assertNever(event);
  }
}

function recordEvaluated(
  draft: Draft,
  taskRun: TaskRun,
  { attemptId, evaluation }: Extract<StepEvent, { kind: 'condition_evaluated' }>,
  context: AdvanceContext,
): void {
  const { work } = draft.definitionOf(taskRun);
  if (work.kind === 'condition') {
    const end = { result: 'succeeded', failure: null } as const;
    return endAttempt(draft, taskRun, end, context, { condition: evaluation });
  }
  if (evaluation.outcome) return beginWork(draft, { ...taskRun, condition: evaluation }, context.nowMs);
  draft.decide({ kind: 'guard_not_met', attemptId, evaluation });
  endWithoutRunning(draft, taskRun, 'excluded', context.nowMs, { condition: evaluation });
}

function recordInputs(
  draft: Draft,
  taskRun: TaskRun,
  inputs: readonly JsonValue[],
  context: AdvanceContext,
): void {
  const state = { kind: 'running_parts', startedAtMs: context.nowMs, stop: null } as const;
  draft.setState(taskRun, state, { inputs, reusedIterations: findReusable(draft, taskRun, inputs) });
  draft.lookAgain(slotOf(taskRun.taskKey, taskRun.iteration));
}

/** A repair keeps the iterations that succeeded before, where their input is still the same. */
function findReusable(draft: Draft, outer: TaskRun, inputs: readonly JsonValue[]): number[] {
  const { work } = draft.definitionOf(outer);
  if (work.kind !== 'for_each' || !draft.generation.repair?.reusesIterations) return [];
  return inputs.flatMap((input, iteration) => {
    const former = draft.find(slotOf(work.task.key, iteration));
    const isReusable =
      former?.state.kind === 'ended' &&
      former.state.result === 'succeeded' &&
      isSameJson(former.input, input);
    return isReusable ? [iteration] : [];
  });
}

function recordChildEnded(
  draft: Draft,
  taskRun: TaskRun,
  event: Extract<StepEvent, { kind: 'child_ended' }>,
  context: AdvanceContext,
): void {
  const { state } = taskRun;
  if (state.kind !== 'running_parts') return draft.ignore(event, `the attempt is ${state.kind}`);
  if (taskRun.childRunId !== event.childRunId) return draft.ignore(event, 'another run');
  const end =
    state.stop === null || event.outcome.kind === 'succeeded'
      ? endOfChild(event.outcome)
      : endOfStop(state.stop.reason, draft.definitionOf(taskRun), draft.generation.definition.timeoutMs);
  endAttempt(draft, taskRun, end, whenItEnded(state.startedAtMs, event, context));
}

function endOfChild(outcome: ChildOutcome): AttemptEnd {
  switch (outcome.kind) {
    case 'succeeded':
      return { result: 'succeeded', failure: null };
    case 'failed':
      return { result: 'failed', failure: outcome.failure };
    case 'cancelled':
      return { result: 'cancelled', failure: null };
    default:
      return assertNever(outcome);
  }
}
