/** Where the parts of a result are: small ones with the statement, others in the blob store under a name of their own. */

import { discardInPlace } from '../blobs/discard.ts';
import type { Services } from '../services.ts';

export const resultsRoot = 'statements';

export function folderOf(statementId: string): string {
  return `${resultsRoot}/${statementId}`;
}

export async function keepChunk(
  { blobs }: Pick<Services, 'blobs'>,
  { statementId, index, content }: { statementId: string; index: number; content: Uint8Array },
): Promise<void> {
  await blobs.put(`${folderOf(statementId)}/${index}`, content);
}

export function readLargeChunk(
  { blobs }: Pick<Services, 'blobs'>,
  statementId: string,
  index: number,
): Promise<Buffer | null> {
  return blobs.get(`${folderOf(statementId)}/${index}`);
}

/** After the commit that forgets the result; what a crash before it leaves goes with `result-files-loop.ts`. */
export async function discardChunks(
  services: Pick<Services, 'db' | 'blobs' | 'ids' | 'log' | 'clock' | 'config'>,
  statementId: string,
): Promise<void> {
  const note = { key: folderOf(statementId), nowMs: services.clock.nowMs() };
  await (await discardInPlace(services, services.db, note)).remove();
}
