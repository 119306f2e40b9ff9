/** Writing an object: at once when it is small, else in parts that come into being together or not at all. */
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { hasName, type S3Bucket } from './s3-client.ts';

/** Servers want 5 MiB at least for all but the last part, and some want all alike. Held in memory, to be sent again. */
const partBytes = 8 * 1024 * 1024;
/** S3's own limit; with parts of 8 MiB a blob has 78 GiB at most. */
const partsMax = 10_000;
/** Parts on their way at a time: 24 MiB of memory for each upload. */
const partsAtOnce = 3;

interface Target {
  readonly Bucket: string;
  readonly Key: string;
}

/** Throws what the content throws as it is. */
export async function upload(bucket: S3Bucket, key: string, content: Uint8Array | Readable): Promise<void> {
  const target = { Bucket: bucket.bucket, Key: key };
  const parts = content instanceof Readable ? readParts(content) : sliceParts(content);
  const first = await parts.next();
  const second = first.done ? first : await parts.next();
  if (!second.done && !first.done) return uploadParts(bucket, target, join(first.value, second.value, parts));
  const body = first.done ? Buffer.alloc(0) : first.value;
  await bucket.client.send(new PutObjectCommand({ ...target, Body: body }));
}

async function uploadParts(
  { client }: S3Bucket,
  target: Target,
  parts: AsyncIterable<Uint8Array>,
): Promise<void> {
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(target));
  const done: CompletedPart[] = [];
  const underWay = new Set<Promise<void>>();
  let sizeBytes = 0;
  const send = async (PartNumber: number, Body: Uint8Array) => {
    const { ETag } = await client.send(new UploadPartCommand({ ...target, UploadId, PartNumber, Body }));
    done.push({ PartNumber, ETag });
  };
  try {
    let number = 0;
    for await (const part of parts) {
      number += 1;
      if (number > partsMax) throw new Error(`${target.Key} is larger than ${partsMax * partBytes} bytes`);
      sizeBytes += part.length;
      const sending = send(number, part).finally(() => underWay.delete(sending));
      underWay.add(sending);
      if (underWay.size >= partsAtOnce) await Promise.race(underWay);
    }
    await Promise.all(underWay);
    done.sort((left, right) => Number(left.PartNumber) - Number(right.PartNumber));
    await complete(client, { ...target, UploadId, MultipartUpload: { Parts: done } }, sizeBytes);
  } catch (error) {
    await Promise.allSettled(underWay);
    // What cannot be removed now is removed by the bucket's rule for parts left over (docs/blob-store.md).
    await client.send(new AbortMultipartUploadCommand({ ...target, UploadId })).catch(() => undefined);
    throw error;
  }
}

/** Sent again after a lost answer, it finds no upload: then the object is there, in full. */
async function complete(
  client: S3Bucket['client'],
  input: CompleteMultipartUploadCommand['input'],
  sizeBytes: number,
): Promise<void> {
  try {
    await client.send(new CompleteMultipartUploadCommand(input));
  } catch (error) {
    if (!hasName(error, 'NoSuchUpload')) throw error;
    const { ContentLength } = await client.send(
      new HeadObjectCommand({ Bucket: input.Bucket, Key: input.Key }),
    );
    if (ContentLength !== sizeBytes) throw error;
  }
}

async function* readParts(content: Readable): AsyncGenerator<Uint8Array, void> {
  let chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of content) {
    // A stream of text gives strings.
    let rest = typeof chunk === 'string' ? Buffer.from(chunk) : (chunk as Buffer);
    while (size + rest.length >= partBytes) {
      const taken = partBytes - size;
      yield Buffer.concat([...chunks, rest.subarray(0, taken)]);
      rest = rest.subarray(taken);
      chunks = [];
      size = 0;
    }
    chunks.push(rest);
    size += rest.length;
  }
  if (size > 0) yield Buffer.concat(chunks);
}

async function* sliceParts(content: Uint8Array): AsyncGenerator<Uint8Array, void> {
  for (let offset = 0; offset < content.length; offset += partBytes)
    yield content.subarray(offset, offset + partBytes);
}

async function* join(first: Uint8Array, second: Uint8Array, rest: AsyncIterable<Uint8Array>) {
  yield first;
  yield second;
  yield* rest;
}
