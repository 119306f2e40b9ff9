/** Files on the server: of volumes as streams, of dbfs:/ in the blocks that its API takes. */
import { Readable } from 'node:stream';
import { ApiError, type Client, type DbfsFile, dbfsBlockBytesMax } from '@headrace/api';

/** Null for a path of this machine. */
export function toRemotePath(text: string): string | null {
  const path = text.startsWith('dbfs:/') ? text.slice('dbfs:'.length) : text;
  return text.startsWith('dbfs:/') || path === '/Volumes' || path.startsWith('/Volumes/') ? path : null;
}

const isInVolume = (path: string) => path.startsWith('/Volumes/');

/** Null when nothing is there. */
export async function findRemote(client: Client, path: string): Promise<DbfsFile | null> {
  try {
    return await client.dbfsGetStatus({ path });
  } catch (error) {
    if (error instanceof ApiError && error.code === 'RESOURCE_DOES_NOT_EXIST') return null;
    throw error;
  }
}

export async function* readRemote(client: Client, path: string): AsyncGenerator<Uint8Array> {
  if (isInVolume(path)) {
    const { body } = await client.filesDownload({ path: path.slice(1) });
    if (body) yield* body;
    return;
  }
  for (let offset = 0; ; ) {
    const block = await client.dbfsRead({ path, offset, length: dbfsBlockBytesMax });
    if (block.bytes_read === 0) return;
    offset += block.bytes_read;
    yield Buffer.from(block.data, 'base64');
  }
}

export async function writeRemote(
  client: Client,
  path: string,
  { content, overwrite }: { content: AsyncIterable<Uint8Array>; overwrite: boolean },
): Promise<void> {
  if (isInVolume(path)) {
    const headers = { 'content-type': 'application/octet-stream' };
    const body = Readable.toWeb(Readable.from(content, { objectMode: false })) as ReadableStream<Uint8Array>;
    await client.filesUpload({ path: path.slice(1), overwrite }, { body, headers });
    return;
  }
  const { handle } = await client.dbfsCreate({ path, overwrite });
  for await (const block of cutBlocks(content))
    await client.dbfsAddBlock({ handle, data: block.toString('base64') });
  await client.dbfsClose({ handle });
}

async function* cutBlocks(content: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let pending: Uint8Array[] = [];
  let size = 0;
  for await (const part of content) {
    for (let from = 0; from < part.length; ) {
      const taken = part.subarray(from, from + dbfsBlockBytesMax - size);
      pending.push(taken);
      size += taken.length;
      from += taken.length;
      if (size < dbfsBlockBytesMax) continue;
      yield Buffer.concat(pending);
      pending = [];
      size = 0;
    }
  }
  if (size > 0) yield Buffer.concat(pending);
}
