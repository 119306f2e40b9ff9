import { expect, test } from 'vitest';
import { findJobCycle } from './job-cycle.ts';

test.each<[string, [number, number[]][], number[] | null]>([
  ['no edges', [], null],
  [
    'a job that runs others',
    [
      [1, [2, 3]],
      [2, [3]],
    ],
    null,
  ],
  ['a job that runs itself', [[1, [1]]], [1, 1]],
  [
    'two jobs',
    [
      [1, [2]],
      [2, [1]],
    ],
    [1, 2, 1],
  ],
  [
    'a longer way',
    [
      [1, [2]],
      [2, [3, 4]],
      [3, []],
      [4, [1]],
    ],
    [1, 2, 4, 1],
  ],
  [
    'the shortest of two',
    [
      [1, [2, 3]],
      [2, [4]],
      [4, [1]],
      [3, [1]],
    ],
    [1, 3, 1],
  ],
  [
    'a circle of others',
    [
      [1, [2]],
      [2, [3]],
      [3, [2]],
    ],
    null,
  ],
])('%s', (_, edges, cycle) => {
  expect(findJobCycle(1, new Map(edges))).toEqual(cycle);
});
