import { ApiError, type ClusterDocument } from '@headrace/api';
import { z } from 'zod';
import type { Querier } from '../db/connect.ts';
import { decodePageToken, encodePageToken } from '../http/page-token.ts';
import { findCluster, listClusters } from './store.ts';
import { toClusterDocument } from './wire.ts';

const ClusterPosition = z.object({ createdAtMs: z.int(), clusterId: z.string() });

export async function getCluster(db: Querier, clusterId: string): Promise<ClusterDocument> {
  const row = await findCluster(db, clusterId);
  // Clients recognise an unknown cluster by this code and these words.
  if (!row) throw new ApiError('INVALID_PARAMETER_VALUE', `Cluster ${clusterId} does not exist`);
  return toClusterDocument(row);
}

/** Newest first. */
export async function listClusterPage(
  db: Querier,
  { size, token }: { size: number; token: string },
): Promise<{ clusters: ClusterDocument[]; next_page_token?: string }> {
  const found = await listClusters(db, { after: decodePageToken(token, ClusterPosition), limit: size + 1 });
  const rows = found.slice(0, size);
  const last = found.length > size ? rows.at(-1) : undefined;
  if (!last) return { clusters: rows.map(toClusterDocument) };
  const { createdAtMs, clusterId } = last;
  return {
    clusters: rows.map(toClusterDocument),
    next_page_token: encodePageToken({ createdAtMs, clusterId }),
  };
}
