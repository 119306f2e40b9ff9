/** The libraries of clusters: for tasks, and for people. */
import type { LibraryFullStatus, LibrarySpec } from '@headrace/api';
import { getCluster } from '../compute/list-clusters.ts';
import type { Querier } from '../db/connect.ts';
import { listLibraries, listStatuses } from './store.ts';
import { toLibraryStatus } from './wire.ts';

/** What tasks of a cluster get besides their own. */
export function listClusterLibraries(db: Querier, clusterId: string): Promise<LibrarySpec[]> {
  return listLibraries(db, clusterId);
}

/** Throws for a cluster that is not there. */
export async function listStatusesOfCluster(db: Querier, clusterId: string): Promise<LibraryFullStatus[]> {
  await getCluster(db, clusterId);
  return (await listStatuses(db, clusterId)).map(toLibraryStatus);
}

export async function listStatusesOfAll(
  db: Querier,
): Promise<{ cluster_id: string; library_statuses: LibraryFullStatus[] }[]> {
  const rows = await listStatuses(db, null);
  return [...Map.groupBy(rows, ({ clusterId }) => clusterId)].map(([cluster_id, of]) => ({
    cluster_id,
    library_statuses: of.map(toLibraryStatus),
  }));
}
