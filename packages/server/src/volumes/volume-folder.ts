/**
 * The places `volumes/<catalog>/<schema>/<volume>` of the data root: a folder for a managed volume, a link for an
 * external one. Tasks write below them with the server's own rights, so whatever is on the way is held while it is used.
 */
import crypto from 'node:crypto';
import fs from 'node:fs/promises';
import { ApiError } from '@headrace/api';
import { splitKey } from '../blobs/blob-key.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import { emptyFolder, prepareFolder } from '../blobs/held-folder.ts';
import { hasCode } from '../files/file-refusals.ts';

/** Files that tasks left under this name before the volume was made are in it. */
export async function makeFolder(blobs: BlobStore, key: string): Promise<void> {
  await prepare(blobs, key, async ({ place }) => {
    const kind = await kindOf(place);
    if (kind === 'link') await fs.unlink(place);
    if (kind === 'other') throw inTheWay(key);
    await fs.mkdir(place, { recursive: true });
  });
}

export async function makeLink(blobs: BlobStore, key: string, target: string): Promise<void> {
  await prepare(blobs, key, async ({ place }) => {
    await freePlace(place, key);
    await fs.symlink(target, place, 'dir');
  });
}

export async function isTaken(blobs: BlobStore, key: string): Promise<boolean> {
  return (await kindOf(blobs.locate(key))) !== null;
}

/** Refuses when files lie there that belong to no volume: nothing may vanish behind a new name. */
export async function requireFreePlace(blobs: BlobStore, key: string): Promise<void> {
  await prepare(blobs, key, ({ place }) => freePlace(place, key));
}

/**
 * Moves a folder or link, also a second time. `aside` is where something went that took the place meanwhile; null
 * when nothing had. A folder to be removed that does not move, as a mount point, is emptied where it is.
 */
export async function moveFolder(
  blobs: BlobStore,
  { fromKey, toKey, isRemoval }: { fromKey: string; toKey: string; isRemoval: boolean },
): Promise<{ aside: string | null }> {
  return prepare(blobs, fromKey, ({ place: from, root }) =>
    prepare(blobs, toKey, async ({ place: to }) => {
      if ((await kindOf(from)) === null) return { aside: null };
      const ending = await clearAside(to);
      await fs.rename(from, to).catch((error) => {
        if (!isRemoval || !hasCode(error, 'EBUSY', 'EXDEV')) throw error;
        return emptyFolder(from, { root });
      });
      await removeEmptyParents(blobs, fromKey);
      return { aside: ending === null ? null : `${blobs.locate(toKey)}${ending}` };
    }),
  );
}

/** What was added to the name of something that had the place; null when nothing had. */
async function clearAside(to: string): Promise<string | null> {
  const taken = await kindOf(to);
  if (taken === 'link') await fs.unlink(to);
  else if (taken !== null && !(await removeEmptyFolder(to))) {
    const ending = `-${crypto.randomBytes(4).toString('hex')}`;
    await fs.rename(to, `${to}${ending}`);
    return ending;
  }
  return null;
}

/** What is left of a schema or catalog of that name; others may still be in it. */
async function removeEmptyParents(blobs: BlobStore, key: string): Promise<void> {
  for (let parts = splitKey(key).slice(0, -1); parts.length > 1; parts = parts.slice(0, -1)) {
    await prepare(blobs, parts.join('/'), ({ place }) => removeEmptyFolder(place));
  }
}

async function freePlace(place: string, key: string): Promise<void> {
  const kind = await kindOf(place);
  if (kind === 'link') return fs.unlink(place);
  if (kind === null || (kind === 'folder' && (await removeEmptyFolder(place)))) return;
  throw inTheWay(key);
}

interface Place {
  /** Names it as long as its parent is held, wherever the parent's own path leads by then. */
  readonly place: string;
  /** The folder that nothing on the way leads out of. */
  readonly root: string;
}

/** Makes the folders on the way. A link in the middle makes none elsewhere, nor one that a task puts there meanwhile. */
async function prepare<T>(blobs: BlobStore, key: string, use: (place: Place) => Promise<T>): Promise<T> {
  const [first = '', ...below] = splitKey(key);
  await fs.mkdir(blobs.locate(first), { recursive: true });
  const root = await fs.realpath(blobs.locate(first));
  const parent = await prepareFolder(root, below.slice(0, -1));
  if (parent === null)
    throw new ApiError('INVALID_STATE', `${key}: a link on the way leads out of the folder of volumes`);
  return use({ place: `${parent.place}/${below.at(-1)}`, root }).finally(parent.release);
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
