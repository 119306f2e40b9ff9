/** What a task of control flow has come to, in a few words. */
import { type ConditionOp, findTaskKinds, type RunTaskDocument } from '@headrace/api';

/** `412 > 0 → true`, `12/300 done, 1 failed`, `run 2081`; empty for other tasks. */
export function describeWork(task: RunTaskDocument): string {
  return [describeCondition(task), describeIterations(task), describeChild(task)]
    .filter((text) => text !== '')
    .join('; ');
}

const signs: Readonly<Record<ConditionOp, string>> = {
  EQUAL_TO: '=',
  NOT_EQUAL: '≠',
  GREATER_THAN: '>',
  GREATER_THAN_OR_EQUAL: '≥',
  LESS_THAN: '<',
  LESS_THAN_OR_EQUAL: '≤',
};

function describeCondition(task: RunTaskDocument): string {
  const condition = task.condition_task;
  if (condition?.outcome === undefined) return '';
  const words = `${condition.left} ${signs[condition.op]} ${condition.right} → ${condition.outcome}`;
  return findTaskKinds(task).length > 1 ? `guard: ${words}` : words;
}

function describeIterations(task: RunTaskDocument): string {
  const stats = task.for_each_task?.stats?.task_run_stats;
  if (stats === undefined) return '';
  const { completed_iterations: done, total_iterations: total, failed_iterations: failed } = stats;
  return `${done}/${total} done${failed > 0 ? `, ${failed} failed` : ''}`;
}

function describeChild(task: RunTaskDocument): string {
  const child = task.run_job_task?.run_id;
  return child === undefined ? '' : `run ${child}`;
}

/** What an iteration was given, as JSON; `-` where the inputs are not known yet. */
export function describeInput(inputs: unknown, iteration: RunTaskDocument): string {
  const { iteration: at, input } = iteration.headrace ?? {};
  if (input !== undefined) return JSON.stringify(input);
  const value = at === undefined ? undefined : parseInputs(inputs)[at];
  return value === undefined ? '-' : JSON.stringify(value);
}

/** Inputs written as a reference are no JSON. */
function parseInputs(inputs: unknown): readonly unknown[] {
  if (typeof inputs !== 'string') return Array.isArray(inputs) ? inputs : [];
  try {
    const parsed: unknown = JSON.parse(inputs);
    return Array.isArray(parsed) ? parsed : [];
  } catch {
    return [];
  }
}
