import { describe, expect, test } from 'vitest';
import type { EndedResult, RunIf } from '../run/state.ts';
import { decideByRunIf } from './ready.ts';

/** run_if · results of the parents · what follows; the rows of "Graph rules". */
const rows: readonly [RunIf, readonly EndedResult[], 'run' | EndedResult][] = [
  ['ALL_SUCCESS', ['succeeded', 'succeeded'], 'run'],
  ['ALL_SUCCESS', ['succeeded', 'failed'], 'upstream_failed'],
  ['ALL_SUCCESS', ['succeeded', 'timed_out'], 'upstream_failed'],
  ['ALL_SUCCESS', ['succeeded', 'internal_error'], 'upstream_failed'],
  ['ALL_SUCCESS', ['succeeded', 'cancelled'], 'upstream_cancelled'],
  ['ALL_SUCCESS', ['succeeded', 'upstream_cancelled'], 'upstream_cancelled'],
  ['ALL_SUCCESS', ['succeeded', 'disabled'], 'disabled'],
  ['ALL_SUCCESS', ['succeeded', 'excluded'], 'excluded'],
  ['ALL_SUCCESS', ['excluded', 'disabled', 'cancelled', 'failed'], 'upstream_failed'],
  ['ALL_SUCCESS', ['excluded', 'disabled', 'cancelled'], 'upstream_cancelled'],
  ['ALL_SUCCESS', ['excluded', 'disabled'], 'disabled'],
  ['AT_LEAST_ONE_SUCCESS', ['failed', 'succeeded'], 'run'],
  ['AT_LEAST_ONE_SUCCESS', ['failed', 'excluded'], 'upstream_failed'],
  ['NONE_FAILED', ['succeeded', 'excluded'], 'run'],
  ['NONE_FAILED', ['succeeded', 'failed'], 'upstream_failed'],
  ['NONE_FAILED', ['succeeded', 'cancelled'], 'upstream_cancelled'],
  ['NONE_FAILED', ['excluded', 'excluded'], 'excluded'],
  ['ALL_DONE', ['failed', 'cancelled', 'excluded'], 'run'],
  ['ALL_DONE', ['excluded'], 'excluded'],
  ['AT_LEAST_ONE_FAILED', ['succeeded', 'failed'], 'run'],
  ['AT_LEAST_ONE_FAILED', ['succeeded', 'cancelled'], 'run'],
  ['AT_LEAST_ONE_FAILED', ['succeeded', 'succeeded'], 'excluded'],
  ['ALL_FAILED', ['failed', 'upstream_failed'], 'run'],
  ['ALL_FAILED', ['failed', 'succeeded'], 'excluded'],
];

describe('run_if', () => {
  test.each(rows)('%s over %j gives %s', (runIf, parents, expected) => {
    expect(decideByRunIf(runIf, parents)).toBe(expected);
  });

  test('a task without parents runs, whatever its run_if', () => {
    expect(decideByRunIf('ALL_FAILED', [])).toBe('run');
  });
});
