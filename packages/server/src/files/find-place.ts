/** From a path of /Volumes to the folder that it lies in. Only inside of volumes that exist is there anything. */
import fs from 'node:fs/promises';
import { ApiError } from '@headrace/api';
import { foldName } from '../catalogs/names.ts';
import type { Services } from '../services.ts';
import { requireVolume } from '../volumes/change-volumes.ts';
import { isAllowedLocation } from '../volumes/external-location.ts';
import { finishMoves, isOnItsWay } from '../volumes/move-folders.ts';
import { type VolumeName, volumeKey } from '../volumes/volume-names.ts';
import { type FileTree, openFileTree } from './file-tree.ts';

export interface Place {
  readonly tree: FileTree;
  /** Below the volume; none: the volume itself. */
  readonly parts: readonly string[];
  /** As people write it. */
  readonly shown: string;
}

/** `/Volumes/<catalog>/<schema>/<volume>/…`; refused, never repaired, when it climbs or says nothing twice. */
export function parseVolumePath(text: string): {
  volume: VolumeName;
  parts: readonly string[];
  shown: string;
} {
  const all = text.replace(/^\//, '').replace(/\/$/, '').split('/');
  const [first, catalog, schema, volume, ...parts] = all;
  if (all.some((part) => part === '' || part === '.' || part === '..' || part.includes('\0')))
    throw new ApiError('INVALID_PARAMETER_VALUE', `path: "${text.slice(0, 200)}" is not a path`);
  if (first !== 'Volumes' || !catalog || !schema || !volume) {
    throw new ApiError(
      'INVALID_PARAMETER_VALUE',
      `path: "${text.slice(0, 200)}" is not of the form /Volumes/<catalog>/<schema>/<volume>/…`,
    );
  }
  const name = { catalog: foldName(catalog), schema: foldName(schema), volume: foldName(volume) };
  return { volume: name, parts, shown: `/${all.join('/')}` };
}

export async function findPlace(services: Services, text: string): Promise<Place> {
  const { volume: name, parts, shown } = parseVolumePath(text);
  const { externalLocation } = await requireVolume(services.db, name);
  const root =
    externalLocation === null
      ? await findManagedRoot(services, name)
      : await findExternalRoot(services, { location: externalLocation, shown });
  return { tree: openFileTree(root, services.clock), parts, shown };
}

async function findManagedRoot(services: Services, name: VolumeName): Promise<string> {
  const folder = services.blobs.locate(volumeKey(name));
  // A folder on its way from an old name is first brought here.
  if ((await realpathOrNull(folder)) === null) await requireArrived(services, name);
  if ((await realpathOrNull(folder)) === null) await fs.mkdir(folder, { recursive: true });
  if ((await realpathOrNull(folder)) === folder) return folder;
  throw new ApiError('INVALID_STATE', `path: a link stands where the folder of volume ${name.volume} should`);
}

/** An empty folder made here would take what is written, and be in the way of the one that comes. */
async function requireArrived(services: Services, name: VolumeName): Promise<void> {
  await finishMoves(services);
  if (!(await isOnItsWay(services.db, name))) return;
  const text = `the folder of volume ${name.volume} still has its old name and cannot be moved; the server's log says why`;
  throw new ApiError('INVALID_STATE', `path: ${text}`);
}

async function findExternalRoot(
  services: Services,
  { location, shown }: { location: string; shown: string },
): Promise<string> {
  const real = await realpathOrNull(location);
  if (real === null)
    throw new ApiError('RESOURCE_DOES_NOT_EXIST', `path: the folder behind ${shown} is not there`);
  if (await isAllowedLocation(services, real)) return real;
  throw new ApiError(
    'PERMISSION_DENIED',
    `path: the folder behind ${shown} is not one that HEADRACE_EXTERNAL_LOCATIONS allows`,
  );
}

async function realpathOrNull(folder: string): Promise<string | null> {
  return fs.realpath(folder).catch((error: NodeJS.ErrnoException) => {
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES'].includes(error.code ?? '')) return null;
    throw error;
  });
}
