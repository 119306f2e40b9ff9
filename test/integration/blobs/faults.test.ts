/** What a network and an overloaded server do to requests, between us and a real S3 server. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openBucket, type S3Limits } from '../../../packages/server/src/blobs/s3-client.ts';
import { openS3Store, type S3Store } from '../../../packages/server/src/blobs/s3-store.ts';
import {
  type Fault,
  type FaultProxy,
  type Passing,
  type S3Server,
  startFaultProxy,
  startS3Server,
  testCredentials,
} from '../../support/s3-server.ts';

let server: S3Server;
let proxy: FaultProxy;
let blobs: S3Store;
const quick: S3Limits = { connectMs: 500, requestMs: 800, attemptsMax: 3 };
const place = { bucket: 'faults', prefix: '', region: null, isPathStyle: true };

beforeAll(async () => {
  server = await startS3Server();
  proxy = await startFaultProxy(server.endpoint);
  const bucket = openBucket({ ...place, endpoint: proxy.endpoint }, testCredentials, quick);
  await server.makeBucket('faults');
  blobs = openS3Store(bucket);
});
afterEach(() => proxy.breakWith(() => null));
afterAll(async () => {
  blobs.close();
  await proxy.stop();
  await server.stop();
});

const content = Buffer.alloc(20 * 1024 * 1024, 'the same line again\n');

/** Breaks the first `times` requests that match. */
function breakNext(fault: Fault, isMeant: (request: Passing) => boolean, times = 1): void {
  let left = times;
  proxy.breakWith((request) => {
    if (left === 0 || !isMeant(request)) return null;
    left -= 1;
    return fault;
  });
}

const isPut = ({ method }: Passing) => method === 'PUT';
const isGet = ({ method }: Passing) => method === 'GET';
const isPart = ({ method, url }: Passing) => method === 'PUT' && url.includes('partNumber=2');
const isCompletion = ({ method, url }: Passing) => method === 'POST' && url.includes('uploadId=');

test('a connection reset in the middle of an upload is made good', async () => {
  breakNext('cut_request', isPut);

  await blobs.put('reset/small', content.subarray(0, 1_000_000));

  expect((await blobs.get('reset/small'))?.equals(content.subarray(0, 1_000_000))).toBe(true);
});

test('a connection reset in the middle of a part is made good by sending that part again', async () => {
  const before = proxy.seen.length;
  breakNext('cut_request', isPart);

  await blobs.put('reset/large', content);

  expect((await blobs.get('reset/large'))?.equals(content)).toBe(true);
  expect(proxy.seen.slice(before).filter(isPart)).toHaveLength(2);
  expect(proxy.seen.slice(before).filter(({ url }) => url.includes('partNumber=1&'))).toHaveLength(1);
});

test('an upload whose part fails for good leaves the old content and no parts', async () => {
  await blobs.put('reset/old', Buffer.from('old'));
  breakNext('cut_request', isPart, 100);

  await expect(blobs.put('reset/old', content)).rejects.toMatchObject({ code: 'TEMPORARILY_UNAVAILABLE' });

  proxy.breakWith(() => null);
  expect((await blobs.get('reset/old'))?.toString()).toBe('old');
  expect(await server.listKeys('faults', 'uploads')).toEqual([]);
});

test('a completed upload whose answer was lost is no failure', async () => {
  let completions = 0;
  proxy.breakWith((request) => {
    if (!isCompletion(request)) return null;
    completions += 1;
    return completions === 1 ? 'lose_answer' : 'no_such_upload';
  });

  await blobs.put('lost/answer', content);

  expect(completions).toBe(2);
  expect((await blobs.get('lost/answer'))?.equals(content)).toBe(true);
});

test('an upload that was removed before its completion is a failure', async () => {
  await blobs.put('lost/upload', Buffer.from('old'));
  breakNext('no_such_upload', isCompletion);

  await expect(blobs.put('lost/upload', content)).rejects.toThrow('cannot write lost/upload');

  expect((await blobs.get('lost/upload'))?.toString()).toBe('old');
});

