/** Settings of jobs whose shape is what matters. */
import type { Client } from '@headrace/api';

export type SampleTasks = NonNullable<Parameters<Client['jobsCreate']>[0]['tasks']>;
type SampleTask = SampleTasks[number];

export function chainOf(length: number): SampleTasks {
  return Array.from({ length }, (_, index) => lightTask(`t${index}`, index === 0 ? [] : [`t${index - 1}`]));
}

/** A root, so many in parallel, a join. */
export function fanOf(width: number): SampleTasks {
  const middle = Array.from({ length: width }, (_, index) => `m${index}`);
  return [lightTask('root', []), ...middle.map((key) => lightTask(key, ['root'])), lightTask('join', middle)];
}

/** 1,000 tasks: a root, 200 after it, 750 with two parents each, one with 750 parents, and a tail of 48. */
export function layeredJob(): SampleTasks {
  const first = Array.from({ length: 200 }, (_, index) => `a${index}`);
  const second = Array.from({ length: 750 }, (_, index) => `b${index}`);
  const tail = Array.from({ length: 48 }, (_, index) => `z${index}`);
  return [
    lightTask('root', []),
    ...first.map((key) => lightTask(key, ['root'])),
    ...second.map((key, index) => lightTask(key, [`a${index % 200}`, `a${(index * 7 + 3) % 200}`])),
    lightTask('join', second),
    ...tail.map((key, index) => lightTask(key, [index === 0 ? 'join' : `z${index - 1}`])),
  ];
}

export function forEachOf(count: number, concurrency: number): SampleTasks {
  const inputs = JSON.stringify(Array.from({ length: count }, (_, index) => index));
  const task = { ...lightTask('each', []), depends_on: undefined };
  return [{ task_key: 'all', for_each_task: { inputs, concurrency, task } }] as SampleTasks;
}

/** They run until they are stopped; on hosts in memory only. */
export function hangingTasks(count: number): SampleTasks {
  return Array.from({ length: count }, (_, index) => {
    const parameters = ['--fake={"kind":"hang"}'];
    return { ...lightTask(`h${index}`, []), spark_python_task: { python_file: '/light.py', parameters } };
  });
}

function lightTask(key: string, after: readonly string[]): SampleTask {
  const parents = [...new Set(after)];
  // The request's type is that of a parsed document; what it leaves out has a default.
  return {
    task_key: key,
    depends_on: parents.map((task_key) => ({ task_key })),
    spark_python_task: { python_file: '/light.py' },
  } as SampleTask;
}
