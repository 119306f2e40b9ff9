import { readdirSync } from 'node:fs';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type AttemptShipping, createAttemptShipping } from './attempt-shipping.ts';
import { type FolderStore, openFolderStore } from './folder-store.ts';
import { getShipped } from './shipped-log.ts';

// Ids are branded; the numbers are as good.
const attempt = { runId: 1, attemptId: 2, epoch: 1 } as unknown as Parameters<AttemptShipping['begin']>[0];
let folder: string;
let local: FolderStore;
let remote: FolderStore;
const wake = vi.fn();
beforeEach(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), 'headrace-shipping-'));
  local = await openFolderStore(path.join(folder, 'machine'));
  remote = await openFolderStore(path.join(folder, 'bucket'));
  wake.mockClear();
});
afterEach(() => fs.rm(folder, { recursive: true }));

function open(workerId = 'w', bucket: FolderStore = remote): AttemptShipping {
  const log = pino({ level: 'silent' });
  const shipping = createAttemptShipping({ local, remote: bucket, workerId, wake, log });
  shipping.resume([]);
  return shipping;
}
const write = (file: string, text: string) => local.put(`attempts/1/2/${file}`, Buffer.from(text));
const shipped = async (file: string) =>
  (await getShipped(remote, `attempts/1/2/${file}`))?.toString() ?? null;
const notes = () => readdirSync(path.join(local.root, 'unshipped/w'));

test('a log is shipped as it grows, in parts, and whole at the end', async () => {
  const shipping = open();
  shipping.begin(attempt);
  await write('output.log', 'one\n');
  await shipping.loop.turn();
  await write('output.log', 'one\ntwo\n');
  await shipping.loop.turn();
  await shipping.loop.turn();

  expect(await shipped('output.log')).toBe('one\ntwo\n');
  expect(await remote.list('attempts/1/2/output.log.parts')).toHaveLength(2);
  await write('output.log', 'one\ntwo\nthree\n');
  await write('result.json', '{}');
  await write('attempt.json', '{"token":"secret"}');
  shipping.end([attempt]);
  expect(wake).toHaveBeenCalledWith(shipping.loop.name);
  await shipping.loop.turn();

  expect((await remote.list('attempts/1/2')).map(({ key }) => key)).toEqual([
    'attempts/1/2/output.log',
    'attempts/1/2/result.json',
  ]);
  expect(await shipped('output.log')).toBe('one\ntwo\nthree\n');
  expect(notes()).toEqual([]);
});

test('the next life of the worker ships what the last one could not', async () => {
  open().begin(attempt);
  await write('output.log', 'left behind\n');

  await open('another').loop.turn();
  expect(await shipped('output.log')).toBeNull();
  await open().loop.turn();

  expect(await shipped('output.log')).toBe('left behind\n');
  expect(notes()).toEqual([]);
});

test('nothing is taken for ended before it is known which attempts go on', async () => {
  open().begin(attempt);
  await write('output.log', 'so far\n');
  const log = pino({ level: 'silent' });
  const next = createAttemptShipping({ local, remote, workerId: 'w', wake, log });

  await next.loop.turn();
  expect(await shipped('output.log')).toBeNull();
  next.resume([attempt]);
  await next.loop.turn();

  expect(await remote.stat('attempts/1/2/output.log')).toBeNull();
  expect(await shipped('output.log')).toBe('so far\n');
});

test('a re-attached attempt’s log goes on where its parts end', async () => {
  const before = open();
  before.begin(attempt);
  await write('output.log', 'one\n');
  await before.loop.turn();
  const after = open();
  after.begin(attempt);
  await write('output.log', 'one\ntwo\n');

  await after.loop.turn();

  expect(await shipped('output.log')).toBe('one\ntwo\n');
  expect(await remote.list('attempts/1/2/output.log.parts')).toHaveLength(2);
});

