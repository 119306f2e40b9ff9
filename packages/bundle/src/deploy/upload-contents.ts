// Brings the server the contents of files that it lacks, many in one request.

import { bundleContentsMax, type Client } from '@headrace/api';
import { sha256 } from '../load/list-files.ts';
import { BundleError } from './bundle-error.ts';
import type { HeldLock } from './hold-lock.ts';

/** A request's body may have 16 MiB, and base64 adds a third. */
const BATCH_BYTES_MAX = 4 * 1024 ** 2;

export interface Content {
  readonly hash: string;
  /** For messages. */
  readonly name: string;
  /** null: it is nowhere any more. */
  read(): Promise<Uint8Array | null>;
}

export async function findMissing(
  client: Pick<Client, 'bundlesFindMissing'>,
  { deploymentId }: HeldLock,
  contents: readonly Content[],
): Promise<Content[]> {
  const byHash = new Map(contents.map((content) => [content.hash, content]));
  const { missing } = await client.bundlesFindMissing({
    deployment_id: deploymentId,
    hashes: [...byHash.keys()],
  });
  return missing.flatMap((hash) => byHash.get(hash) ?? []);
}

export async function uploadContents(
  client: Pick<Client, 'bundlesPutContents'>,
  lock: HeldLock,
  contents: readonly Content[],
): Promise<void> {
  let batch: { hash: string; content: string }[] = [];
  let bytesInBatch = 0;
  const send = async () => {
    lock.check();
    const { deploymentId: deployment_id, fence } = lock;
    if (batch.length > 0) await client.bundlesPutContents({ deployment_id, fence, contents: batch });
    batch = [];
    bytesInBatch = 0;
  };
  for (const content of contents) {
    const bytes = await readContent(content);
    if (bytesInBatch + bytes.length > BATCH_BYTES_MAX || batch.length === bundleContentsMax) await send();
    batch.push({ hash: content.hash, content: Buffer.from(bytes).toString('base64') });
    bytesInBatch += bytes.length;
  }
  await send();
}

async function readContent({ hash, name, read }: Content): Promise<Uint8Array> {
  const bytes = await read();
  if (bytes !== null && sha256(Buffer.from(bytes)) === hash) return bytes;
  const message = bytes === null ? 'is gone' : 'was changed while the deployment was under way; run it again';
  throw new BundleError([{ severity: 'error', message, file: name, line: 1, column: 1 }]);
}
