/** The port's promises, kept by the folder and by the bucket of a real S3 server alike. */
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BlobStore } from '../../../packages/server/src/blobs/blob-store.ts';
import { openFolderStore } from '../../../packages/server/src/blobs/folder-store.ts';
import { openBucket } from '../../../packages/server/src/blobs/s3-client.ts';
import { openS3Store } from '../../../packages/server/src/blobs/s3-store.ts';
import { startS3Server, testCredentials } from '../../support/s3-server.ts';

interface Opened {
  readonly blobs: BlobStore;
  close(): Promise<void>;
}

async function openFolder(): Promise<Opened> {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'headrace-blobs-'));
  return {
    blobs: await openFolderStore(path.join(folder, 'root')),
    close: () => fs.rm(folder, { recursive: true }),
  };
}

async function openS3(): Promise<Opened> {
  const server = await startS3Server();
  const { endpoint } = server;
  const place = { bucket: 'contract', prefix: 'some/where/', endpoint, region: null, isPathStyle: true };
  const bucket = openBucket(place, testCredentials);
  await server.makeBucket('contract');
  const blobs = openS3Store(bucket);
  return {
    blobs,
    async close() {
      blobs.close();
      await server.stop();
    },
  };
}

describe.each([
  { name: 'the folder', open: openFolder },
  { name: 'the bucket', open: openS3 },
])('$name', ({ open }) => {
  let opened: Opened;
  let blobs: BlobStore;
  beforeAll(async () => {
    opened = await open();
    blobs = opened.blobs;
  });
  afterAll(() => opened.close());

  const text = async (key: string) => (await blobs.get(key))?.toString('utf8') ?? null;
  const list = async (key: string) =>
    (await blobs.list(key)).map(({ key, kind, sizeBytes }) => [key, kind, sizeBytes]);

  test('what is put comes back, whole, in part and as a stream', async () => {
    await blobs.put('a/b/c.txt', Buffer.from('0123456789'));
    await blobs.put('a/b/d.txt', Readable.from(['xy', 'z']));
    await blobs.put('a/b/empty', Buffer.alloc(0));

    expect(await text('a/b/c.txt')).toBe('0123456789');
    expect((await blobs.get('a/b/c.txt', { offset: 4, length: 3 }))?.toString()).toBe('456');
    expect((await blobs.get('a/b/c.txt', { offset: 8, length: 100 }))?.toString()).toBe('89');
    expect((await blobs.get('a/b/c.txt', { offset: 50, length: 1 }))?.length).toBe(0);
    expect((await blobs.get('a/b/c.txt', { offset: 2, length: 0 }))?.length).toBe(0);
    expect((await blobs.get('a/b/empty', { offset: 0, length: 5 }))?.length).toBe(0);
    expect(await text('a/b/empty')).toBe('');
    expect(await text('a/b/d.txt')).toBe('xyz');
    expect(await (await blobs.stream('a/b/d.txt'))?.toArray().then((chunks) => chunks.join(''))).toBe('xyz');
  });

  test('what is not there is null, and no error to delete', async () => {
    expect(await blobs.get('none/x')).toBeNull();
    expect(await blobs.get('none/x', { offset: 3, length: 2 })).toBeNull();
    expect(await blobs.get('none/x', { offset: 3, length: 0 })).toBeNull();
    expect(await blobs.stream('none/x')).toBeNull();
    expect(await blobs.stat('none')).toBeNull();
    expect(await blobs.list('none')).toEqual([]);
    await blobs.deletePrefix('none');
    await expect(blobs.rename('none', 'other')).rejects.toThrow();
  });

  test('of many writers of one blob each reader sees one, whole', async () => {
    const bodies = Array.from({ length: 8 }, (_, index) => Buffer.alloc(100_000, `${index}`));

    await Promise.all(bodies.map((body) => blobs.put('race/one', body)));

    const found = await blobs.get('race/one');
    expect(bodies.some((body) => found?.equals(body))).toBe(true);
  });

  test('of several that put a blob only if there is none, one does', async () => {
    const bodies = Array.from({ length: 6 }, (_, index) => Buffer.from(`writer ${index}`));

    const won = await Promise.all(bodies.map((body) => blobs.putIfAbsent('lock/one', body)));

    expect(won.filter(Boolean)).toHaveLength(1);
    expect(await text('lock/one')).toBe(`writer ${won.indexOf(true)}`);
    expect(await blobs.list('lock')).toHaveLength(1);
  });

  test('a put that fails half-way leaves the old content and no draft', async () => {
    await blobs.put('half/a', Buffer.from('old'));
    const broken = Readable.from(
      (async function* () {
        yield Buffer.alloc(20 * 1024 * 1024, 'n');
        throw new Error('the sender went away');
      })(),
    );

    await expect(blobs.put('half/a', broken)).rejects.toThrow('the sender went away');

    expect(await text('half/a')).toBe('old');
    expect(await blobs.list('half')).toHaveLength(1);
  });

  test('a blob of many parts comes back byte for byte', async () => {
    const content = Buffer.alloc(21 * 1024 * 1024 + 17);
    for (let at = 0; at + 4 <= content.length; at += 4096) content.writeUInt32LE(at, at);
    const pieces = function* () {
      for (let at = 0; at < content.length; at += 1_000_003) yield content.subarray(at, at + 1_000_003);
    };

    await blobs.put('large/streamed', Readable.from(pieces()));
    await blobs.put('large/whole', content);

    expect((await blobs.get('large/streamed'))?.equals(content)).toBe(true);
    expect((await blobs.get('large/whole'))?.equals(content)).toBe(true);
    expect((await blobs.stat('large/whole'))?.sizeBytes).toBe(content.length);
    const range = { offset: 8 * 1024 * 1024 - 5, length: 10 };
    expect(
      (await blobs.get('large/whole', range))?.equals(content.subarray(range.offset, range.offset + 10)),
    ).toBe(true);
  });

  test('lists show direct children by name, stat tells files from folders', async () => {
    await blobs.put('l/b', Buffer.from('12'));
    await blobs.put('l/a/x', Buffer.from(''));
    await blobs.makeFolder('l/c');
    await blobs.put('l/a b+%41&ü"<>\u0001', Buffer.from('1'));
    await blobs.put('l2/other', Buffer.from('1'));

    expect(await list('l')).toEqual([
      ['l/a', 'folder', 0],
      ['l/a b+%41&ü"<>\u0001', 'file', 1],
      ['l/b', 'file', 2],
      ['l/c', 'folder', 0],
    ]);
    expect(await text('l/a b+%41&ü"<>\u0001')).toBe('1');
    expect(await list('l/c')).toEqual([]);
    expect(await list('l/b')).toEqual([]);
    expect((await blobs.stat('l/c'))?.kind).toBe('folder');
    expect((await blobs.stat('l/a'))?.kind).toBe('folder');
    expect(await blobs.stat('l/b')).toMatchObject({ key: 'l/b', kind: 'file', sizeBytes: 2 });
    expect(Math.abs(((await blobs.stat('l/b'))?.modifiedAtMs ?? 0) - Date.now())).toBeLessThan(60_000);
  });

  test('renaming and deleting take whole folders, and nothing beside them', async () => {
    await blobs.put('r/x/y z+', Buffer.from('1'));
    await blobs.put('r/x/deep/er/z', Buffer.from('2'));
    await blobs.put('r/x2', Buffer.from('3'));
    await blobs.makeFolder('r/x/none');

    await blobs.rename('r/x', 'moved/here');
    await blobs.rename('r/x2', 'moved/file');

    expect(await text('moved/here/y z+')).toBe('1');
    expect(await text('moved/here/deep/er/z')).toBe('2');
    expect(await text('moved/file')).toBe('3');
    expect((await blobs.stat('moved/here/none'))?.kind).toBe('folder');
    expect(await blobs.stat('r/x')).toBeNull();
    await blobs.deletePrefix('moved/here');
    await blobs.deletePrefix('moved/here');
    expect(await list('moved')).toEqual([['moved/file', 'file', 1]]);
  });

  test('a folder of more than a page is listed, renamed and deleted in full', async () => {
    const names = Array.from({ length: 1_050 }, (_, index) => `many/${String(index).padStart(5, '0')}`);
    for (let at = 0; at < names.length; at += 50)
      await Promise.all(names.slice(at, at + 50).map((name) => blobs.put(name, Buffer.from(name))));

    expect((await blobs.list('many')).map(({ key }) => key)).toEqual(names);
    await blobs.rename('many', 'lot');
    expect(await blobs.list('lot')).toHaveLength(names.length);
    await blobs.deletePrefix('lot');

    expect(await blobs.stat('lot')).toBeNull();
    expect(await blobs.stat('many')).toBeNull();
  });

  test.each(['', '/etc/passwd', '../x', 'a/../../x', 'a//b', 'a/./b', 'a/', 'a\0b', 'x'.repeat(300)])(
    'the key %j is refused by every operation',
    async (key) => {
      for (const attempt of [
        () => blobs.put(key, Buffer.from('x')),
        () => blobs.putIfAbsent(key, Buffer.from('x')),
        () => blobs.get(key),
        () => blobs.stream(key),
        () => blobs.stat(key),
        () => blobs.list(key),
        () => blobs.deletePrefix(key),
        () => blobs.makeFolder(key),
        () => blobs.rename(key, 'ok'),
        () => blobs.rename('ok', key),
      ]) {
        await expect(attempt()).rejects.toMatchObject({ code: 'INVALID_PARAMETER_VALUE' });
      }
    },
  );
});
