import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type FolderStore, openFolderStore } from './folder-store.ts';

let folder: string;
let blobs: FolderStore;
beforeEach(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), 'headrace-blobs-'));
  blobs = await openFolderStore(path.join(folder, 'root'));
});
afterEach(() => fs.rm(folder, { recursive: true }));

const text = async (key: string) => (await blobs.get(key))?.toString('utf8') ?? null;

test('what is put comes back, whole or in part', async () => {
  await blobs.put('a/b/c.txt', Buffer.from('0123456789'));
  await blobs.put('a/b/d.txt', Readable.from(['xy', 'z']));

  expect(await text('a/b/c.txt')).toBe('0123456789');
  expect((await blobs.get('a/b/c.txt', { offset: 4, length: 3 }))?.toString()).toBe('456');
  expect((await blobs.get('a/b/c.txt', { offset: 8, length: 100 }))?.toString()).toBe('89');
  expect((await blobs.get('a/b/c.txt', { offset: 50, length: 1 }))?.length).toBe(0);
  expect(await text('a/b/d.txt')).toBe('xyz');
  expect(await text('a/none')).toBeNull();
});

test('a put that fails half-way leaves the old content and no draft', async () => {
  await blobs.put('a', Buffer.from('old'));
  const broken = Readable.from(
    (async function* () {
      yield 'new';
      throw new Error('the sender went away');
    })(),
  );

  await expect(blobs.put('a', broken)).rejects.toThrow('the sender went away');

  expect(await text('a')).toBe('old');
  expect(await fs.readdir(blobs.root)).toEqual(['a']);
});

test('lists show direct children by name, stat tells files from folders', async () => {
  await blobs.put('l/b', Buffer.from('12'));
  await blobs.put('l/a/x', Buffer.from(''));

  expect((await blobs.list('l')).map(({ key, kind, sizeBytes }) => [key, kind, sizeBytes])).toEqual([
    ['l/a', 'folder', 0],
    ['l/b', 'file', 2],
  ]);
  expect(await blobs.list('none')).toEqual([]);
  expect(await blobs.list('l/b')).toEqual([]);
  expect(await blobs.stat('none/x')).toBeNull();
});

test('renaming and deleting take whole folders', async () => {
  await blobs.put('r/x/y', Buffer.from('1'));

  await blobs.rename('r/x', 'moved/here');
  expect(await text('moved/here/y')).toBe('1');
  await blobs.deletePrefix('moved');
  await blobs.deletePrefix('moved');

  expect(await blobs.stat('moved')).toBeNull();
});

test('a folder goes however deep a task has made it', async () => {
  await blobs.put('a/kept', Buffer.from(''));
  await plantDeep(path.join(blobs.root, 'a/deep'));

  await blobs.deletePrefix('a/deep');

  expect((await blobs.list('a')).map(({ key }) => key)).toEqual(['a/kept']);
});

/** Deeper than folders are opened at a time, and with a path longer than any system takes: what is there goes below the next. */
async function plantDeep(place: string): Promise<void> {
  const below = Array.from({ length: 10 }, () => 'x'.repeat(200));
  const taller = `${place}-taller`;
  await fs.mkdir(place);
  for (let i = 0; i < 25; i += 1) {
    await fs.mkdir(path.join(taller, ...below), { recursive: true });
    await fs.writeFile(path.join(taller, 'file'), '');
    await fs.rename(place, path.join(taller, ...below, 'next'));
    await fs.rename(taller, place);
  }
}

test.each(['', '/etc/passwd', '../x', 'a/../../x', 'a//b', 'a/./b', 'a/', 'a\0b', 'x'.repeat(300)])(
  'the key %j is refused by every operation',
  async (key) => {
    for (const attempt of [
      () => blobs.put(key, Buffer.from('x')),
      () => blobs.get(key),
      () => blobs.stat(key),
      () => blobs.list(key),
      () => blobs.deletePrefix(key),
      () => blobs.makeFolder(key),
      () => blobs.rename(key, 'ok'),
    ]) {
      await expect(attempt()).rejects.toMatchObject({ code: 'INVALID_PARAMETER_VALUE' });
    }
  },
);

test('no link leads out of the folder, neither the last part nor one on the way', async () => {
  const outside = path.join(folder, 'outside');
  await fs.mkdir(outside);
  await fs.writeFile(path.join(outside, 'secret'), 'secret');
  await fs.symlink(outside, path.join(blobs.root, 'way'));
  await fs.symlink(path.join(outside, 'secret'), path.join(blobs.root, 'last'));

  expect(await text('way/secret')).toBeNull();
  expect(await text('last')).toBeNull();
  expect(await blobs.list('way')).toEqual([]);
  await expect(blobs.put('way/new', Buffer.from('x'))).rejects.toThrow('leads out');
  await expect(blobs.makeFolder('way/new/deep')).rejects.toThrow('leads out');
  await blobs.deletePrefix('way/secret');
  await blobs.put('last', Buffer.from('replaced the link'));

  expect(await fs.readdir(outside)).toEqual(['secret']);
  expect(await fs.readFile(path.join(outside, 'secret'), 'utf8')).toBe('secret');
  expect(await text('last')).toBe('replaced the link');
});
