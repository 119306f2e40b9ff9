/** Making volumes. The row comes first and the folder before the commit: a folder alone is of no harm. */
import crypto from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { ApiError, type RequestOf, type routes } from '@headrace/api';
import { assert } from '../assert.ts';
import { splitKey } from '../blobs/blob-key.ts';
import { isWithin } from '../blobs/is-within.ts';
import { requireSchema } from '../catalogs/change-schemas.ts';
import { chooseVolumeFolder } from '../catalogs/managed-location.ts';
import { findRootAround } from '../catalogs/managed-root.ts';
import { foldName, formatSchemaName } from '../catalogs/names.ts';
import { missing, taken } from '../catalogs/problems.ts';
import type { Stamp } from '../catalogs/rows.ts';
import { foreignKeyViolation, sqlState } from '../db/connect.ts';
import type { Services } from '../services.ts';
import { checkExternalLocation } from './external-location.ts';
import { finishMoves, finishMovesFrom, nameOf } from './move-folders.ts';
import { findVolumeAt, findVolumeById, insertVolume, type VolumeRow } from './store.ts';
import { makeFolder, makeLink } from './volume-folder.ts';
import { formatVolumeName, volumeKey } from './volume-names.ts';

type CreateRequest = RequestOf<(typeof routes)['volumesCreate']>;

export async function createVolume(
  services: Services,
  request: CreateRequest,
  stamp: Stamp,
): Promise<VolumeRow> {
  const { db, blobs } = services;
  const name = {
    catalog: foldName(request.catalog_name),
    schema: foldName(request.schema_name),
    volume: foldName(request.name),
  };
  splitKey(volumeKey(name)); // A name too long for a folder is refused before anything is made.
  const schema = await requireSchema(db, name);
  await finishMoves(services);
  const id = crypto.randomUUID();
  const { externalLocation, hasOwnFolder } = await placeVolume(services, request, { schema, id });
  const row = {
    id,
    name: name.volume,
    externalLocation,
    hasOwnFolder,
    comment: request.comment ?? null,
  };
  const { made, before } = await db
    .transaction(async (client) => {
      if (!(await insertVolume(client, schema.id, row, stamp))) throw taken('Volume', formatVolumeName(name));
      // Its schema may have got another name meanwhile; from the insert on it keeps it.
      const made = await findVolumeById(client, row.id);
      assert(made !== null, `volume ${row.id} is not found in the transaction that made it`);
      const key = volumeKey(nameOf(made));
      // Whatever had this name before must be away, or the new volume would show its files.
      const before = await finishMovesFrom(services, client, key);
      if (externalLocation === null) await makeFolder(blobs, key);
      else {
        if (hasOwnFolder) await fs.mkdir(externalLocation, { recursive: true });
        await makeLink(blobs, key, externalLocation);
      }
      return { made, before };
    })
    .catch((error) => {
      throw sqlState(error) === foreignKeyViolation ? missing('Schema', formatSchemaName(name)) : error;
    });
  await before.remove();
  return made;
}

/** Without a location: a managed volume that lies where its name says. */
async function placeVolume(
  services: Services,
  request: CreateRequest,
  { schema, id }: { schema: { readonly managedRoot: string | null }; id: string },
): Promise<Pick<VolumeRow, 'externalLocation' | 'hasOwnFolder'>> {
  if (request.volume_type === 'MANAGED') {
    if (!request.storage_location) return placeManaged(services, schema, id);
    throw new ApiError(
      'INVALID_PARAMETER_VALUE',
      'storage_location: a managed volume has none of its own; ask for volume_type EXTERNAL',
    );
  }
  const location = await checkExternalLocation(services, request.storage_location);
  const root = await findRootAround(services.db, location);
  if (root !== null) {
    throw new ApiError(
      'INVALID_PARAMETER_VALUE',
      `storage_location: it overlaps ${root.location}, where ${root.kind} '${root.name}' has its managed volumes`,
    );
  }
  const other = await findVolumeAt(services.db, location);
  if (other === null) return { externalLocation: location, hasOwnFolder: false };
  throw new ApiError(
    'INVALID_PARAMETER_VALUE',
    `storage_location: volume '${other.catalog}.${other.schema}.${other.name}' lies there, in it or around it already`,
  );
}

/** A location within DBFS is in the data root already, where volumes are: those lie there under their names. */
async function placeManaged(
  services: Services,
  { managedRoot }: { readonly managedRoot: string | null },
  id: string,
): Promise<Pick<VolumeRow, 'externalLocation' | 'hasOwnFolder'>> {
  if (managedRoot === null || isWithin(path.dirname(services.blobs.locate('dbfs')), managedRoot)) {
    return { externalLocation: null, hasOwnFolder: false };
  }
  return { externalLocation: await chooseVolumeFolder(services, managedRoot, id), hasOwnFolder: true };
}
