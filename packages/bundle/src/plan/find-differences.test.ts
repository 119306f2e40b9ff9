import { expect, test } from 'vitest';
import { findDifferences } from './find-differences.ts';
import { JOB_RULES } from './kinds/jobs.ts';

const differencesOf = (before: unknown, after: unknown) => findDifferences(before, after, JOB_RULES);
const paths = (before: unknown, after: unknown) => differencesOf(before, after).map(({ path }) => path);

test('a field is named by the keys that lead to it', () => {
  const before = { tasks: [{ task_key: 'ingest', new_cluster: { num_workers: 4 } }] };
  const after = { tasks: [{ task_key: 'ingest', new_cluster: { num_workers: 2 } }] };

  expect(differencesOf(before, after)).toMatchObject([
    { path: 'tasks[ingest].new_cluster.num_workers', before: 4, after: 2 },
  ]);
});

test('the order of tasks, clusters, parameters and parents is no difference', () => {
  const before = {
    tasks: [{ task_key: 'a' }, { task_key: 'b', depends_on: [{ task_key: 'a' }, { task_key: 'c' }] }],
    parameters: [{ name: 'x' }, { name: 'y' }],
  };
  const after = {
    parameters: [{ name: 'y' }, { name: 'x' }],
    tasks: [{ task_key: 'b', depends_on: [{ task_key: 'c' }, { task_key: 'a' }] }, { task_key: 'a' }],
  };

  expect(differencesOf(before, after)).toEqual([]);
});

test('the order of arguments is one', () => {
  const wheel = (...parameters: string[]) => ({
    tasks: [{ task_key: 'a', python_wheel_task: { parameters } }],
  });

  expect(paths(wheel('x', 'y'), wheel('y', 'x'))).toEqual([
    'tasks[a].python_wheel_task.parameters[0]',
    'tasks[a].python_wheel_task.parameters[1]',
  ]);
});

test('what the server fills in is no difference', () => {
  const filled = {
    name: 'x',
    format: 'MULTI_TASK',
    max_concurrent_runs: 1,
    timeout_seconds: 0,
    email_notifications: {},
    tasks: [
      {
        task_key: 'a',
        run_if: 'ALL_SUCCESS',
        max_retries: 0,
        notebook_task: { notebook_path: '/x', source: 'WORKSPACE' },
      },
    ],
  };

  expect(
    paths(filled, { name: 'x', tasks: [{ task_key: 'a', notebook_task: { notebook_path: '/x' } }] }),
  ).toEqual([]);
});

test('a limit of none is not the default limit, and a tag that looks like a default is one', () => {
  expect(paths({ max_concurrent_runs: 1 }, { max_concurrent_runs: 0 })).toEqual(['max_concurrent_runs']);
  expect(paths({ tags: { format: 'MULTI_TASK' } }, {})).toEqual(['tags']);
});

test('a task more, and a task less, are named whole', () => {
  expect(paths({ tasks: [{ task_key: 'a', x: 1 }] }, { tasks: [{ task_key: 'b', x: 1 }] })).toEqual([
    'tasks[b]',
    'tasks[a]',
  ]);
});
