import crypto from 'node:crypto';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readKeyFile, removeOldDrafts } from './key-file.ts';

let folder: string;
beforeEach(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), 'hr-key-file-'));
});
afterEach(() => fs.rm(folder, { recursive: true }));

async function write(lines: readonly string[]): Promise<string> {
  const file = path.join(folder, 'secrets.key');
  await fs.writeFile(file, lines.map((line) => `${line}\n`).join(''));
  return file;
}

const newLines = (count: number) =>
  Array.from({ length: count }, () => crypto.randomBytes(32).toString('base64'));

test('a file of a hundred keys is read', async () => {
  expect(await readKeyFile(await write(newLines(100)))).toHaveLength(100);
});

test('drafts that a crash left go, and nothing else that lies there', async () => {
  const file = await write(newLines(1));
  const names = ['0123abcd.new', '89abcdef.new', 'old', 'backup.new'].map((end) => `secrets.key.${end}`);
  for (const name of names) await fs.writeFile(path.join(folder, name), '');
  const longAgo = new Date(Date.now() - 3_600_000);
  for (const name of names.toSpliced(1, 1)) await fs.utimes(path.join(folder, name), longAgo, longAgo);

  await removeOldDrafts(file, Date.now());

  expect((await fs.readdir(folder)).sort()).toEqual(['secrets.key', ...names.slice(1)].sort());
});

test.each([
  ['more lines', newLines(101), 'it has more than 100 lines'],
  ['no line', [], 'expected 32 bytes in base64'],
  ['a line that is no key', ['abc'], 'expected 32 bytes in base64'],
])('of a file with %s it says what is wrong', async (_what, lines, message) => {
  const file = await write(lines);

  await expect(readKeyFile(file)).rejects.toMatchObject({ message: expect.stringContaining(message) });
});
