import type { JobSettings } from '@headrace/api';
import { expect, test } from 'vitest';
import { findEnvironmentProblems } from './validate-environments.ts';

test('an environment that the job does not declare is named, in iterations too', () => {
  const nested = { task_key: 'each', environment_key: 'gone' };
  const settings: JobSettings = {
    environments: [{ environment_key: 'a' }, { environment_key: 'a' }],
    tasks: [
      { task_key: 'good', environment_key: 'a' },
      { task_key: 'loop', for_each_task: { inputs: '[]', task: nested } },
    ],
  };

  expect(findEnvironmentProblems(settings)).toEqual([
    "environments: 'a' is declared more than once",
    "tasks: task 'each' names the environment 'gone', and the job declares 'a'",
  ]);
});
