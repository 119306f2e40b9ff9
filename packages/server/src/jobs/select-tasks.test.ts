import type { Task } from '@headrace/api';
import { describe, expect, test } from 'vitest';
import { selectTasks } from './select-tasks.ts';

function task(
  key: string,
  after: readonly (string | { task_key: string; outcome: 'true' | 'false' })[] = [],
): Task {
  return {
    task_key: key,
    depends_on: after.map((parent) => (typeof parent === 'string' ? { task_key: parent } : parent)),
    notebook_task: { notebook_path: '/n' },
  };
}

// a → b → c → e
//      ╲→ d ↗     f stands alone
const tasks = [
  task('a'),
  task('b', ['a']),
  task('c', [{ task_key: 'b', outcome: 'true' }]),
  task('d', [{ task_key: 'b', outcome: 'false' }]),
  task('e', ['c', 'd']),
  task('f'),
];

function chosen(only: readonly string[]): Record<string, string[]> {
  const selected = selectTasks(tasks, only);
  if ('problem' in selected) throw new Error(selected.problem);
  return Object.fromEntries(
    selected.tasks.map(({ task_key, depends_on }) => [
      task_key,
      (depends_on ?? []).map((parent) => parent.task_key),
    ]),
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
      tasks: [{ task_key: 'b' }, { task_key: 'c', depends_on: [{ task_key: 'b', outcome: 'true' }] }],
    });
  });

  test.each(['nope', '+nope+', '', '+'])('%j names no task and is a problem', (text) => {
    expect(selectTasks(tasks, ['a', text])).toEqual({
      problem: `task '${text.replaceAll('+', '')}' is not a task of this job`,
    });
  });

  test('the task of an iteration cannot be chosen by itself', () => {
    const loop: Task = { task_key: 'loop', for_each_task: { inputs: '[]', task: task('each') } };

    expect(selectTasks([loop], ['each'])).toEqual({
      problem: "task 'each' is what 'loop' runs for each input; choose 'loop'",
    });
  });
});
