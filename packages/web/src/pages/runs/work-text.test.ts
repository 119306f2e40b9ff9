import type { RunTaskDocument } from '@headrace/api';
import { expect, test } from 'vitest';
import {
  askedLabelsText,
  inputText,
  isGuarded,
  markOf,
  parseInputs,
  progressOf,
  sortIterations,
} from './work-text.ts';

const python = { spark_python_task: { python_file: '/x.py' } };
const ended = { state: { life_cycle_state: 'TERMINATED', result_state: 'SUCCESS' } } as const;

function aTask(fields: Partial<RunTaskDocument>): RunTaskDocument {
  // Only the fields that the words are made from.
  return {
    run_id: 1,
    task_key: 'each',
    state: { life_cycle_state: 'RUNNING' },
    ...fields,
  } as RunTaskDocument;
}

const condition = { op: 'GREATER_THAN_OR_EQUAL', left: '412', right: '0' } as const;

test('a condition is shown with what came of it', () => {
  expect(markOf(aTask({ condition_task: condition }))?.text).toBe('412 ≥ 0');
  expect(markOf(aTask({ condition_task: { ...condition, outcome: 'true' } }))?.text).toBe('412 ≥ 0 → true');
});

test('a condition that was never asked says nothing', () => {
  expect(markOf(aTask({ condition_task: condition, ...ended }))).toMatchObject({ kind: 'if', text: '' });
});

test('a condition beside work is a guard', () => {
  const task = aTask({ condition_task: condition, ...python });

  expect(isGuarded(task)).toBe(true);
  expect(markOf(task)?.kind).toBe('guarded');
  expect(isGuarded(aTask({ condition_task: condition }))).toBe(false);
});

test('a task that only runs code has no mark', () => {
  expect(markOf(aTask(python))).toBeNull();
});

function aForEach(inputs: string, stats: object = {}) {
  const task_run_stats = {
    total_iterations: 300,
    scheduled_iterations: 14,
    active_iterations: 2,
    completed_iterations: 12,
    succeeded_iterations: 11,
    failed_iterations: 1,
    ...stats,
  };
  const task = { task_key: 'one', ...python };
  return aTask({ for_each_task: { inputs, task, stats: { task_run_stats } } });
}

test('progress names what failed and what is at work, when there is some', () => {
  expect(progressOf(aForEach('[]'))?.text).toBe('12 of 300 done, 1 failed, 2 at work');
  expect(markOf(aForEach('[]'))?.text).toBe('12/300, 1 failed');
  const done = { completed_iterations: 300, active_iterations: 0, failed_iterations: 0 };
  expect(progressOf(aForEach('[]', done))?.text).toBe('300 of 300 done');
});

test('an input comes with its iteration, else from the inputs, else it is not known', () => {
  const iteration = (fields: object) => aTask({ headrace: { iteration: 1, ...fields } });

  expect(inputText(iteration({ input: null }), [])).toBe('null');
  expect(inputText(iteration({}), parseInputs(aForEach('[1, {"a": 2}]')))).toBe('{"a":2}');
  expect(inputText(iteration({}), parseInputs(aForEach('{{tasks.x.values.y}}')))).toBe('–');
});

test('of each iteration the latest attempt is listed, in the order of the inputs', () => {
  const each = (run_id: number, iteration: number) => aTask({ run_id, headrace: { iteration } });

  const sorted = sortIterations([each(9, 1), each(5, 0), each(7, 1)]);

  expect(sorted.map(({ run_id }) => run_id)).toEqual([5, 9]);
});

test('the labels that a task asks for are told as people give them', () => {
  expect(askedLabelsText(aTask({ headrace: { worker_labels: { gpu: 'yes', zone: 'a' } } }))).toBe(
    'gpu=yes, zone=a',
  );
  expect(askedLabelsText(aTask({ headrace: { iteration: 1 } }))).toBeNull();
});
