import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { decodeBlock } from './change-dbfs.ts';
import { writeWhole } from './write-whole.ts';

test('what one write leaves over, the next one writes', async () => {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'headrace-whole-'));
  const file = await fs.open(path.join(folder, 'a'), 'w+');
  const short = {
    write: (bytes: Uint8Array, offset: number, length: number, position: number) =>
      file.write(bytes, offset, Math.min(length, 3), position),
  };

  await file.write('0123');
  await writeWhole(short as never, Buffer.from('abcdefgh'), 4);
  await file.close();

  expect(await fs.readFile(path.join(folder, 'a'), 'utf8')).toBe('0123abcdefgh');
  await fs.rm(folder, { recursive: true });
});

test('a disk that takes nothing more is full', async () => {
  const full = { write: async () => ({ bytesWritten: 0 }) };

  await expect(writeWhole(full as never, Buffer.from('a'), 0)).rejects.toMatchObject({ code: 'ENOSPC' });
});

test('base64 may have line ends, and no text takes long to refuse', { timeout: 10_000 }, () => {
  const bytes = Buffer.alloc(1_000, 7);
  const lines = bytes.toString('base64').replace(/.{76}/g, '$&\r\n');

  expect(decodeBlock('data', `${lines}\n`)).toEqual(bytes);
  // 1.4 million characters, as many as a block has: with a quadratic pattern this takes many minutes.
  for (const text of [`${'\n'.repeat(1_400_000)}!`, `${'A\n'.repeat(700_000)}!`])
    expect(() => decodeBlock('data', text)).toThrow('is not base64');
});
