/**
 * The location of a catalog or schema (CREATE … MANAGED LOCATION): its managed tables and volumes live below it. Only a
 * folder below a location that whoever runs the server allows, or in DBFS: the server itself removes what is dropped there.
 */
import path from 'node:path';
import { ApiError } from '@headrace/api';
import { isWithin } from '../blobs/is-within.ts';
import type { Querier } from '../db/connect.ts';
import type { Services } from '../services.ts';
import { isAllowedLocation } from '../volumes/external-location.ts';
import { findRealPlace } from './external-place.ts';
import { findOverlap, lockRoots, type Place } from './root-store.ts';

export { findRootAround } from './root-store.ts';

type Needed = Pick<Services, 'blobs' | 'config'>;

/** The real folder that a caller named, or the reason why it may be none. */
export async function placeManagedRoot(
  services: Needed,
  location: string | undefined,
): Promise<string | null> {
  if (location === undefined || location === '') return null;
  const real = await findRealPlace(toLocalPath(services, location));
  if (real !== null && (await mayBeRoot(services, real))) return real;
  const { externalLocations } = services.config;
  const allowed =
    externalLocations.length === 0 ? 'HEADRACE_EXTERNAL_LOCATIONS names none' : externalLocations.join(', ');
  throw refused(
    `"${shorten(location)}" is neither below a location that this server allows (${allowed}) nor in dbfs:/`,
  );
}

/** Asked again at each use: what was a folder may be a link to elsewhere by now. */
export async function requireManagedRoot(services: Needed, root: string): Promise<string> {
  if ((await findRealPlace(root)) === root && (await mayBeRoot(services, root))) return root;
  throw refused(
    `${root} is not allowed any more, or a link to elsewhere: HEADRACE_EXTERNAL_LOCATIONS names what is`,
  );
}

/** In the transaction that made the row of the catalog or schema: of two that overlap, the second is refused. */
export async function refuseOverlap(
  { blobs }: Pick<Services, 'blobs'>,
  client: Querier,
  place: Place,
): Promise<void> {
  await lockRoots(client);
  const other = await findOverlap(client, place, { dbfs: blobs.locate('dbfs') });
  if (other === null) return;
  throw refused(`${place.root} overlaps the location of ${other.kind} '${other.name}', ${other.location}`);
}

function toLocalPath({ blobs }: Needed, location: string): string {
  const [, scheme = '', rest = ''] = /^(?:([a-z][a-z0-9+.-]*):)?(.*)$/is.exec(location) ?? [];
  const local = rest.replace(/^\/\/(?=\/)/, '');
  const isClean = local.startsWith('/') && !local.startsWith('//') && !local.includes('\0');
  if (
    !isClean ||
    /(^|\/)\.\.?(\/|$)|%2[ef]/i.test(local) ||
    !['', 'file', 'dbfs'].includes(scheme.toLowerCase())
  ) {
    throw refused(
      `"${shorten(location)}" is no place for managed tables: write an absolute path or one of dbfs:/. In an object store this server could not remove what is dropped`,
    );
  }
  if (isWithin('/Volumes', local))
    throw refused(`"${shorten(location)}" lies in a volume, where files have names of their own`);
  const named = path.normalize(local).replace(/\/+$/, '') || '/';
  if (scheme.toLowerCase() === 'dbfs') return path.join(blobs.locate('dbfs'), named);
  return isWithin('/dbfs', named) ? path.join(blobs.locate('dbfs'), named.slice('/dbfs'.length)) : named;
}

async function mayBeRoot(services: Needed, real: string): Promise<boolean> {
  const dbfs = await findRealPlace(services.blobs.locate('dbfs'));
  if (dbfs !== null && real !== dbfs && isWithin(dbfs, real)) return true;
  return isAllowedLocation(services, real);
}

const shorten = (location: string) => location.slice(0, 200);

const refused = (reason: string) => new ApiError('INVALID_PARAMETER_VALUE', `storage_root: ${reason}`);
