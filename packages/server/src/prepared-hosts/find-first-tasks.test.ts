import type { Task } from '@headrace/api';
import { expect, test } from 'vitest';
import { findFirstTasks } from './find-first-tasks.ts';

const notebook_task = { notebook_path: '/a' };
const new_cluster = { spark_version: 'x' };
const condition_task = { op: 'EQUAL_TO', left: '1', right: '1' };
const after = (...keys: readonly string[]) => ({ depends_on: keys.map((task_key) => ({ task_key })) });
/** Of valid settings; what is left out plays no part. */
const firstOf = (...tasks: readonly object[]) =>
  findFirstTasks(tasks as Task[]).map(({ task_key }) => task_key);

test('what depends on nothing comes first, and what only waits for a condition', () => {
  expect(
    firstOf(
      { task_key: 'a', notebook_task, new_cluster },
      { task_key: 'b', notebook_task, new_cluster, ...after('a') },
      { task_key: 'if', condition_task },
      { task_key: 'c', notebook_task, new_cluster, ...after('if') },
      { task_key: 'd', notebook_task, new_cluster, ...after('if', 'a') },
    ),
  ).toEqual(['a', 'c']);
});

test('a cluster that tasks share counts once, and that of a loop is that of its task', () => {
  expect(
    firstOf(
      { task_key: 'a', notebook_task, job_cluster_key: 'k' },
      { task_key: 'b', notebook_task, job_cluster_key: 'k' },
      { task_key: 'c', notebook_task },
      { task_key: 'd', notebook_task },
      {
        task_key: 'each',
        for_each_task: { inputs: '[1]', task: { task_key: 'in', notebook_task, new_cluster } },
      },
    ),
  ).toEqual(['a', 'c', 'in']);
});

test('work that has no use for the driver of a cluster needs none', () => {
  expect(
    firstOf(
      { task_key: 'jar', spark_jar_task: {}, new_cluster },
      { task_key: 'run', run_job_task: { job_id: 1 } },
      { task_key: 'later', notebook_task, new_cluster, ...after('run') },
      { task_key: 'off', notebook_task, new_cluster, disabled: true },
    ),
  ).toEqual([]);
});

test('a circle is nobody’s first task', () => {
  expect(
    firstOf(
      { task_key: 'a', condition_task, ...after('b') },
      { task_key: 'b', condition_task, ...after('a') },
      { task_key: 'c', notebook_task, ...after('a') },
    ),
  ).toEqual([]);
});
