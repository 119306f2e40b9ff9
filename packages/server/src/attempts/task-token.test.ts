import { createSecretKey } from 'node:crypto';
import { expect, test } from 'vitest';
import { mintTaskToken, readTaskToken } from './task-token.ts';

const key = createSecretKey(Buffer.alloc(32, 1));
const claims = { attemptId: 12, epoch: 3, principalId: 7, expiresAtS: 1_000 };

test('a token says whose it is', () => {
  expect(readTaskToken(key, mintTaskToken(key, claims), 999_999)).toEqual(claims);
});

test('an expired token says nothing', () => {
  expect(readTaskToken(key, mintTaskToken(key, claims), 1_000_000)).toBeNull();
});

test.each([
  ['another key', () => mintTaskToken(createSecretKey(Buffer.alloc(32, 2)), claims)],
  ['another epoch', () => mintTaskToken(key, claims).replace('.3.', '.4.')],
  ['another principal', () => mintTaskToken(key, claims).replace('.7.', '.1.')],
  ['no signature', () => 'hrt_12.3.7.1000.'],
  ['another kind of token', () => 'hrp_abc'],
])('a token with %s is refused', (_, forge) => {
  expect(readTaskToken(key, forge(), 0)).toBeNull();
});
