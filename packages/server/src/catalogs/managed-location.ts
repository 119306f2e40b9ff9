/**
 * Folders of managed tables, each name used once: `managed/<catalog>/<schema>/<table>-<8 hex>` in the blob store, or, where
 * schema or catalog has a location of its own, `<location>/__headrace/tables/<table>-<8 hex>`.
 */
import crypto from 'node:crypto';
import path from 'node:path';
import type { BlobStore } from '../blobs/blob-store.ts';
import type { Services } from '../services.ts';
import { requireManagedRoot } from './managed-root.ts';
import type { TableName } from './names.ts';
import type { SchemaRow } from './schema-store.ts';

const managedRoot = 'managed';
/** Within a location: what else lies there is not ours. */
const ownFolder = '__headrace';
/** File names end at 255 bytes; the suffix and percent signs need room. */
const partCharsMax = 100;

export async function chooseManagedFolder(
  services: Pick<Services, 'blobs' | 'config'>,
  { managedRoot: own }: Pick<SchemaRow, 'managedRoot'>,
  { catalog, schema, table }: TableName,
): Promise<string> {
  const folder = `${toFolderName(table)}-${crypto.randomBytes(4).toString('hex')}`;
  if (own !== null) return path.join(await requireManagedRoot(services, own), ownFolder, 'tables', folder);
  return services.blobs.locate(`${managedRoot}/${toFolderName(catalog)}/${toFolderName(schema)}/${folder}`);
}

/** Of a managed volume, whose name may change. */
export async function chooseVolumeFolder(
  services: Pick<Services, 'blobs' | 'config'>,
  root: string,
  volumeId: string,
): Promise<string> {
  return path.join(await requireManagedRoot(services, root), ownFolder, 'volumes', volumeId);
}

/** Plain letters only: the same folder is a path, a URI and a Hadoop path, which quote other characters differently. */
function toFolderName(name: string): string {
  return name.replaceAll(/[^a-z0-9_-]/g, '_').slice(0, partCharsMax);
}

/** The key of a location below the managed root; null for any other location. */
export function findManagedKey(blobs: BlobStore, location: string): string | null {
  const local = toPath(location);
  const root = `${blobs.locate(managedRoot)}/`;
  if (local === null || !local.startsWith(root)) return null;
  const parts = local.slice(root.length).split('/');
  if (parts.length !== 3 || parts.some((part) => part === '' || part === '.' || part === '..')) return null;
  return `${managedRoot}/${parts.join('/')}`;
}

/**
 * What is to be removed with a table or volume of ours: a key of the blob store, or a folder in a location. Null for
 * what is none of ours.
 */
export function findManagedFolder(blobs: BlobStore, location: string): string | null {
  return findManagedKey(blobs, location) ?? findOwnFolder(location);
}

/** The path of a folder that was chosen above, below some location. */
export function findOwnFolder(location: string): string | null {
  const local = toPath(location);
  if (local === null || path.normalize(local) !== local) return null;
  const [own, kind, name] = local.split('/').slice(-3);
  return own === ownFolder && (kind === 'tables' || kind === 'volumes') && name ? local : null;
}

/** The location that such a folder is of. */
export const rootOfOwnFolder = (folder: string): string => path.resolve(folder, '../../..');

/** One place, in every spelling that Spark and people use for it. */
export function spellLocation(location: string): string[] {
  const local = toPath(location);
  return local === null ? [location] : [local, `file:${local}`, `file://${local}`];
}

function toPath(location: string): string | null {
  const local = location.replace(/^file:(\/\/(?=\/))?/, '').replace(/\/+$/, '');
  return local.startsWith('/') ? local : null;
}
