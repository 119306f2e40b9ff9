/** Where files of tables and volumes are. The folders are local, so there is no key to give; paths beyond them are refused. */
import fs from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ApiError, type TemporaryCredentials } from '@headrace/api';
import { isWithin } from '../blobs/is-within.ts';
import { requireTableById } from '../catalogs/change-tables.ts';
import type { Services } from '../services.ts';
import { requireVolumeById } from '../volumes/change-volumes.ts';
import { isAllowedLocation } from '../volumes/external-location.ts';
import { toVolumeInfo } from '../volumes/wire.ts';

/** Clients ask again when it is over; the folder is the same then. */
const validMs = 3_600_000;
/** Of the data root, those whose files people name by path. */
const openRoots = ['managed', 'volumes', 'dbfs'];

export async function findTableFolder(services: Services, id: string, nowMs: number) {
  const { storageLocation, catalog, schema, name } = await requireTableById(services.db, id);
  const local = toLocalPath(storageLocation ?? '');
  if (local === null) {
    const text = `table_id: ${catalog}.${schema}.${name} has no local folder, and keys for others are not given`;
    throw new ApiError('INVALID_PARAMETER_VALUE', text);
  }
  return toCredentials(local, nowMs);
}

export async function findVolumeFolder(services: Services, id: string, nowMs: number) {
  const volume = await requireVolumeById(services.db, id);
  return toCredentials(toVolumeInfo(volume, services.blobs).storage_location, nowMs);
}

export async function checkPath(services: Services, url: string, nowMs: number) {
  const local = toLocalPath(url);
  if (local === null)
    throw new ApiError('INVALID_PARAMETER_VALUE', 'url: is no local path, and keys for others are not given');
  const real = await resolveNearest(local);
  const isOpen = openRoots.some((root) => isWithin(services.blobs.locate(root), real));
  if (isOpen || (await isAllowedLocation(services, real))) return toCredentials(real, nowMs);
  throw new ApiError('PERMISSION_DENIED', 'url: the path is not one of tables, volumes or allowed locations');
}

function toCredentials(folder: string, nowMs: number): TemporaryCredentials {
  return { url: pathToFileURL(folder).href, expiration_time: nowMs + validMs };
}

function toLocalPath(location: string): string | null {
  const local = location.replace(/^file:(\/\/(?=\/))?/i, '');
  return local.startsWith('/') && !local.includes('\0') ? path.normalize(local) : null;
}

/** Links resolved as far as the path exists: what is to be made lies below that. */
async function resolveNearest(local: string): Promise<string> {
  const real = await fs.realpath(local).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' && local !== '/') return null;
    throw new ApiError('INVALID_PARAMETER_VALUE', 'url: the path cannot be resolved');
  });
  if (real !== null) return real;
  return path.join(await resolveNearest(path.dirname(local)), path.basename(local));
}
