import type { Handlers, routes } from '@headrace/api';
import type { RequestContext } from '../context.ts';
import type { Services } from '../services.ts';
import { getCluster, listClusterPage } from './list-clusters.ts';

export function createClustersHandlers({
  db,
}: Services): Pick<Handlers<typeof routes, RequestContext>, 'clustersGet' | 'clustersList'> {
  return {
    clustersGet: ({ cluster_id }) => getCluster(db, cluster_id),
    clustersList: ({ page_size: size, page_token: token }) => listClusterPage(db, { size, token }),
  };
}
