/** Bringing the workspace's files from the bucket of a real S3 server to a machine. */
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type FolderStore, openFolderStore } from '../../../packages/server/src/blobs/folder-store.ts';
import { openBucket } from '../../../packages/server/src/blobs/s3-client.ts';
import { openS3Store, type S3Store } from '../../../packages/server/src/blobs/s3-store.ts';
import {
  createWorkspaceMirror,
  type WorkspaceMirror,
} from '../../../packages/server/src/blobs/workspace-mirror.ts';
import {
  type FaultProxy,
  type S3Server,
  startFaultProxy,
  startS3Server,
  testCredentials,
} from '../../support/s3-server.ts';

let server: S3Server;
let proxy: FaultProxy;
let remote: S3Store;
let folder: string;
let local: FolderStore;
let mirror: WorkspaceMirror;
let places = 0;

beforeAll(async () => {
  server = await startS3Server();
  await server.makeBucket('mirror');
  proxy = await startFaultProxy(server.endpoint);
});
beforeEach(async () => {
  places += 1;
  const place = { bucket: 'mirror', prefix: `p${places}/`, region: null, isPathStyle: true };
  remote = openS3Store(openBucket({ ...place, endpoint: proxy.endpoint }, testCredentials));
  folder = await fs.mkdtemp(path.join(os.tmpdir(), 'headrace-mirror-'));
  local = await openFolderStore(folder);
  mirror = createWorkspaceMirror(local, remote);
});
afterEach(async () => {
  remote.close();
  await fs.rm(folder, { recursive: true });
});
afterAll(async () => {
  await proxy.stop();
  await server.stop();
});

const write = (key: string, text: string) => remote.put(`workspace/${key}`, Buffer.from(text));
const read = async (key: string) => (await local.get(`workspace/${key}`))?.toString() ?? null;

test('files and empty folders come, change and go', async () => {
  await write('a/b.py', '1');
  await write('a/c/d.py', '2');
  await remote.makeFolder('workspace/empty');
  await mirror.bring();
  expect([await read('a/b.py'), await read('a/c/d.py')]).toEqual(['1', '2']);
  expect((await local.stat('workspace/empty'))?.kind).toBe('folder');

  await write('a/b.py', '1, again');
  await remote.deletePrefix('workspace/a/c');
  await remote.deletePrefix('workspace/empty');
  await mirror.bring();

  expect([await read('a/b.py'), await read('a/c/d.py')]).toEqual(['1, again', null]);
  expect(await local.stat('workspace/empty')).toBeNull();
});

test('a file may become a folder, and a folder a file', async () => {
  await write('x', 'file');
  await write('y/inner', 'file');
  await mirror.bring();

  await remote.deletePrefix('workspace/x');
  await remote.deletePrefix('workspace/y');
  await write('x/inner', 'below');
  await write('y', 'flat');
  await mirror.bring();

  expect([await read('x/inner'), await read('y')]).toEqual(['below', 'flat']);
});

test('what tasks made stays, unless its folder is deleted', async () => {
  await remote.makeFolder('workspace/kept');
  await write('kept/lib.py', '1');
  await mirror.bring();
  await local.put('workspace/kept/made.txt', Buffer.from('by a task'));

  await remote.deletePrefix('workspace/kept/lib.py');
  await mirror.bring();

  expect([await read('kept/lib.py'), await read('kept/made.txt')]).toEqual([null, 'by a task']);
  await remote.deletePrefix('workspace/kept');
  await mirror.bring();
  expect(await read('kept/made.txt')).toBeNull();
});

test('only what changed is read, and nothing is, when nothing did', async () => {
  await write('one', '1');
  await write('two', '2');
  await mirror.bring();
  await write('two', '2, again');
  const before = proxy.seen.length;

  await mirror.bring();
  await mirror.bring();

  const reads = proxy.seen.slice(before).filter(({ url }) => !url.includes('list-type=2'));
  expect(reads.map(({ url }) => url.replace(/\?.*/, ''))).toEqual([`/mirror/p${places}/workspace/two`]);
});

test('many who ask at once are served by two looks, the second begun after they asked', async () => {
  await write('one', '1');
  const before = proxy.seen.length;
  const first = mirror.bring();
  await write('one', '2');
  await write('late', 'x');

  await Promise.all(Array.from({ length: 20 }, () => mirror.bring()));
  await first;

  expect([await read('one'), await read('late')]).toEqual(['2', 'x']);
  const looks = proxy.seen.slice(before).filter(({ url }) => url.includes('list-type=2'));
  expect(looks.length).toBeLessThanOrEqual(2);
});

test('a look that fails leaves what is there, and the next one mends it', async () => {
  await write('one', '1');
  await mirror.bring();
  await write('one', '2');
  let isBroken = true;
  proxy.breakWith(() => (isBroken ? 'no_such_upload' : null));

  await expect(mirror.bring()).rejects.toThrow();

  isBroken = false;
  expect(await read('one')).toBe('1');
  await mirror.bring();
  expect(await read('one')).toBe('2');
});
