import crypto from 'node:crypto';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createCipher, keyFileName, loadCipher } from './cipher.ts';

let folder: string;
beforeEach(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), 'headrace-cipher-'));
});
afterEach(() => fs.rm(folder, { recursive: true }));

const cipher = createCipher(crypto.randomBytes(32));

test('what was sealed opens for what it was sealed for, and for nothing else', () => {
  const sealed = cipher.seal('ghp_ä', 'git-credential/1');

  expect(cipher.open(sealed, 'git-credential/1')).toBe('ghp_ä');
  expect(sealed.includes('ghp_')).toBe(false);
  expect(() => cipher.open(sealed, 'git-credential/2')).toThrow('cannot be opened');
});

test('of a sealed text no byte can be changed, nor the end cut off', () => {
  const sealed = cipher.seal('secret', 'p');

  for (let at = 0; at < sealed.length; at++) {
    const changed = Buffer.from(sealed);
    changed.writeUInt8((changed[at] ?? 0) ^ 1, at);
    expect(() => cipher.open(changed, 'p')).toThrow();
    expect(() => cipher.open(sealed.subarray(0, at), 'p')).toThrow();
  }
});

test('the same text is never sealed alike', () => {
  expect(cipher.seal('a', 'p').equals(cipher.seal('a', 'p'))).toBe(false);
});

test('the key is made once, is for its owner only, and servers that start at once share it', async () => {
  const ciphers = await Promise.all(Array.from({ length: 8 }, () => loadCipher(folder, null)));

  const sealed = ciphers.map((each) => each.seal('x', 'p'));
  for (const each of ciphers) for (const one of sealed) expect(each.open(one, 'p')).toBe('x');
  expect(await fs.readdir(folder)).toEqual([keyFileName]);
  expect((await fs.stat(path.join(folder, keyFileName))).mode & 0o777).toBe(0o600);
});

test('a key that is given is used, and no file is made', async () => {
  const key = crypto.randomBytes(32);
  const given = await loadCipher(folder, key.toString('base64'));

  expect(createCipher(key).open(given.seal('x', 'p'), 'p')).toBe('x');
  expect(await fs.readdir(folder)).toEqual([]);
});

test('what is no key ends the start and says what one looks like', async () => {
  await expect(loadCipher(folder, 'short')).rejects.toThrow('HEADRACE_SECRETS_KEY: expected 32 bytes');
});
