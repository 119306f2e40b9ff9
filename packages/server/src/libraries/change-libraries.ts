/** Installs libraries on an all-purpose cluster, and takes them away: tasks bring them, so it is written down, no more. */
import { ApiError, clusterLibrariesMax, type LibrarySpec } from '@headrace/api';
import { requireOwnCluster } from '../compute/change-cluster.ts';
import type { Principal } from '../context.ts';
import type { Services } from '../services.ts';
import { countLibraries, deleteLibraries, insertLibrary } from './store.ts';
import { findLibraryProblem, toLibraryKey } from './wire.ts';

interface Request {
  readonly clusterId: string;
  readonly libraries: readonly LibrarySpec[];
  readonly principal: Principal;
}

export async function installLibraries(
  { db, clock }: Pick<Services, 'db' | 'clock'>,
  { clusterId, libraries, principal }: Request,
): Promise<void> {
  const problems = libraries.map(findLibraryProblem).filter((problem) => problem !== null);
  if (problems.length > 0) throw new ApiError('INVALID_PARAMETER_VALUE', problems.join('; '));
  await db.transaction(async (client) => {
    await requireOwnCluster(client, clusterId, principal);
    const nowMs = clock.nowMs();
    for (const [index, library] of libraries.entries()) {
      const key = toLibraryKey(library);
      const installedBy = principal.userName;
      // One after the other: they are told, and installed, in the order of the request.
      await insertLibrary(client, { clusterId, key, library, installedBy, nowMs: nowMs + index });
    }
    if ((await countLibraries(client, clusterId)) > clusterLibrariesMax)
      throw new ApiError(
        'RESOURCE_LIMIT_EXCEEDED',
        `cluster ${clusterId}: a cluster can have ${clusterLibrariesMax} libraries`,
      );
  });
}

export async function uninstallLibraries(
  { db }: Pick<Services, 'db'>,
  { clusterId, libraries, principal }: Request,
): Promise<void> {
  await db.transaction(async (client) => {
    await requireOwnCluster(client, clusterId, principal);
    await deleteLibraries(client, clusterId, libraries.map(toLibraryKey));
  });
}
