/** A server that checks each request's signature takes ours, and what it refuses is told without the keys. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBucket } from '../../../packages/server/src/blobs/s3-client.ts';
import type { S3Credentials } from '../../../packages/server/src/blobs/s3-settings.ts';
import { openS3Store } from '../../../packages/server/src/blobs/s3-store.ts';
import { type S3Server, startS3Server } from '../../support/s3-server.ts';

let server: S3Server;
let credentials: S3Credentials;
beforeAll(async () => {
  server = await startS3Server();
  await server.makeBucket('signed');
  credentials = await server.requireSignatures();
});
afterAll(() => server.stop());

function open(secretAccessKey: string) {
  const place = {
    bucket: 'signed',
    prefix: 'p/',
    endpoint: server.endpoint,
    region: null,
    isPathStyle: true,
  };
  return openS3Store(openBucket(place, { ...credentials, secretAccessKey }));
}

test('every kind of request is signed, also for names that must be written differently in a URL', async () => {
  const blobs = open(credentials.secretAccessKey);
  const name = 'a b+%2F&ü(1)*\'!"';

  await blobs.put(name, Buffer.from('x'));
  await blobs.put('large', Buffer.alloc(20 * 1024 * 1024));
  expect(await blobs.putIfAbsent(name, Buffer.from('y'))).toBe(false);
  await blobs.makeFolder('folder');
  await blobs.rename(name, 'folder/b');

  expect((await blobs.get('folder/b', { offset: 0, length: 5 }))?.toString()).toBe('x');
  expect(await blobs.list('folder')).toHaveLength(1);
  await blobs.deletePrefix('folder');
  expect(await blobs.stat('folder')).toBeNull();
  blobs.close();
});

test('a wrong key is refused at once, and told without the keys', async () => {
  const blobs = open('not-the-secret');

  const error = await blobs.get('large').catch((thrown: unknown) => thrown as Error);

  const told = String((error as Error).message) + String(((error as Error).cause as Error).message);
  expect(told).toContain('SignatureDoesNotMatch');
  expect(told).toContain('attempts 1');
  expect(told).not.toContain('not-the-secret');
  expect(told).not.toContain(credentials.accessKeyId);
  blobs.close();
});
