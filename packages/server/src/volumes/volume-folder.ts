/**
 * The places `volumes/<catalog>/<schema>/<volume>` of the data root: a folder for a managed volume, a link for an
 * external one. Tasks write below them with the server's own rights, so whatever is on the way is resolved first.
 */
import crypto from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { ApiError } from '@headrace/api';
import { splitKey } from '../blobs/blob-key.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import { isWithin } from '../blobs/is-within.ts';
import { hasCode } from '../files/file-refusals.ts';
import { emptyFolder } from '../files/held-folder.ts';

/** Files that tasks left under this name before the volume was made are in it. */
export async function makeFolder(blobs: BlobStore, key: string): Promise<void> {
  const place = await preparePlace(blobs, key);
  const kind = await kindOf(place);
  if (kind === 'link') await fs.unlink(place);
  if (kind === 'other') throw inTheWay(key);
  await fs.mkdir(place, { recursive: true });
}

export async function makeLink(blobs: BlobStore, key: string, target: string): Promise<void> {
  const place = await preparePlace(blobs, key);
  await freePlace(place, key);
  await fs.symlink(target, place, 'dir');
}

export async function isTaken(blobs: BlobStore, key: string): Promise<boolean> {
  return (await kindOf(blobs.locate(key))) !== null;
}

/** Refuses when files lie there that belong to no volume: nothing may vanish behind a new name. */
export async function requireFreePlace(blobs: BlobStore, key: string): Promise<void> {
  await freePlace(await preparePlace(blobs, key), key);
}

/**
 * Moves a folder or link, also a second time. `aside` is where something went that took the place meanwhile; null
 * when nothing had. A folder to be removed that does not move, as a mount point, is emptied where it is.
 */
export async function moveFolder(
  blobs: BlobStore,
  { fromKey, toKey, isRemoval }: { fromKey: string; toKey: string; isRemoval: boolean },
): Promise<{ aside: string | null }> {
  const from = await preparePlace(blobs, fromKey);
  const to = await preparePlace(blobs, toKey);
  if ((await kindOf(from)) === null) return { aside: null };
  let aside: string | null = null;
  const taken = await kindOf(to);
  if (taken === 'link') await fs.unlink(to);
  else if (taken !== null && !(await removeEmptyFolder(to))) {
    aside = `${to}-${crypto.randomBytes(4).toString('hex')}`;
    await fs.rename(to, aside);
  }
  await fs.rename(from, to).catch((error) => {
    if (!isRemoval || !hasCode(error, 'EBUSY', 'EXDEV')) throw error;
    return emptyFolder(from, { root: from });
  });
  // What is left of a schema or catalog of that name; others may still be in it.
  for (const parent of [path.dirname(from), path.dirname(path.dirname(from))]) {
    if (path.dirname(parent) !== path.dirname(blobs.locate('volumes'))) await removeEmptyFolder(parent);
  }
  return { aside };
}

async function freePlace(place: string, key: string): Promise<void> {
  const kind = await kindOf(place);
  if (kind === 'link') return fs.unlink(place);
  if (kind === null || (kind === 'folder' && (await removeEmptyFolder(place)))) return;
  throw inTheWay(key);
}

async function preparePlace(blobs: BlobStore, key: string): Promise<string> {
  const parts = splitKey(key);
  const root = blobs.locate(parts[0] ?? '');
  const parent = path.dirname(blobs.locate(key));
  await fs.mkdir(root, { recursive: true });
  // One level at a time: a link in the middle must not make folders elsewhere.
  for (let folder = root; ; ) {
    await fs.mkdir(folder, { recursive: true });
    if (!isWithin(await fs.realpath(root), await fs.realpath(folder))) {
      throw new ApiError('INVALID_STATE', `${key}: a link on the way leads out of the folder of volumes`);
    }
    if (folder === parent) break;
    folder = path.join(folder, path.relative(folder, parent).split(path.sep)[0] ?? '');
  }
  return path.join(parent, parts.at(-1) ?? '');
}

async function kindOf(place: string): Promise<'folder' | 'link' | 'other' | null> {
  const stat = await fs.lstat(place).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
    throw error;
  });
  if (stat === null) return null;
  if (stat.isSymbolicLink()) return 'link';
  return stat.isDirectory() ? 'folder' : 'other';
}

async function removeEmptyFolder(folder: string): Promise<boolean> {
  try {
    await fs.rmdir(folder);
    return true;
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return true;
    if (['ENOTEMPTY', 'EEXIST', 'ENOTDIR', 'EBUSY'].includes(code)) return false;
    throw error;
  }
}

const inTheWay = (key: string) =>
  new ApiError(
    'RESOURCE_ALREADY_EXISTS',
    `files of no volume lie in /${key.replace(/^volumes/, 'Volumes')}: move them away first, or make a managed volume of this name, which takes them in`,
  );
