/**
 * The blob store in a bucket. A key is an object's name, a folder an empty object whose name ends with `/`, or no more
 * than what lies below it. One object changes at once; a folder is renamed object by object (docs/blob-store.md).
 */
import crypto from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { isTooLong, splitKey } from './blob-key.ts';
import type { BlobStat, BlobStore } from './blob-store.ts';
import { explain, hasName, isNoObject, objectKeyBytesMax, type S3Bucket } from './s3-client.ts';
import { openObject, readObject } from './s3-read.ts';
import { upload } from './s3-upload.ts';

export interface StoredObject {
  readonly key: string;
  readonly kind: 'file' | 'folder';
  readonly sizeBytes: number;
  /** Another one for every other content. */
  readonly etag: string;
}

export interface S3Store extends BlobStore {
  /** All objects below a folder, a page at a time. */
  pages(folder: string): AsyncIterable<readonly StoredObject[]>;
  close(): void;
}

/** Copies under way at a time. */
const copiesAtOnce = 16;
/** Rounds in which what could not be deleted is tried again. */
const roundsMax = 4;
/** Two writers at the same moment: the server asks one of them to come again. */
const conflictsMax = 5;
const pauseMs = 100;

export function openS3Store(bucket: S3Bucket): S3Store {
  const { client, prefix } = bucket;
  const toName = (key: string): string => {
    splitKey(key);
    const name = `${prefix}${key}`;
    if (Buffer.byteLength(name) > objectKeyBytesMax - 1) throw isTooLong(key);
    return name;
  };
  /** What goes wrong says what was wanted. */
  async function attempt<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw explain(error, bucket, what);
    }
  }
  const objectsBelow = (folder: string) => listObjects(bucket, toName(folder));

  async function stat(key: string): Promise<BlobStat | null> {
    const name = toName(key);
    return (await statFile(bucket, name, key)) ?? (await statFolder(bucket, name, key));
  }

  return {
    locate: (key) => `s3a://${bucket.bucket}/${toName(key)}`,
    async put(key, content) {
      const name = toName(key);
      let broken: { readonly error: unknown } | null = null;
      const watched =
        content instanceof Readable ? content.once('error', (error) => (broken = { error })) : content;
      try {
        await upload(bucket, name, watched);
      } catch (error) {
        // The sender's error is no word about the store.
        throw broken === null ? explain(error, bucket, `write ${key}`) : error;
      }
    },
    putIfAbsent: async (key, content) => {
      const name = toName(key);
      return attempt(`write ${key}`, () => putNew(bucket, name, content));
    },
    get: async (key, range) => {
      const name = toName(key);
      return attempt(`read ${key}`, () => readObject(bucket, name, range ?? null));
    },
    async stream(key) {
      const name = toName(key);
      const pieces = await attempt(`read ${key}`, () => openObject(bucket, name, null));
      return pieces && Readable.from(explained(pieces, (error) => explain(error, bucket, `read ${key}`)));
    },
    stat: async (key) => attempt(`find ${key}`, () => stat(key)),
    list: async (folder) => {
      const name = toName(folder);
      return attempt(`list ${folder}`, () => listChildren(bucket, name, folder));
    },
    async makeFolder(key) {
      const name = toName(key);
      const body = { Bucket: bucket.bucket, Key: `${name}/`, Body: Buffer.alloc(0) };
      await attempt(`make ${key}`, () => client.send(new PutObjectCommand(body)));
    },
    rename: async (from, to) => {
      const names = { from: toName(from), to: toName(to) };
      return attempt(`rename ${from}`, () => rename(bucket, names));
    },
    deletePrefix: async (key) => {
      const name = toName(key);
      return attempt(`delete ${key}`, () => deleteAll(bucket, name));
    },
    async *pages(folder) {
      try {
        for await (const page of objectsBelow(folder)) yield page.map((stored) => toStored(stored, prefix));
      } catch (error) {
        throw explain(error, bucket, `list ${folder}`);
      }
    },
    close: () => client.destroy(),
  };
}

