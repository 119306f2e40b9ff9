import { ApiError, type Handlers, type routes } from '@headrace/api';
import { z } from 'zod';
import type { RequestContext } from '../context.ts';
import { decodePageToken, encodePageToken } from '../http/page-token.ts';
import type { Services } from '../services.ts';
import { findCluster, listClusters } from './store.ts';
import { toClusterDocument } from './wire.ts';

const ClusterPosition = z.object({ createdAtMs: z.int(), clusterId: z.string() });

export function createClustersHandlers({
  db,
}: Services): Pick<Handlers<typeof routes, RequestContext>, 'clustersGet' | 'clustersList'> {
  return {
    async clustersGet({ cluster_id }) {
      const row = await findCluster(db, cluster_id);
      // Clients recognise an unknown cluster by this code and these words.
      if (!row) throw new ApiError('INVALID_PARAMETER_VALUE', `Cluster ${cluster_id} does not exist`);
      return toClusterDocument(row);
    },
    async clustersList({ page_size, page_token }) {
      const found = await listClusters(db, {
        after: decodePageToken(page_token, ClusterPosition),
        limit: page_size + 1,
      });
      const rows = found.slice(0, page_size);
      const last = rows.at(-1);
      const hasMore = found.length > page_size && last !== undefined;
      return {
        clusters: rows.map(toClusterDocument),
        ...(hasMore
          ? { next_page_token: encodePageToken({ createdAtMs: last.createdAtMs, clusterId: last.clusterId }) }
          : {}),
      };
    },
  };
}
