import { ApiError } from '@headrace/api';
import type { Services } from '../services.ts';
import { insertObject, isFolder, lockFolder } from './store.ts';
import { ancestorsOf, normalizePath, parentOf, toBlobKey } from './workspace-path.ts';

/** Makes a folder and those above it; folders that exist are left as they are. */
export async function makeFolders(
  { db, blobs, ids }: Services,
  request: { path: string; createdBy: number; nowMs: number },
): Promise<void> {
  const path = normalizePath(request.path);
  await db.transaction(async (client) => {
    for (const folder of ancestorsOf(path)) {
      const existing = await lockFolder(client, folder);
      if (existing && isFolder(existing)) continue;
      const inserted =
        !existing &&
        (await insertObject(client, {
          path: folder,
          parent: folder === '/' ? '' : parentOf(folder),
          objectId: ids.newId(),
          objectType: 'DIRECTORY',
          language: null,
          sizeBytes: 0,
          createdAtMs: request.nowMs,
          createdBy: request.createdBy,
        }));
      // Not inserted although nothing was there: another request made it in this moment, as what, we look again.
      const found = inserted ? null : await lockFolder(client, folder);
      if (inserted || (found && isFolder(found))) continue;
      throw new ApiError('RESOURCE_ALREADY_EXISTS', `Path (${folder}) already exists and is not a folder.`);
    }
    await blobs.makeFolder(toBlobKey(path));
  });
}

/** The folders that every workspace has, and the principal's own. */
export async function ensureHomeFolders(
  services: Services,
  principal: { id: number; userName: string },
): Promise<void> {
  const nowMs = services.clock.nowMs();
  for (const path of ['/Shared', `/Users/${principal.userName}`]) {
    await makeFolders(services, { path, createdBy: principal.id, nowMs });
  }
}
