/**
 * Folders that stay the same while they are used. A task may swap a folder for a link between a check and a use, so a
 * folder is opened first and checked then, and its entries are named through what is open.
 */
import fs from 'node:fs/promises';
import path from 'node:path';
import { isWithin } from './is-within.ts';

export interface HeldFolder {
  /** Names the folder as long as it is held, whatever its path leads to by then. */
  readonly place: string;
  release(): Promise<void>;
}

/** Where there is no /proc (macOS) a folder has no name but its path, and is only checked before its use. */
export const hasProc = process.platform === 'linux';

/** Null when it lies outside of `root`, which has been resolved. An error says that it is missing, or no folder. */
export async function holdFolder(
  place: string | Buffer,
  { root, followLink = true }: { root: string; followLink?: boolean },
): Promise<HeldFolder | null> {
  const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = fs.constants;
  const handle = await fs.open(place, O_RDONLY | O_DIRECTORY | (followLink ? 0 : O_NOFOLLOW));
  const held = {
    place: hasProc ? `/proc/self/fd/${handle.fd}` : await fs.realpath(place),
    release: () => handle.close(),
  };
  // A folder that was removed has " (deleted)" after its path; nothing can be made or found in it.
  if (isWithin(root, hasProc ? await fs.readlink(held.place) : held.place)) return held;
  await held.release();
  return null;
}

/** Below `root`, which is there; what is missing on the way is made. Null when a link leads out of `root`. */
export async function prepareFolder(root: string, parts: readonly string[]): Promise<HeldFolder | null> {
  // The rule: it is there.
  const found = await holdUnlessMissing(path.join(root, ...parts), root);
  if (found !== 'missing') return found;
  let held = await holdFolder(root, { root });
  for (const part of parts) {
    if (held === null) return null;
    const below: HeldFolder | null = await enterFolder(`${held.place}/${part}`, root).finally(held.release);
    held = below;
  }
  return held;
}

async function enterFolder(place: string, root: string): Promise<HeldFolder | null> {
  const found = await holdUnlessMissing(place, root);
  if (found !== 'missing') return found;
  await fs.mkdir(place).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const made = await holdUnlessMissing(place, root);
  if (made !== 'missing') return made;
  throw Object.assign(new Error('a link to what is not there is on the way'), { code: 'ENOTDIR' });
}

async function holdUnlessMissing(place: string, root: string): Promise<HeldFolder | null | 'missing'> {
  return holdFolder(place, { root }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return 'missing';
    throw error;
  });
}

/** Each level costs an open file, of which a server has a limited number. */
const depthMax = 500;

/** With all in it, and following no link: not one that was there, and not one that comes while this goes on. */
export async function removeFolderTree(
  place: string | Buffer,
  { root, depth = 0 }: { root: string; depth?: number },
): Promise<void> {
  await emptyFolder(place, { root, depth });
  await fs.rmdir(place);
}

export async function emptyFolder(
  place: string | Buffer,
  { root, depth = 0 }: { root: string; depth?: number },
): Promise<void> {
  if (depth > depthMax)
    throw Object.assign(new Error(`folders lie more than ${depthMax} deep`), { code: 'ENAMETOOLONG' });
  const folder = await holdFolder(place, { root, followLink: false });
  if (folder === null) return;
  try {
    // As bytes: tasks may give names that are no text.
    for (const entry of await fs.readdir(folder.place, { withFileTypes: true, encoding: 'buffer' })) {
      const below = Buffer.concat([Buffer.from(`${folder.place}/`), entry.name]);
      await (entry.isDirectory()
        ? removeFolderTree(below, { root, depth: depth + 1 })
        : fs.unlink(below)
      ).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
      });
    }
  } finally {
    await folder.release();
  }
}
