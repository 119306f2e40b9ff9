/** Folders of managed tables: `managed/<catalog>/<schema>/<table>-<8 hex>` in the blob store, each name used once. */
import crypto from 'node:crypto';
import type { BlobStore } from '../blobs/blob-store.ts';
import type { TableName } from './names.ts';

const managedRoot = 'managed';
/** File names end at 255 bytes; the suffix and percent signs need room. */
const partCharsMax = 100;

export function makeManagedKey({ catalog, schema, table }: TableName): string {
  const suffix = crypto.randomBytes(4).toString('hex');
  return `${managedRoot}/${toFolderName(catalog)}/${toFolderName(schema)}/${toFolderName(table)}-${suffix}`;
}

/** Plain letters only: the same folder is a path, a URI and a Hadoop path, which quote other characters differently. */
function toFolderName(name: string): string {
  return name.replaceAll(/[^a-z0-9_-]/g, '_').slice(0, partCharsMax);
}

/** The key of a location below the managed root; null for any other location. */
export function findManagedKey(blobs: BlobStore, location: string): string | null {
  const path = toPath(location);
  const root = `${blobs.locate(managedRoot)}/`;
  if (path === null || !path.startsWith(root)) return null;
  const parts = path.slice(root.length).split('/');
  if (parts.length !== 3 || parts.some((part) => part === '' || part === '.' || part === '..')) return null;
  return `${managedRoot}/${parts.join('/')}`;
}

/** One place, in every spelling that Spark and people use for it. */
export function spellLocation(location: string): string[] {
  const path = toPath(location);
  return path === null ? [location] : [path, `file:${path}`, `file://${path}`];
}

function toPath(location: string): string | null {
  const path = location.replace(/^file:(\/\/(?=\/))?/, '').replace(/\/+$/, '');
  return path.startsWith('/') ? path : null;
}
