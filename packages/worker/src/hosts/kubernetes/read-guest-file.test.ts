import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readGuestFile } from './read-guest-file.ts';

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'guest-'));
});
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

const aFile = (text: string, name = 'journal') => {
  fs.writeFileSync(path.join(folder, name), text);
  return path.join(folder, name);
};

test('a file is read as a whole, and an empty one too', () => {
  const long = 'a'.repeat(300_000);

  expect(readGuestFile(aFile(long), 1e6)).toBe(long);
  expect(readGuestFile(aFile('', 'empty'), 1e6)).toBe('');
  expect(readGuestFile(path.join(folder, 'none'), 1e6)).toBeNull();
});

test('a link to a file of ours is not followed', () => {
  const link = path.join(folder, 'link');
  fs.symlinkSync(aFile('a secret', 'ours'), link);

  expect(readGuestFile(link, 1e6)).toBeNull();
});

test('a pipe that nobody writes to is not waited for', () => {
  const pipe = path.join(folder, 'pipe');
  spawnSync('mkfifo', [pipe]);

  expect(readGuestFile(pipe, 1e6)).toBeNull();
});

test('a folder, and more than a host writes, is not read', () => {
  expect(readGuestFile(folder, 1e6)).toBeNull();
  expect(readGuestFile(aFile('123456'), 5)).toBeNull();
});

test('what cannot be read for now is no empty file', () => {
  const file = aFile('text');

  expect(() => readGuestFile(path.join(file, 'below'), 1e6)).toThrow(/ENOTDIR/);
});
