import type { Handlers, routes } from '@headrace/api';
import { getCluster } from '../compute/list-clusters.ts';
import type { RequestContext } from '../context.ts';
import type { Services } from '../services.ts';
import { installLibraries, uninstallLibraries } from './change-libraries.ts';
import { listStatuses } from './store.ts';
import { toLibraryStatus } from './wire.ts';

type Names = Extract<keyof typeof routes, `libraries${string}`>;
type LibraryHandlers = Pick<Handlers<typeof routes, RequestContext>, Names>;

export function createLibraryHandlers(services: Pick<Services, 'db' | 'clock'>): LibraryHandlers {
  const { db } = services;
  return {
    async librariesInstall({ cluster_id: clusterId, libraries }, { principal }) {
      await installLibraries(services, { clusterId, libraries, principal });
      return {};
    },
    async librariesUninstall({ cluster_id: clusterId, libraries }, { principal }) {
      await uninstallLibraries(services, { clusterId, libraries, principal });
      return {};
    },
    async librariesClusterStatus({ cluster_id }) {
      // Throws for one that is not there.
      await getCluster(db, cluster_id);
      const rows = await listStatuses(db, cluster_id);
      return { cluster_id, library_statuses: rows.map(toLibraryStatus) };
    },
    async librariesAllClusterStatuses() {
      const rows = await listStatuses(db, null);
      const ids = [...new Set(rows.map(({ clusterId }) => clusterId))];
      const statuses = ids.map((cluster_id) => ({
        cluster_id,
        library_statuses: rows.filter(({ clusterId }) => clusterId === cluster_id).map(toLibraryStatus),
      }));
      return { statuses };
    },
  };
}
