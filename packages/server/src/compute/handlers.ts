import type { Handlers, routes } from '@headrace/api';
import type { RequestContext } from '../context.ts';
import type { Services } from '../services.ts';
import {
  changeClusterOwner,
  deleteCluster,
  editCluster,
  permanentDeleteCluster,
  pinCluster,
  resizeCluster,
  restartCluster,
  startCluster,
  updateCluster,
} from './change-cluster.ts';
import type { ClusterBook } from './cluster-book.ts';
import { createCluster } from './create-cluster.ts';
import { listEventPage } from './list-cluster-events.ts';
import { getCluster, listClusterPage, orderOf } from './list-clusters.ts';
import { listNodeTypes, sparkVersions } from './node-types.ts';

type Names = Extract<keyof typeof routes, `clusters${string}`>;
type ClusterHandlers = Pick<Handlers<typeof routes, RequestContext>, Names>;

export function createClustersHandlers(
  services: Services,
  book: Pick<ClusterBook, 'announce' | 'cores'>,
): ClusterHandlers {
  const { db } = services;
  /** Changes what is wanted, then lets it happen. */
  async function change(
    { cluster_id: clusterId }: { readonly cluster_id: string },
    { principal }: RequestContext,
    apply: (request: {
      services: Services;
      clusterId: string;
      principal: RequestContext['principal'];
    }) => Promise<number>,
  ): Promise<{ headrace?: { interrupted_tasks: number } }> {
    const interrupted_tasks = await apply({ services, clusterId, principal });
    await book.announce(clusterId);
    return interrupted_tasks > 0 ? { headrace: { interrupted_tasks } } : {};
  }

  return {
    async clustersCreate(request, { principal }) {
      const clusterId = await createCluster(services, request, principal);
      await book.announce(clusterId);
      return { cluster_id: clusterId };
    },
    clustersEdit: ({ cluster_id, ...spec }, context) =>
      change({ cluster_id }, context, (request) => editCluster(request, spec)),
    clustersUpdate: ({ update_mask: mask, cluster: fields, ...of }, context) =>
      change(of, context, (request) => updateCluster(request, { mask, fields })),
    clustersStart: (of, context) => change(of, context, startCluster),
    clustersRestart: (of, context) => change(of, context, restartCluster),
    clustersDelete: (of, context) => change(of, context, deleteCluster),
    clustersPermanentDelete: (of, context) => change(of, context, permanentDeleteCluster),
    clustersPin: (of, context) => change(of, context, (request) => pinCluster(request, { isPinned: true })),
    clustersUnpin: (of, context) =>
      change(of, context, (request) => pinCluster(request, { isPinned: false })),
    clustersResize: ({ cluster_id, ...size }, context) =>
      change({ cluster_id }, context, (request) => resizeCluster(request, size, book.cores)),
    clustersChangeOwner: ({ owner_username: owner, ...of }, context) =>
      change(of, context, (request) => changeClusterOwner(request, owner)),
    clustersEvents: (request) => listEventPage(db, request),
    clustersGet: ({ cluster_id }) => getCluster(db, cluster_id),
    clustersList: (request) =>
      listClusterPage(
        db,
        {
          states: request['filter_by.cluster_states'],
          sources: request['filter_by.cluster_sources'],
          isPinned: request['filter_by.is_pinned'] ?? null,
          policyId: request['filter_by.policy_id'] ?? null,
        },
        { order: orderOf(request), size: request.page_size, token: request.page_token },
      ),
    clustersListNodeTypes: async () => ({ node_types: listNodeTypes() }),
    clustersSparkVersions: async () => ({ versions: sparkVersions.map((version) => ({ ...version })) }),
    clustersListZones: async () => ({ zones: ['local'], default_zone: 'local' }),
  };
}