interface Listed {
  readonly name: string;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly modifiedAtMs: number;
}

function toStored({ name, sizeBytes, etag }: Listed, prefix: string): StoredObject {
  const isFolder = name.endsWith('/');
  const key = name.slice(prefix.length, isFolder ? -1 : undefined);
  return { key, kind: isFolder ? 'folder' : 'file', sizeBytes, etag };
}

async function* listPages(
  { client, bucket }: S3Bucket,
  options: { readonly prefix: string; readonly delimiter?: string; readonly limit?: number },
): AsyncGenerator<ListObjectsV2CommandOutput> {
  let token: string | undefined;
  do {
    const page = await client.send(
      new ListObjectsV2Command({
        Bucket: bucket,
        Prefix: options.prefix,
        // Names may hold what XML cannot.
        EncodingType: 'url',
        ...(options.delimiter === undefined ? {} : { Delimiter: options.delimiter }),
        ...(options.limit === undefined ? {} : { MaxKeys: options.limit }),
        ...(token === undefined ? {} : { ContinuationToken: token }),
      }),
    );
    yield page;
    token = page.IsTruncated ? page.NextContinuationToken : undefined;
  } while (token !== undefined && options.limit === undefined);
}

/** Everything below a folder, its own mark too. */
async function* listObjects(bucket: S3Bucket, name: string): AsyncGenerator<readonly Listed[]> {
  for await (const page of listPages(bucket, { prefix: `${name}/` })) yield toListed(page);
}

function toListed({ Contents = [], EncodingType }: ListObjectsV2CommandOutput): Listed[] {
  return Contents.map(({ Key = '', Size = 0, ETag = '', LastModified }) => ({
    name: decodeName(Key, EncodingType),
    sizeBytes: Size,
    etag: ETag,
    modifiedAtMs: LastModified?.getTime() ?? 0,
  }));
}

function decodeName(name: string, encoding: string | undefined): string {
  return encoding === 'url' ? decodeURIComponent(name.replaceAll('+', ' ')) : name;
}

async function statFile({ client, bucket }: S3Bucket, name: string, key: string): Promise<BlobStat | null> {
  try {
    const head = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: name }));
    return {
      key,
      kind: 'file',
      sizeBytes: head.ContentLength ?? 0,
      modifiedAtMs: head.LastModified?.getTime() ?? 0,
    };
  } catch (error) {
    if (isNoObject(error)) return null;
    throw error;
  }
}

async function statFolder(bucket: S3Bucket, name: string, key: string): Promise<BlobStat | null> {
  for await (const page of listPages(bucket, { prefix: `${name}/`, limit: 1 })) {
    const [first] = toListed(page);
    if (first === undefined) return null;
    return {
      key,
      kind: 'folder',
      sizeBytes: 0,
      modifiedAtMs: first.name === `${name}/` ? first.modifiedAtMs : null,
    };
  }
  return null;
}

async function listChildren(bucket: S3Bucket, name: string, folder: string): Promise<BlobStat[]> {
  const found = new Map<string, BlobStat>();
  const toKey = (child: string) => `${folder}/${child.slice(name.length + 1)}`;
  for await (const page of listPages(bucket, { prefix: `${name}/`, delimiter: '/' })) {
    for (const { name: child, sizeBytes, modifiedAtMs } of toListed(page)) {
      if (child === `${name}/`) continue; // Its own mark.
      found.set(child, { key: toKey(child), kind: 'file', sizeBytes, modifiedAtMs });
    }
    for (const { Prefix = '' } of page.CommonPrefixes ?? []) {
      const child = decodeName(Prefix, page.EncodingType).slice(0, -1);
      if (found.has(child)) continue; // A file of the same name: the folder would not be found by its key.
      found.set(child, { key: toKey(child), kind: 'folder', sizeBytes: 0, modifiedAtMs: null });
    }
  }
  return [...found.values()].sort((left, right) => (left.key < right.key ? -1 : 1));
}

