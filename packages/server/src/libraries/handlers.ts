import type { Handlers, routes } from '@headrace/api';
import type { RequestContext } from '../context.ts';
import type { Services } from '../services.ts';
import { installLibraries, uninstallLibraries } from './change-libraries.ts';
import { listStatusesOfAll, listStatusesOfCluster } from './list-libraries.ts';

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
      return { cluster_id, library_statuses: await listStatusesOfCluster(db, cluster_id) };
    },
    async librariesAllClusterStatuses() {
      return { statuses: await listStatusesOfAll(db) };
    },
  };
}
