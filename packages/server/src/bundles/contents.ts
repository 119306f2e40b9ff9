/** Contents of files, each once for a deployment. They are here before the version that names them. */
import crypto from 'node:crypto';
import { ApiError, bundleContentBytesMax, type RequestOf, type routes } from '@headrace/api';
import { type Discarded, discardInPlace } from '../blobs/discard.ts';
import type { Principal } from '../context.ts';
import type { Querier } from '../db/connect.ts';
import type { Services } from '../services.ts';
import { type ContentRow, deleteUnusedContents, findContents, insertContents } from './content-store.ts';
import { forEachAtOnce } from './for-each-at-once.ts';
import { requireDeployment, requireFence } from './locks.ts';
import { requireOwnPlaces } from './require-own-places.ts';

export async function findMissing(
  { db }: Pick<Services, 'db'>,
  { deployment_id: deploymentId, hashes }: RequestOf<typeof routes.bundlesFindMissing>,
): Promise<string[]> {
  await requireDeployment(db, deploymentId);
  const known = new Set((await findContents(db, deploymentId, hashes)).map(({ hash }) => hash));
  return [...new Set(hashes)].filter((hash) => !known.has(hash));
}

export async function putContents(
  { db, blobs, ids }: Pick<Services, 'db' | 'blobs' | 'ids'>,
  { deployment_id: deploymentId, fence, contents }: RequestOf<typeof routes.bundlesPutContents>,
  principal: Principal,
): Promise<void> {
  const deployment = await requireDeployment(db, deploymentId);
  requireOwnPlaces(principal, [deployment.statePath]);
  requireFence(deployment, fence);
  const decoded = new Map(contents.map(({ hash, content }) => [hash, decode(hash, content)]));
  const known = new Set((await findContents(db, deploymentId, [...decoded.keys()])).map(({ hash }) => hash));
  const missing = [...decoded].filter(([hash]) => !known.has(hash));
  await ids.reserve(missing.length);
  const rows = missing.map(([hash, bytes]) => ({ hash, contentId: ids.newId(), sizeBytes: bytes.length }));
  await forEachAtOnce(rows, (row) =>
    blobs.put(contentKey(deploymentId, row), decoded.get(row.hash) ?? Buffer.of()),
  );
  const inserted = new Set((await insertContents(db, deploymentId, rows)).map(({ contentId }) => contentId));
  // Two requests brought the same; one of them is named.
  const doubled = rows.filter(({ contentId }) => !inserted.has(contentId));
  await forEachAtOnce(doubled, (row) => blobs.deletePrefix(contentKey(deploymentId, row)));
}

export function contentKey(deploymentId: number, { contentId }: Pick<ContentRow, 'contentId'>): string {
  return `bundles/${deploymentId}/contents/${contentId}`;
}

/** Within the transaction that forgets versions; to be removed after it. */
export async function discardUnused(
  services: Pick<Services, 'db' | 'blobs' | 'ids' | 'log' | 'config'>,
  client: Querier,
  { deploymentId, nowMs }: { readonly deploymentId: number; readonly nowMs: number },
): Promise<Discarded[]> {
  const discarded: Discarded[] = [];
  for (const row of await deleteUnusedContents(client, deploymentId))
    discarded.push(await discardInPlace(services, client, { key: contentKey(deploymentId, row), nowMs }));
  return discarded;
}

function decode(hash: string, content: string): Buffer {
  const bytes = Buffer.from(content, 'base64');
  if (bytes.length > bundleContentBytesMax) {
    throw new ApiError(
      'INVALID_PARAMETER_VALUE',
      `contents: ${hash}: ${bytes.length} bytes are more than the limit of ${bundleContentBytesMax}; larger files belong into a volume`,
    );
  }
  if (crypto.createHash('sha256').update(bytes).digest('hex') !== hash)
    throw new ApiError('INVALID_PARAMETER_VALUE', `contents: ${hash}: the bytes have another hash`);
  return bytes;
}
