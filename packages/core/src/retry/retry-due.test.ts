import { expect, test } from 'vitest';
import { retryDueAtMs } from './retry-due.ts';

const policy = { retriesMax: 5, intervalMinMs: 5_000, intervalMaxMs: 60_000, onTimeout: false };

test('with a maximum, intervals double from the minimum up to it', () => {
  const due = [0, 1, 2, 3, 4].map((attempt) =>
    retryDueAtMs(policy, { attempt, startedAtMs: 0, timedOut: false }),
  );

  expect(due).toEqual([5_000, 10_000, 20_000, 40_000, 60_000]);
});

test('without a maximum the interval stays', () => {
  expect(
    retryDueAtMs({ ...policy, intervalMaxMs: null }, { attempt: 4, startedAtMs: 0, timedOut: false }),
  ).toBe(5_000);
});

test('no attempt beyond the policy, none after a time-out unless it says so, and -1 means for ever', () => {
  expect(retryDueAtMs(policy, { attempt: 5, startedAtMs: 0, timedOut: false })).toBe(null);
  expect(retryDueAtMs(policy, { attempt: 0, startedAtMs: 0, timedOut: true })).toBe(null);
  expect(retryDueAtMs({ ...policy, onTimeout: true }, { attempt: 0, startedAtMs: 0, timedOut: true })).toBe(
    5_000,
  );
  expect(
    retryDueAtMs({ ...policy, retriesMax: -1 }, { attempt: 10_000, startedAtMs: 0, timedOut: false }),
  ).toBe(60_000);
});
