/**
 * Where external tables may be: in volumes and DBFS, whose own guard follows links at each access; below a folder that
 * whoever runs the server allows, links resolved; or in an object store, which has a guard of its own.
 */
import fs from 'node:fs/promises';
import path from 'node:path';
import { ApiError } from '@headrace/api';
import { isWithin } from '../blobs/is-within.ts';
import type { Services } from '../services.ts';
import { isAllowedLocation } from '../volumes/external-location.ts';
import { findRootAround } from './root-store.ts';

type Needed = Pick<Services, 'blobs' | 'config' | 'db'>;

const objectStores = ['s3', 's3a', 's3n', 'gs', 'abfs', 'abfss', 'wasb', 'wasbs', 'adl', 'hdfs'];
/** Local paths that tasks see, and what is behind them. */
const hosted = ['/Volumes', '/dbfs'];

/** The location as the catalog keeps it, links of a local one resolved, or the reason why no table may be there. */
export async function placeExternalTable(services: Needed, location: string): Promise<string> {
  const [, scheme, rest = ''] = /^(?:([a-z][a-z0-9+.-]*):)?(.*)$/is.exec(location) ?? [];
  const kind = scheme?.toLowerCase() ?? 'file';
  if (location.includes('\0') || climbs(rest)) throw refused(`"${shorten(location)}" leads upwards`);
  if (objectStores.includes(kind)) return location;
  const local = rest.replace(/^\/\/(?=\/)/, '');
  // `file://x/y` is the file /y of a machine x to some readers, and the file /x/y to others.
  if (!local.startsWith('/') || local.startsWith('//') || !['file', 'dbfs'].includes(kind)) {
    throw refused(
      `"${shorten(location)}" is no place for a table: write a path of /Volumes, dbfs:/, an absolute path or an object store`,
    );
  }
  if (kind === 'dbfs' || hosted.some((folder) => isWithin(folder, local))) {
    await refuseManaged(
      services,
      path.join(services.blobs.locate('dbfs'), local.replace(/^\/dbfs(?=\/|$)/, '')),
    );
    return location;
  }
  const real = await findRealPlace(path.normalize(local));
  if (real === null || !(await isAllowed(services, real))) throw outside(services, location);
  await refuseManaged(services, real);
  const known = real === local.replace(/\/+$/, '');
  return known ? location : `${scheme === undefined ? '' : 'file:'}${real}`;
}

/** What lies in the location of a catalog or schema is removed with its tables and volumes. */
async function refuseManaged({ db }: Needed, local: string): Promise<void> {
  const root = await findRootAround(db, local);
  if (root === null) return;
  throw refused(`it overlaps ${root.location}, where ${root.kind} '${root.name}' has its managed tables`);
}

/** Also where a reader decodes the percent signs. */
function climbs(text: string): boolean {
  const decoded = text.replaceAll(/%(2e|2f|5c)/gi, (code) => decodeURIComponent(code));
  return decoded.split(/[/\\]/).includes('..');
}

/** What lies outside is not told about, neither that it is there nor that it is not. */
function outside({ config }: Pick<Needed, 'config'>, location: string): ApiError {
  const allowed = config.externalLocations;
  return refused(
    allowed.length === 0
      ? `"${shorten(location)}" is a folder of this machine, of which this server allows none: write to a volume, or have HEADRACE_EXTERNAL_LOCATIONS name the folder`
      : `"${shorten(location)}" is not below a location that this server allows: ${allowed.join(', ')}`,
  );
}

async function isAllowed(services: Omit<Needed, 'db'>, real: string): Promise<boolean> {
  const roots = ['dbfs', 'volumes'].map((key) => services.blobs.locate(key));
  for (const root of roots) {
    const realRoot = await findRealPlace(root);
    if (realRoot !== null && isWithin(realRoot, real)) return true;
  }
  return isAllowedLocation(services, real);
}

/** Of a path whose end may not be there yet. Null where its beginning cannot be looked at. */
export async function findRealPlace(named: string): Promise<string | null> {
  const missing: string[] = [];
  for (let existing = named; ; existing = path.dirname(existing)) {
    try {
      return path.join(await fs.realpath(existing), ...missing);
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT') return isUnreachable(code) ? null : Promise.reject(error);
      // A link that leads nowhere yet may lead anywhere later.
      if (await isLink(existing)) return null;
      missing.unshift(path.basename(existing));
    }
  }
}

const isUnreachable = (code: string) => ['ENOTDIR', 'EACCES', 'ELOOP', 'ENAMETOOLONG'].includes(code);

const isLink = (file: string) =>
  fs.lstat(file).then(
    (stat) => stat.isSymbolicLink(),
    () => false,
  );

const shorten = (location: string) => location.slice(0, 200);

const refused = (reason: string) => new ApiError('INVALID_PARAMETER_VALUE', `storage_location: ${reason}`);
