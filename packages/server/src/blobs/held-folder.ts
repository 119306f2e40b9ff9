/**
 * Folders that stay the same while they are used. A task may swap a folder for a link between a check and a use, so a
 * folder is opened first and checked then, and its entries are named through what is open.
 */
import crypto from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { draftPrefix } from './blob-key.ts';
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

/** Each level costs an open file, of which a server has a limited number. What lies deeper comes up first. */
const levelsMax = 100;
/** So many times: nobody's folders are that deep, and somebody may be making more. */
const liftsMax = 1_000;

/** With all in it, and following no link: not one that was there, and not one that comes while this goes on. */
export async function removeFolderTree(place: string | Buffer, { root }: { root: string }): Promise<void> {
  await emptyFolder(place, { root });
  await fs.rmdir(place);
}

/** A file, a link, or a folder with all in it. Nothing there is no error. */
export async function removeEntry(place: string, { root }: { root: string }): Promise<void> {
  try {
    if ((await fs.lstat(place)).isDirectory()) await removeFolderTree(place, { root });
    else await fs.unlink(place);
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

export async function emptyFolder(place: string | Buffer, { root }: { root: string }): Promise<void> {
  const folder = await holdFolder(place, { root, followLink: false });
  if (folder === null) return;
  try {
    for (let lifts = 0; lifts < liftsMax; lifts += 1) {
      const { hasLifted } = await removeEntries(folder.place, { top: folder.place, levels: 0 });
      if (!hasLifted) return;
    }
  } finally {
    await folder.release();
  }
}

interface Removal {
  /** Where it began. */
  readonly top: string;
  readonly levels: number;
}

async function removeEntries(held: string, { top, levels }: Removal): Promise<{ hasLifted: boolean }> {
  let hasLifted = false;
  // As bytes: tasks may give names that are no text.
  for (const entry of await fs.readdir(held, { withFileTypes: true, encoding: 'buffer' })) {
    const place = Buffer.concat([Buffer.from(`${held}/`), entry.name]);
    try {
      if (!entry.isDirectory()) await fs.unlink(place);
      else if (levels < levelsMax) {
        const below = await removeBelow(place, { top, levels: levels + 1 });
        hasLifted ||= below.hasLifted;
      } else {
        await fs.rename(place, `${top}/${draftPrefix}${crypto.randomBytes(8).toString('hex')}`);
        hasLifted = true;
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return { hasLifted };
}

/** No look where it lies: in the folder that is held above, and its path may be longer than the system can tell. */
async function removeBelow(place: Buffer, removal: Removal): Promise<{ hasLifted: boolean }> {
  const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = fs.constants;
  const handle = await fs.open(place, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  const removed = await removeEntries(
    hasProc ? `/proc/self/fd/${handle.fd}` : String(place),
    removal,
  ).finally(() => handle.close());
  await fs.rmdir(place);
  return removed;
}
