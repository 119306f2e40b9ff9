/** Libraries of all-purpose clusters. Those of tasks and of environments stand in the job's settings. */
import { z } from 'zod';
import { LibrarySpec } from './clusters.ts';
import { route } from './route.ts';
import { Nothing } from './wire.ts';

export const clusterLibrariesMax = 100;

const libraryInstallStatuses = [
  'PENDING',
  'RESOLVING',
  'INSTALLING',
  'INSTALLED',
  'FAILED',
  'UNINSTALL_ON_RESTART',
  'SKIPPED',
  'RESTORED',
] as const;

export const LibraryFullStatus = z.looseObject({
  library: LibrarySpec,
  status: z.enum(libraryInstallStatuses),
  messages: z.array(z.string()).optional(),
  is_library_for_all_clusters: z.boolean(),
});
export type LibraryFullStatus = z.output<typeof LibraryFullStatus>;

const ClusterLibraryStatuses = z.looseObject({
  cluster_id: z.string(),
  library_statuses: z.array(LibraryFullStatus),
});

const clusterId = z.string().min(1).max(255);
const ClusterLibraries = z.object({
  cluster_id: clusterId,
  libraries: z.array(LibrarySpec).min(1).max(clusterLibrariesMax),
});

export const librariesInstall = route({
  method: 'POST',
  path: '/api/2.0/libraries/install',
  summary: 'Gives tasks that name an all-purpose cluster libraries, from the next one on.',
  request: ClusterLibraries,
  response: Nothing,
  permission: 'user',
  audit: 'libraries.install',
});

export const librariesUninstall = route({
  method: 'POST',
  path: '/api/2.0/libraries/uninstall',
  summary: 'Takes libraries from a cluster; tasks that run keep them.',
  request: ClusterLibraries,
  response: Nothing,
  permission: 'user',
  audit: 'libraries.uninstall',
});

export const librariesClusterStatus = route({
  method: 'GET',
  path: '/api/2.0/libraries/cluster-status',
  summary: 'Shows the libraries of one cluster.',
  request: z.object({ cluster_id: clusterId }),
  response: ClusterLibraryStatuses,
  permission: 'user',
  audit: 'libraries.cluster-status',
});

export const librariesAllClusterStatuses = route({
  method: 'GET',
  path: '/api/2.0/libraries/all-cluster-statuses',
  summary: 'Shows the libraries of all clusters that have some.',
  request: z.object({}),
  response: z.looseObject({ statuses: z.array(ClusterLibraryStatuses) }),
  permission: 'user',
  audit: 'libraries.all-cluster-statuses',
});