/** False when there is an object already. A lost answer makes the request come twice: then ours is what is there. */
async function putNew(bucket: S3Bucket, name: string, content: Uint8Array): Promise<boolean> {
  const command = { Bucket: bucket.bucket, Key: name, Body: content, IfNoneMatch: '*' };
  for (let conflicts = 1; ; conflicts += 1) {
    try {
      await bucket.client.send(new PutObjectCommand(command));
      return true;
    } catch (error) {
      if (hasName(error, 'PreconditionFailed')) {
        const { attempts } = (error as { $metadata?: { attempts?: number } }).$metadata ?? {};
        if ((attempts ?? 1) < 2) return false;
        const present = await readObject(bucket, name, null);
        return present !== null && hash(present) === hash(content);
      }
      if (!hasName(error, 'ConditionalRequestConflict') || conflicts >= conflictsMax) throw error;
    }
    await delay(pauseMs * (1 + Math.random()));
  }
}

function hash(content: Uint8Array): string {
  return crypto.createHash('sha256').update(content).digest('hex');
}

/** Copies, then deletes: a crash between them leaves both, and the same call again ends it. */
async function rename(bucket: S3Bucket, { from, to }: { from: string; to: string }): Promise<void> {
  let count = 0;
  if (await statFile(bucket, from, from)) {
    await copy(bucket, { from, to });
    count += 1;
  }
  for await (const page of listObjects(bucket, from)) {
    count += page.length;
    await forEach(page, ({ name }) => copy(bucket, { from: name, to: `${to}${name.slice(from.length)}` }));
  }
  if (count === 0) throw new Error(`there is no blob ${from}`);
  await deleteAll(bucket, from);
}

async function copy({ client, bucket }: S3Bucket, { from, to }: { from: string; to: string }): Promise<void> {
  const source = `${bucket}/${from}`.split('/').map(encodeURIComponent).join('/');
  await client.send(new CopyObjectCommand({ Bucket: bucket, Key: to, CopySource: source }));
}

async function deleteAll(bucket: S3Bucket, name: string): Promise<void> {
  await bucket.client.send(new DeleteObjectCommand({ Bucket: bucket.bucket, Key: name }));
  for (let round = 1; ; round += 1) {
    const refused: string[] = [];
    for await (const page of listObjects(bucket, name)) refused.push(...(await deletePage(bucket, page)));
    if (refused.length === 0) return;
    if (round >= roundsMax) throw new Error(`${refused.length} objects could not be deleted: ${refused[0]}`);
    await delay(pauseMs * 2 ** round * (1 + Math.random()));
  }
}

/** A page has 1,000 objects at most, as many as one request may delete. Gives back why some were not. */
async function deletePage({ client, bucket }: S3Bucket, page: readonly Listed[]): Promise<string[]> {
  if (page.length === 0) return [];
  const { Errors = [] } = await client.send(
    new DeleteObjectsCommand({
      Bucket: bucket,
      Delete: { Quiet: true, Objects: page.map(({ name }) => ({ Key: name })) },
    }),
  );
  return Errors.map(({ Key, Code, Message }) => `${Key}: ${Code} ${Message ?? ''}`);
}

async function forEach<T>(entries: readonly T[], work: (entry: T) => Promise<void>): Promise<void> {
  const queue = [...entries];
  const lane = async () => {
    for (let entry = queue.shift(); entry !== undefined; entry = queue.shift()) await work(entry);
  };
  await Promise.all(Array.from({ length: copiesAtOnce }, lane));
}

async function* explained(
  pieces: AsyncIterable<Uint8Array>,
  toError: (error: unknown) => Error,
): AsyncGenerator<Uint8Array> {
  try {
    yield* pieces;
  } catch (error) {
    throw toError(error);
  }
}
