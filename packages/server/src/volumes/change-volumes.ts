/** Reading, changing and deleting volumes, and what becomes of them when their schema or catalog goes or is renamed. */
import type { RequestOf, routes } from '@headrace/api';
import { requireSchema } from '../catalogs/change-schemas.ts';
import { type NamePage, readNamePage } from '../catalogs/name-pages.ts';
import { foldName } from '../catalogs/names.ts';
import { missing, taken } from '../catalogs/problems.ts';
import type { Stamp } from '../catalogs/rows.ts';
import { type Querier, sqlState, uniqueViolation } from '../db/connect.ts';
import type { Services } from '../services.ts';
import { finishMoves, nameOf, noteMove, noteRemoval } from './move-folders.ts';
import {
  deleteVolume,
  findVolume,
  findVolumeById,
  listVolumes,
  lockVolume,
  lockVolumesBelow,
  updateVolume,
  type VolumeRow,
} from './store.ts';
import { requireFreePlace } from './volume-folder.ts';
import { formatVolumeName, parseVolumeName, type VolumeName, volumeKey } from './volume-names.ts';

export { countVolumes } from './store.ts';

/** Says which level is missing. */
export async function requireVolume(db: Querier, name: VolumeName): Promise<VolumeRow> {
  const row = await findVolume(db, name);
  if (row) return row;
  await requireSchema(db, name);
  throw missing('Volume', formatVolumeName(name));
}

async function requireLocked(client: Querier, name: VolumeName): Promise<VolumeRow> {
  return (await lockVolume(client, name)) ?? requireVolume(client, name);
}

export async function requireVolumeById(db: Querier, id: string): Promise<VolumeRow> {
  const row = await findVolumeById(db, id);
  if (!row) throw missing('Volume', id);
  return row;
}

export async function listVolumePage(
  db: Querier,
  request: RequestOf<(typeof routes)['volumesList']>,
): Promise<NamePage<VolumeRow>> {
  const schema = { catalog: foldName(request.catalog_name), schema: foldName(request.schema_name) };
  await requireSchema(db, schema);
  return readNamePage(request, (page) => listVolumes(db, schema, page));
}

export async function changeVolume(
  services: Services,
  request: RequestOf<(typeof routes)['volumesUpdate']>,
  stamp: Stamp,
): Promise<VolumeRow> {
  const { db, blobs } = services;
  const from = parseVolumeName(request.name);
  const to = { ...from, volume: foldName(request.new_name ?? from.volume) };
  const isRenamed = to.volume !== from.volume;
  const { owner = null, comment = null } = request;
  await finishMoves(services);
  const id = await db
    .transaction(async (client) => {
      const { id } = await requireLocked(client, from);
      const changes = { name: isRenamed ? to.volume : null, owner, comment };
      await updateVolume(client, id, changes, stamp);
      if (isRenamed) {
        await requireFreePlace(blobs, volumeKey(to));
        await noteMove(client, { from, to, nowMs: stamp.atMs });
      }
      return id;
    })
    .catch((error) => {
      throw sqlState(error) === uniqueViolation ? taken('Volume', formatVolumeName(to)) : error;
    });
  if (isRenamed) await finishMoves(services);
  return requireVolumeById(db, id);
}

export async function dropVolume(services: Services, name: VolumeName, nowMs: number): Promise<void> {
  await services.db.transaction(async (client) => {
    const volume = await requireLocked(client, name);
    await deleteVolume(client, volume.id);
    await noteRemoval(services, client, { volume, nowMs });
  });
  await finishMoves(services);
}

interface Parent {
  readonly catalogId: string | null;
  readonly schemaId: string | null;
}

/** In the caller's transaction, who calls finishMoves after it. */
export async function dropVolumesBelow(
  services: Services,
  client: Querier,
  { nowMs, ...parent }: Parent & { nowMs: number },
): Promise<void> {
  for (const volume of await lockVolumesBelow(client, parent)) {
    await deleteVolume(client, volume.id);
    await noteRemoval(services, client, { volume, nowMs });
  }
}

/** Of a schema or catalog that has just been renamed; the caller finishes the moves after its commit. */
export async function followNewName(
  { blobs }: Pick<Services, 'blobs'>,
  client: Querier,
  { before, nowMs, ...parent }: Parent & { before: { catalog?: string; schema?: string }; nowMs: number },
): Promise<void> {
  for (const volume of await lockVolumesBelow(client, parent)) {
    const to = nameOf(volume);
    await requireFreePlace(blobs, volumeKey(to));
    await noteMove(client, { from: { ...to, ...before }, to, nowMs });
  }
}
