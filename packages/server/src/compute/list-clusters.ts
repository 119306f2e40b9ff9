import { ApiError, type ClusterDocument, clustersListLimitMax } from '@headrace/api';
import { z } from 'zod';
import type { Querier } from '../db/connect.ts';
import { decodePageToken, encodePageToken } from '../http/page-token.ts';
import { countRunningTasks } from './life-store.ts';
import { type ClusterFilter, type ClusterOrder, findCluster, listClusters } from './store.ts';
import { toClusterDocument } from './wire.ts';

const ClusterPosition = z.object({
  createdAtMs: z.int(),
  clusterId: z.string(),
  name: z.string(),
});
const pageSizeDefault = 20;

export async function getCluster(db: Querier, clusterId: string): Promise<ClusterDocument> {
  const row = await findCluster(db, clusterId);
  if (!row) throw unknownCluster(clusterId);
  const running_tasks = await countRunningTasks(db, clusterId);
  return { ...toClusterDocument(row), headrace: { running_tasks } };
}

/** Clients recognise an unknown cluster by this code and these words. */
export function unknownCluster(clusterId: string): ApiError {
  return new ApiError('INVALID_PARAMETER_VALUE', `Cluster ${clusterId} does not exist`);
}

/** Newest first, unless asked otherwise. */
export async function listClusterPage(
  db: Querier,
  filter: ClusterFilter,
  { order, size, token }: { readonly order: ClusterOrder; readonly size: number; readonly token: string },
): Promise<{ clusters: ClusterDocument[]; next_page_token?: string }> {
  const limit = Math.min(clustersListLimitMax, size || pageSizeDefault);
  const after = decodePageToken(token, ClusterPosition);
  const found = await listClusters(db, filter, { order, after, limit: limit + 1 });
  const rows = found.slice(0, limit);
  const clusters = rows.map(toClusterDocument);
  const last = found.length > limit ? rows.at(-1) : undefined;
  if (!last) return { clusters };
  const { createdAtMs, clusterId, clusterName: name } = last;
  return { clusters, next_page_token: encodePageToken({ createdAtMs, clusterId, name }) };
}

export function orderOf(request: {
  readonly 'sort_by.field': 'DEFAULT' | 'CLUSTER_NAME';
  readonly 'sort_by.direction'?: 'ASC' | 'DESC' | undefined;
}): ClusterOrder {
  const direction = request['sort_by.direction'];
  if (request['sort_by.field'] === 'CLUSTER_NAME') return direction === 'DESC' ? 'name_desc' : 'name';
  return direction === 'ASC' ? 'oldest' : 'newest';
}
