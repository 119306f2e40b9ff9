import { lifeCycleStates, resultStates } from '@headrace/api';
import { expect, test } from 'vitest';
import { hasEnded, outcomeOf, refusalToCancel } from './outcome.ts';

test('every state of the contract has a word and a sign of its own', () => {
  const outcomes = [
    ...resultStates.map((result_state) => outcomeOf({ life_cycle_state: 'TERMINATED', result_state })),
    ...lifeCycleStates
      .filter((life) => !hasEnded({ life_cycle_state: life }))
      .map((life_cycle_state) => outcomeOf({ life_cycle_state })),
  ];

  expect(outcomes.filter(({ sign }) => sign === '?')).toEqual([]);
  expect(new Set(outcomes.map(({ label }) => label)).size).toBe(outcomes.length);
});

test('a state that a newer server may send is shown by its name', () => {
  // A value that the contract does not have yet.
  const state = { life_cycle_state: 'HIBERNATING' } as unknown as Parameters<typeof outcomeOf>[0];

  expect(outcomeOf(state).label).toBe('HIBERNATING');
});

test('a failed job run has ended, although it calls itself an internal error', () => {
  const state = { life_cycle_state: 'INTERNAL_ERROR', result_state: 'FAILED' } as const;

  expect(hasEnded(state)).toBe(true);
  expect(outcomeOf(state)).toMatchObject({ label: 'Failed', tone: 'bad' });
});

test('cancelling is refused with the reason once a run has ended or stops', () => {
  expect(refusalToCancel({ life_cycle_state: 'RUNNING' })).toBe(null);
  expect(refusalToCancel({ life_cycle_state: 'QUEUED' })).toBe(null);
  expect(refusalToCancel({ life_cycle_state: 'TERMINATING' })).toBe('The run is being stopped');
  expect(refusalToCancel({ life_cycle_state: 'TERMINATED', result_state: 'SUCCESS' })).toBe(
    'The run has ended',
  );
});
