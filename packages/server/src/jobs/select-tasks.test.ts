import type { TaskDefinition } from '@headrace/core';
import { describe, expect, test } from 'vitest';
import { selectTasks } from './select-tasks.ts';

function task(
  key: string,
  after: readonly (string | { key: string; outcome: boolean })[] = [],
): TaskDefinition {
  return {
    key,
    dependsOn: after.map((parent) => (typeof parent === 'string' ? { key: parent, outcome: null } : parent)),
    runIf: 'ALL_SUCCESS',
    disabled: false,
    work: { kind: 'attempt' },
    guarded: false,
    retry: { retriesMax: 0, intervalMinMs: 0, intervalMaxMs: null, onTimeout: false },
    timeoutMs: null,
  };
}

// a → b → c → e
//      ╲→ d ↗     f stands alone
const tasks = [
  task('a'),
  task('b', ['a']),
  task('c', [{ key: 'b', outcome: true }]),
  task('d', [{ key: 'b', outcome: false }]),
  task('e', ['c', 'd']),
  task('f'),
];

function chosen(only: readonly string[]): Record<string, string[]> {
  const selected = selectTasks(tasks, only);
  if ('problem' in selected) throw new Error(selected.problem);
  return Object.fromEntries(
    selected.tasks.map(({ key, dependsOn }) => [key, dependsOn.map((parent) => parent.key)]),
  );
}

describe('only', () => {
  test.each<[string[], string[]]>([
    [[], ['a', 'b', 'c', 'd', 'e', 'f']],
    [['b'], ['b']],
    [['+c'], ['a', 'b', 'c']],
    [['c+'], ['c', 'e']],
    [['+c+'], ['a', 'b', 'c', 'e']],
    [
      ['f', 'b'],
      ['b', 'f'],
    ],
    [
      ['b', '+b', 'b+'],
      ['a', 'b', 'c', 'd', 'e'],
    ],
  ])('%j chooses %j, in the order of the job', (only, keys) => {
    expect(Object.keys(chosen(only))).toEqual(keys);
  });

  test('edges to tasks that are left out go, those of branches too', () => {
    expect(chosen(['c', 'e'])).toEqual({ c: [], e: ['c'] });
    expect(chosen(['d+'])).toEqual({ d: [], e: ['d'] });
  });

  test('an edge between chosen tasks keeps its branch', () => {
    expect(selectTasks(tasks, ['b', 'c'])).toMatchObject({
      tasks: [{ key: 'b' }, { key: 'c', dependsOn: [{ key: 'b', outcome: true }] }],
    });
  });

  test.each(['nope', '+nope+', '', '+'])('%j names no task and is a problem', (text) => {
    expect(selectTasks(tasks, ['a', text])).toEqual({
      problem: `only: task '${text.replaceAll('+', '')}' is not a task of this job`,
    });
  });

  test('the task of an iteration cannot be chosen by itself', () => {
    const loop: TaskDefinition = {
      ...task('loop'),
      work: { kind: 'for_each', concurrency: 1, task: task('each') },
    };

    expect(selectTasks([loop], ['each'])).toEqual({
      problem: "only: task 'each' is what 'loop' runs for each input; choose 'loop'",
    });
  });
});