test('a blob put if there is none, whose answer was lost, is ours', async () => {
  breakNext('lose_answer', isPut);

  expect(await blobs.putIfAbsent('lost/lock', Buffer.from('mine'))).toBe(true);
  expect(await blobs.putIfAbsent('lost/lock', Buffer.from('theirs'))).toBe(false);
  breakNext('lose_answer', isPut);
  expect(await blobs.putIfAbsent('lost/lock', Buffer.from('theirs'))).toBe(false);

  expect((await blobs.get('lost/lock'))?.toString()).toBe('mine');
});

test('503 SlowDown is met with patience, and with 503 when it does not end', async () => {
  breakNext('slow_down', isPut, 2);
  await blobs.put('slow/a', Buffer.from('a'));
  expect((await blobs.get('slow/a'))?.toString()).toBe('a');

  breakNext('slow_down', isGet, 100);
  const before = proxy.seen.length;
  await expect(blobs.get('slow/a')).rejects.toMatchObject({ code: 'TEMPORARILY_UNAVAILABLE', status: 503 });
  expect(proxy.seen.length - before).toBe(quick.attemptsMax);
});

test('a server that does not answer is given up in time', async () => {
  await blobs.put('hang/a', Buffer.from('a'));
  breakNext('hang', isGet);
  expect((await blobs.get('hang/a'))?.toString()).toBe('a');

  breakNext('hang', isGet, 100);
  const beganAtMs = performance.now();
  await expect(blobs.get('hang/a')).rejects.toMatchObject({ code: 'TEMPORARILY_UNAVAILABLE' });
  expect(performance.now() - beganAtMs).toBeLessThan(quick.attemptsMax * (quick.requestMs + 1_000));
});

test('a reading that breaks half-way is taken up where it broke', async () => {
  await blobs.put('cut/a', content);
  breakNext('cut_answer', isGet, 2);
  const before = proxy.seen.length;

  expect((await blobs.get('cut/a'))?.equals(content)).toBe(true);

  expect(proxy.seen.length - before).toBe(3);
  breakNext('cut_answer', isGet, 2);
  const chunks = (await (await blobs.stream('cut/a'))?.toArray()) ?? [];
  expect(Buffer.concat(chunks).equals(content)).toBe(true);
});

test('a reading that stalls half-way is taken up where it stalled', async () => {
  await blobs.put('stall/a', content);
  breakNext('stall_answer', isGet);

  expect((await blobs.get('stall/a'))?.equals(content)).toBe(true);
});

test('a reading that breaks again and again ends in an error', async () => {
  await blobs.put('stall/b', content);
  breakNext('stall_answer', isGet, 100);
  const before = proxy.seen.length;

  await expect(blobs.get('stall/b')).rejects.toMatchObject({ code: 'TEMPORARILY_UNAVAILABLE' });
  expect(proxy.seen.length - before).toBeLessThanOrEqual(1 + 3 * quick.attemptsMax);
});

test('a reading that is taken up after the blob was replaced fails instead of mixing the two', async () => {
  await blobs.put('cut/b', content);
  const stream = await blobs.stream('cut/b');
  let isFirst = true;

  await expect(async () => {
    for await (const _ of stream ?? []) {
      if (!isFirst) continue;
      isFirst = false;
      await blobs.put('cut/b', Buffer.alloc(content.length, 'another'));
      proxy.cutAll();
    }
  }).rejects.toThrow('cannot read cut/b');
});

test('a server that is not there is a passing trouble, and no error tells the keys', async () => {
  const nobody = openS3Store(
    openBucket({ ...place, endpoint: 'http://127.0.0.1:1' }, testCredentials, quick),
  );

  const error = await nobody.get('a').catch((thrown: unknown) => thrown as Error);

  expect(error).toMatchObject({ code: 'TEMPORARILY_UNAVAILABLE' });
  expect((error as Error).message).toBe('the blob store is not available just now');
  const told = JSON.stringify(error, allProperties) + String((error as Error).stack);
  expect(told).toContain('ECONNREFUSED');
  expect(told).not.toContain(testCredentials.secretAccessKey);
  expect(told).not.toContain(testCredentials.accessKeyId);
  nobody.close();
});

function allProperties(_key: string, value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  return Object.fromEntries(
    Object.getOwnPropertyNames(value).map((name) => [name, Reflect.get(value, name)]),
  );
}
