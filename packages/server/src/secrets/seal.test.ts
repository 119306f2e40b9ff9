import crypto from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fingerprintOf, openValue, sealValue } from './seal.ts';

const key = crypto.createSecretKey(Buffer.alloc(32, 1));
const otherKey = crypto.createSecretKey(Buffer.alloc(32, 2));
const name = { scope: 'prod', key: 'password' };

test('any value opens under its own name and key, in any case of letters', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (value) => {
      const sealed = sealValue(key, name, value);

      expect(openValue(key, { scope: 'PROD', key: 'Password' }, sealed)).toEqual(Buffer.from(value));
    }),
  );
});

test.each([
  ['another key', otherKey, name],
  ['another scope', key, { ...name, scope: 'dev' }],
  ['another name', key, { ...name, key: 'user' }],
  ['the same letters divided otherwise', key, { scope: 'prodp', key: 'assword' }],
])('a value does not open under %s', (_what, withKey, asName) => {
  expect(openValue(withKey, asName, sealValue(key, name, Buffer.from('x')))).toBeNull();
});

test('a value that was changed or cut anywhere does not open', () => {
  const sealed = sealValue(key, name, Buffer.from('hunter2'));
  for (let at = 0; at < sealed.length; at += 1) {
    const changed = Buffer.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;

    expect(openValue(key, name, changed)).toBeNull();
    expect(openValue(key, name, sealed.subarray(0, at))).toBeNull();
  }
});

test('one value sealed twice looks different, and nothing of it shows', () => {
  const value = Buffer.from('hunter2 hunter2 hunter2');
  const [first, second] = [sealValue(key, name, value), sealValue(key, name, value)];

  expect(first.equals(second)).toBe(false);
  expect(first.includes('hunter2')).toBe(false);
});

test('a fingerprint tells keys apart', () => {
  expect(fingerprintOf(key)).toMatch(/^[0-9a-f]{16}$/);
  expect(fingerprintOf(key)).not.toBe(fingerprintOf(otherKey));
});
