import { expect, test } from 'vitest';
import { paths } from './paths.ts';

test('a run’s path holds what is selected, and nothing that is not', () => {
  expect(paths.run(7)).toBe('/runs/7');
  expect(paths.run(7, { task: undefined, tab: 'log' })).toBe('/runs/7?tab=log');
  expect(paths.run(7, { task: 'a&b', tab: 'output' })).toBe('/runs/7?task=a%26b&tab=output');
});

test('the runs of a job, filtered and paged, have a path', () => {
  expect(paths.runs()).toBe('/runs');
  expect(paths.runs({ jobId: 11, show: 'active' })).toBe('/runs?job_id=11&show=active');
});