test.each(['in parts', 'whole'])(
  'what a void life of an attempt shipped %s gives way to the next',
  async (how) => {
    const shipping = open();
    shipping.begin(attempt);
    await write('output.log', 'of the life that is void, and longer\n');
    await write('result.json', '{"of":"the void life"}');
    await shipping.loop.turn();
    if (how === 'whole') {
      shipping.end([attempt]);
      await shipping.flush();
    }

    shipping.begin({ ...attempt, epoch: 2 });
    await local.deletePrefix('attempts/1/2');
    await write('output.log', 'again\n');
    await shipping.loop.turn();
    expect(await shipped('output.log')).toBe('again\n');
    shipping.end([attempt]);
    await shipping.flush();

    expect(await shipped('output.log')).toBe('again\n');
    expect(await shipped('result.json')).toBeNull();
  },
);

test('nothing is shipped of an attempt that ended before user code', async () => {
  const shipping = open();
  shipping.begin(attempt);
  await write('output.log', 'of the host\n');
  shipping.drop([attempt]);

  await shipping.flush();

  expect(await remote.list('attempts/1/2')).toEqual([]);
  expect(notes()).toEqual([]);
});

test('an end that cannot be shipped stays noted, and the others are shipped', async () => {
  const shipping = open();
  const other = { runId: 1, attemptId: 3, epoch: 1 } as unknown as typeof attempt;
  shipping.begin(attempt);
  shipping.begin(other);
  await write('output.log', 'mine\n');
  await local.put('attempts/1/3/output.log', Buffer.from('theirs\n'));
  shipping.end([attempt, other]);
  await remote.put('attempts/1/2', Buffer.from('in the way'));

  await expect(shipping.flush()).rejects.toThrow();

  expect(notes()).toEqual(['1-2']);
  expect((await remote.get('attempts/1/3/output.log'))?.toString()).toBe('theirs\n');
  await remote.deletePrefix('attempts/1/2');
  await shipping.flush();
  expect(await shipped('output.log')).toBe('mine\n');
});

test('an end that cannot be shipped does not hold up the logs that grow', async () => {
  const shipping = open();
  const other = { runId: 1, attemptId: 3, epoch: 1 } as unknown as typeof attempt;
  shipping.begin(attempt);
  shipping.begin(other);
  await write('output.log', 'mine\n');
  await local.put('attempts/1/3/output.log', Buffer.from('theirs\n'));
  shipping.end([attempt]);
  await remote.put('attempts/1/2', Buffer.from('in the way'));

  await expect(shipping.loop.turn()).rejects.toThrow();

  expect((await getShipped(remote, 'attempts/1/3/output.log'))?.toString()).toBe('theirs\n');
});

test('an attempt that is claimed again while its leftovers are shipped stays noted', async () => {
  let isClaimedAgain = false;
  const busy: FolderStore = {
    ...remote,
    async put(key, content) {
      if (!isClaimedAgain) shipping.begin(attempt);
      isClaimedAgain = true;
      await remote.put(key, content);
    },
  };
  const shipping = open('w', busy);
  shipping.begin(attempt);
  await write('output.log', 'first\n');
  shipping.end([attempt]);

  await shipping.flush();

  expect(notes()).toEqual(['1-2']);
  await write('output.log', 'first\nsecond\n');
  shipping.end([attempt]);
  await shipping.flush();
  expect(await shipped('output.log')).toBe('first\nsecond\n');
  expect(notes()).toEqual([]);
});

test('an empty file is not shipped: another machine may run the attempt that wrote nothing here', async () => {
  const shipping = open();
  shipping.begin(attempt);
  await write('output.log', '');
  shipping.end([attempt]);

  await shipping.flush();

  expect(await shipped('output.log')).toBeNull();
  expect(notes()).toEqual([]);
});

test('a link that a task left is not followed into the bucket', async () => {
  const shipping = open();
  shipping.begin(attempt);
  await write('result.json', '{}');
  await fs.writeFile(path.join(folder, 'secret'), 'secret');
  await fs.symlink(path.join(folder, 'secret'), path.join(local.root, 'attempts/1/2/output.log'));
  shipping.end([attempt]);

  await shipping.flush();

  expect(await shipped('output.log')).toBeNull();
  expect(await shipped('result.json')).toBe('{}');
});
