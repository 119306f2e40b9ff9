import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type FolderStore, openFolderStore } from './folder-store.ts';
import { findShipped, getShipped, partKeyOf } from './shipped-log.ts';

const key = 'attempts/1/2/output.log';
let folder: string;
let remote: FolderStore;
beforeEach(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), 'headrace-shipped-'));
  remote = await openFolderStore(folder);
  let offset = 0;
  for (const part of ['0123', '456', '789']) {
    await remote.put(partKeyOf(key, offset), Buffer.from(part));
    offset += part.length;
  }
});
afterEach(() => fs.rm(folder, { recursive: true }));

test.each([
  [0, 100, '0123456789'],
  [0, 4, '0123'],
  [3, 2, '34'],
  [2, 6, '234567'],
  [5, 1, '5'],
  [9, 5, '9'],
  [10, 5, ''],
])('from parts, %i and %i bytes on, one log is read: %j', async (offset, length, expected) => {
  expect((await getShipped(remote, key, { offset, length }))?.toString()).toBe(expected);
});

test('its size is where its parts end, and a part behind a gap does not count', async () => {
  await remote.put(partKeyOf(key, 12), Buffer.from('later'));

  expect(await findShipped(remote, key)).toMatchObject({ kind: 'file', sizeBytes: 10 });
  expect((await getShipped(remote, key))?.toString()).toBe('0123456789');
});

test('the whole log counts as soon as it is there', async () => {
  await remote.put(key, Buffer.from('0123456789 and the end'));

  expect(await findShipped(remote, key)).toMatchObject({ sizeBytes: 22 });
  expect((await getShipped(remote, key, { offset: 11, length: 3 }))?.toString()).toBe('and');
});

test('what was never shipped is not there', async () => {
  expect(await findShipped(remote, 'attempts/1/3/output.log')).toBeNull();
  expect(await getShipped(remote, 'attempts/1/3/output.log')).toBeNull();
  expect(await findShipped(remote, 'attempts/1/2/result.json')).toBeNull();
});
