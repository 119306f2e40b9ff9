/** Reading objects to the last byte: a connection that breaks half-way is taken up again where it broke. */
import { setTimeout as delay } from 'node:timers/promises';
import { GetObjectCommand, type GetObjectCommandOutput } from '@aws-sdk/client-s3';
import type { BlobRange } from './blob-store.ts';
import { hasName, isNoObject, isPassing, type S3Bucket } from './s3-client.ts';

/** Waits before a reading is taken up again grow from here, by chance up to twice as long. */
const pauseMs = 100;
/** For each try that a request has: a large blob on a poor line gets on, a line that always breaks is given up. */
const resumptionsPerAttempt = 3;

/** Null when there is no such object. */
export async function readObject(
  bucket: S3Bucket,
  key: string,
  range: BlobRange | null,
): Promise<Buffer | null> {
  const pieces = await openObject(bucket, key, range);
  if (pieces === null) return null;
  const chunks: Uint8Array[] = [];
  for await (const piece of pieces) chunks.push(piece);
  return Buffer.concat(chunks);
}

/** The first answer is awaited: null when there is no such object. */
export async function openObject(
  bucket: S3Bucket,
  key: string,
  range: BlobRange | null,
): Promise<AsyncIterable<Uint8Array> | null> {
  try {
    // No bytes cannot be asked for: one is, to learn whether the object is there.
    const asked = range && { offset: range.offset, length: Math.max(range.length, 1) };
    const first = await send(bucket, key, { range: asked });
    if (range === null || range.length > 0) return follow(bucket, key, { first, offset: range?.offset ?? 0 });
    discard(first);
  } catch (error) {
    if (isNoObject(error)) return null;
    if (!hasName(error, 'InvalidRange')) throw error; // The range begins beyond the end.
  }
  return (async function* () {})();
}

interface Opened {
  readonly first: GetObjectCommandOutput;
  readonly offset: number;
}

async function* follow(bucket: S3Bucket, key: string, { first, offset }: Opened): AsyncGenerator<Uint8Array> {
  const endOffset = offset + (first.ContentLength ?? 0);
  let answer = first;
  let position = offset;
  const resumptionsMax = bucket.attemptsMax * resumptionsPerAttempt;
  for (let failures = 0, resumptions = 0; ; resumptions += 1) {
    try {
      // In Node it is a readable stream.
      for await (const piece of answer.Body as unknown as AsyncIterable<Uint8Array>) {
        position += piece.length;
        failures = 0;
        yield piece;
      }
      if (position >= endOffset) return;
      throw Object.assign(new Error('the connection closed early'), { code: 'ECONNRESET' });
    } catch (error) {
      failures += 1;
      if (!isPassing(error) || failures >= bucket.attemptsMax || resumptions >= resumptionsMax) throw error;
    }
    if (position >= endOffset) return;
    await delay(pauseMs * 2 ** failures * (1 + Math.random()));
    // Only the same object: else the halves of two would be put together.
    const range = { offset: position, length: endOffset - position };
    answer = await send(bucket, key, { range, etag: first.ETag });
  }
}

function send(
  { client, bucket }: S3Bucket,
  key: string,
  { range, etag }: { readonly range: BlobRange | null; readonly etag?: string | undefined },
): Promise<GetObjectCommandOutput> {
  return client.send(
    new GetObjectCommand({
      Bucket: bucket,
      Key: key,
      ...(range ? { Range: `bytes=${range.offset}-${range.offset + range.length - 1}` } : {}),
      ...(etag === undefined ? {} : { IfMatch: etag }),
    }),
  );
}

function discard({ Body }: GetObjectCommandOutput): void {
  // In Node it is a readable stream; its connection is given up.
  (Body as unknown as { destroy(): void } | undefined)?.destroy();
}
