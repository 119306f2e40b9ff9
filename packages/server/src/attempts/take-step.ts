/**
 * The engine's own steps: what a condition compares, what a for-each goes through. Answered at once, in the batch
 * that made the task ready; a task whose work is another job's run is answered by that run's loop.
 */
import type { JobSettings } from '@headrace/api';
import {
  assertNever,
  evaluateCondition,
  findDefinitionOf,
  nextStep,
  parseInputs,
  type RunEvent,
} from '@headrace/core';
import { assert } from '../assert.ts';
import type { StepResolver } from '../runs/run-draft.ts';
import { findTask, type WrittenTask } from '../runs/task-documents.ts';
import { type AttemptOf, resolveAll, type ServerUrls, toReferenceScope } from './reference-scope.ts';

type Step = Omit<AttemptOf, 'epoch'>;

export function createStepResolver(urls: () => ServerUrls): StepResolver {
  return (step) => {
    const kind = nextStep(findDefinitionOf(step.run, step.taskRun), step.taskRun);
    switch (kind) {
      case 'evaluate_condition':
        return evaluate(step, urls());
      case 'resolve_inputs':
        return resolveInputs(step, urls());
      case 'start_child':
      case null:
        return null;
      default:
        return assertNever(kind);
    }
  };
}

function evaluate(step: Step, urls: ServerUrls): RunEvent {
  const { attemptId } = step.taskRun;
  const { condition_task: condition } = writtenTask(step);
  assert(condition, `attempt ${attemptId} has no condition to evaluate`);
  const scope = toReferenceScope(step, urls);
  const left = resolveAll(condition.left, scope);
  const right = resolveAll(condition.right, scope);
  const verdict = evaluateCondition(condition.op, left, right);
  if ('problem' in verdict) return failed(step, `condition_task: ${verdict.problem}`);
  return { kind: 'condition_evaluated', attemptId, evaluation: { left, right, outcome: verdict.outcome } };
}

function resolveInputs(step: Step, urls: ServerUrls): RunEvent {
  const { attemptId } = step.taskRun;
  const written = writtenTask(step);
  const forEach = 'for_each_task' in written ? written.for_each_task : undefined;
  assert(forEach, `attempt ${attemptId} has no inputs to resolve`);
  const resolved = resolveAll(forEach.inputs, toReferenceScope(step, urls));
  const parsed = parseInputs(typeof resolved === 'string' ? resolved : JSON.stringify(resolved));
  if ('problem' in parsed) return failed(step, `for_each_task: ${parsed.problem}`);
  return { kind: 'inputs_resolved', attemptId, inputs: parsed.inputs };
}

function writtenTask({ facts, taskRun }: Step): WrittenTask {
  return findTask(facts.settings as JobSettings, taskRun.taskKey);
}

function failed({ taskRun: { attemptId } }: Step, message: string): RunEvent {
  const failure = { code: 'RUN_EXECUTION_ERROR', message, trace: null } as const;
  return { kind: 'step_failed', attemptId, failure };
}
