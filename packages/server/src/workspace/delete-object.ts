import { ApiError } from '@headrace/api';
import { discardFolder } from '../blobs/discard.ts';
import type { Querier } from '../db/connect.ts';
import type { Services } from '../services.ts';
import { deleteObjects, listChildren, lockForDelete } from './store.ts';
import { normalizePath, toBlobKey } from './workspace-path.ts';

const keptPaths = ['/', '/Users', '/Shared', '/Repos'];

export async function deleteObject(
  services: Services,
  request: { path: string; recursive: boolean; nowMs: number },
): Promise<void> {
  const path = requireDeletable(request.path);
  const discarded = await services.db.transaction(async (client) => {
    const object = await lockForDelete(client, path);
    if (!object) throw new ApiError('RESOURCE_DOES_NOT_EXIST', `Path (${path}) doesn't exist.`);
    const [child] = await listChildren(client, path, 1);
    if (child && !request.recursive) {
      throw new ApiError(
        'INVALID_STATE',
        `Folder (${path}) is not empty: pass recursive=true to delete it with its content`,
      );
    }
    await deleteObjects(client, path);
    // Moved aside while the rows are locked: deleted by name later, it could take what was written there since.
    return discardFolder(services, client, { key: toBlobKey(path), nowMs: request.nowMs });
  });
  await discarded.remove();
}

/** The path as the workspace knows it. */
export function requireDeletable(asked: string): string {
  const path = normalizePath(asked);
  if (keptPaths.includes(path))
    throw new ApiError('INVALID_PARAMETER_VALUE', `path: ${path} cannot be deleted`);
  return path;
}

/** The rows of a folder and all below it, within a transaction; false when nothing is there. */
export async function deleteTree(client: Querier, path: string): Promise<boolean> {
  if (!(await lockForDelete(client, path))) return false;
  await deleteObjects(client, path);
  return true;
}
