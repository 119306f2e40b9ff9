import { ApiError, UnreachableError } from '@headrace/api';
import { expect, test } from 'vitest';
import { findOutage, isPassing, outageText } from './outage.ts';

const openedAtMs = 500;
const unreachable = new UnreachableError('http://here', new Error('refused'));
const unready = new ApiError('TEMPORARILY_UNAVAILABLE', 'the database does not answer in time');

test('a server that answers is not away, even when it refuses the question', () => {
  expect(findOutage({ error: null, dataUpdatedAt: 900 }, openedAtMs)).toBeNull();
  const refused = new ApiError('UNAUTHENTICATED', 'sign in');
  expect(findOutage({ error: refused, dataUpdatedAt: 900 }, openedAtMs)).toBeNull();
});

test('what the page shows is as old as the last good answer, or as the page', () => {
  expect(findOutage({ error: unreachable, dataUpdatedAt: 900 }, openedAtMs)?.heardAtMs).toBe(900);
  expect(findOutage({ error: unreachable, dataUpdatedAt: 0 }, openedAtMs)?.heardAtMs).toBe(500);
});

test('nothing that answers is told apart from a server that says why it cannot work', () => {
  const silent = findOutage({ error: unreachable, dataUpdatedAt: 900 }, openedAtMs);
  const without = findOutage({ error: unready, dataUpdatedAt: 900 }, openedAtMs);
  if (!silent || !without) throw new Error('both are outages');

  expect(outageText(silent, '12:00:00').what).toBe(
    'The server does not answer. It was last heard at 12:00:00, and what you see is how things stood then.',
  );
  expect(outageText(without, '12:00:00').what).toBe(
    'The server answers, but cannot work: the database does not answer in time. What you see is how things stood at 12:00:00.',
  );
});

test('only what may pass by itself is left to the one notice', () => {
  expect([unreachable, unready].map(isPassing)).toEqual([true, true]);
  expect(isPassing(new ApiError('INTERNAL_ERROR', 'it broke'))).toBe(false);
  expect(isPassing(new Error('another document than agreed'))).toBe(false);
});
