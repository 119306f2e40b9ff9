import crypto from 'node:crypto';
import { expect, test } from 'vitest';
import { readLink, signLink } from './links.ts';

const key = crypto.createSecretKey(Buffer.alloc(32, 7));
const claims = { statementId: crypto.randomUUID(), index: 3, expiresAtS: 1_000 };

test('a link opens what it was signed for until it expires', () => {
  const link = signLink(key, claims);

  expect(readLink(key, link, 999_999)).toEqual(claims);
  expect(readLink(key, link, 1_000_000)).toBeNull();
});

test('a link of another key, chunk, or time opens nothing', () => {
  const link = signLink(key, claims);
  const other = crypto.createSecretKey(Buffer.alloc(32, 8));

  expect(readLink(other, link, 0)).toBeNull();
  expect(readLink(key, link.replace('.3.', '.4.'), 0)).toBeNull();
  expect(readLink(key, link.replace('.1000.', '.9000.'), 0)).toBeNull();
  expect(readLink(key, 'x', 0)).toBeNull();
});
