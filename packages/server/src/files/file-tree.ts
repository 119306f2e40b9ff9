/**
 * Files below one folder, by the parts of a path. No path leads out of it: not by its own parts, and not through links
 * that a task left there or puts there meanwhile, because each folder is held while it is used.
 */
import crypto from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { assert } from '../assert.ts';
import { draftPrefix, splitKey } from '../blobs/blob-key.ts';
import { type HeldFolder, holdFolder, prepareFolder, removeFolderTree } from '../blobs/held-folder.ts';
import type { Clock } from '../services.ts';
import { lookEveryBytes, requireRoom } from './disk-room.ts';
import { hasCode, isFolder, isMissing, leadsOut, toRefusal } from './file-refusals.ts';

export interface TreeEntry {
  readonly name: string;
  readonly kind: 'file' | 'folder';
  readonly sizeBytes: number;
  readonly modifiedAtMs: number;
}

export interface OpenFile {
  readonly handle: fs.FileHandle;
  readonly sizeBytes: number;
  readonly modifiedAtMs: number;
}

export interface TreePage {
  readonly entries: readonly TreeEntry[];
  /** Where the next page goes on, shown or not; null: there is none. */
  readonly lastName: string | null;
}

type Parts = readonly string[];

export interface FileTree {
  /** Every link resolved. */
  readonly folder: string;
  /** Null when nothing is there, or something that is neither file nor folder. */
  stat(parts: Parts): Promise<TreeEntry | null>;
  /** Null when there is no such file. Whoever opens it closes it. */
  open(parts: Parts): Promise<OpenFile | null>;
  /** Readers see the old content or the new, whole. */
  write(parts: Parts, content: Readable | Uint8Array, options: { overwrite: boolean }): Promise<void>;
  makeFolder(parts: Parts): Promise<void>;
  /** By name, those after `after`. */
  list(parts: Parts, page: { after: string; limit: number }): Promise<TreePage>;
  removeFile(parts: Parts): Promise<void>;
  /** False when it is not empty. */
  removeFolder(parts: Parts, options: { recursive: boolean }): Promise<boolean>;
  /** Replaces nothing. An error EXDEV says that the two are on different disks. */
  move(from: Parts, to: FileTree, toParts: Parts): Promise<void>;
  /** The place of a path, good until `use` ends; null when the folder that it would be in is not there. */
  hold<T>(parts: Parts, use: (place: string | null) => Promise<T>): Promise<T>;
  /** As `hold`, and makes the folders on the way. */
  prepare<T>(parts: Parts, use: (place: string) => Promise<T>): Promise<T>;
}

/** `folder` itself is trusted, and has been resolved. */
export function openFileTree(folder: string, clock: Clock): FileTree {
  const root = { root: folder };

  async function hold<T>(parts: Parts, use: (place: string | null) => Promise<T>): Promise<T> {
    checkParts(parts);
    try {
      const parent = await holdOrNull(path.join(folder, ...parts.slice(0, -1)), root);
      if (parent === null) return await use(null);
      return await use(`${parent.place}/${parts.at(-1) ?? '.'}`).finally(parent.release);
    } catch (error) {
      throw toRefusal(error, parts);
    }
  }

  async function prepare<T>(parts: Parts, use: (place: string) => Promise<T>): Promise<T> {
    checkParts(parts);
    if (parts.length === 0) throw isFolder(parts);
    let held: HeldFolder | null = null;
    try {
      held = await prepareFolder(folder, parts.slice(0, -1));
      if (held === null) throw leadsOut(parts);
      return await use(`${held.place}/${parts.at(-1)}`);
    } catch (error) {
      throw toRefusal(error, parts);
    } finally {
      await held?.release();
    }
  }

  const nameOf = (parts: Parts) => parts.at(-1) ?? path.basename(folder);
  const stat = (parts: Parts) =>
    hold(parts, async (place) => (place === null ? null : readEntry(place, nameOf(parts))));

  return {
    folder,
    hold,
    prepare,
    stat,
    open: (parts) => hold(parts, openFile),
    write: (parts, content, options) => prepare(parts, (place) => placeFile(place, content, options)),
    async makeFolder(parts) {
      if (parts.length === 0) return;
      await prepare(parts, async (place) => {
        await fs.mkdir(place).catch(async (error) => {
          if (!hasCode(error, 'EEXIST') || (await readEntry(place))?.kind !== 'folder') throw error;
        });
      });
    },
    list: (parts, page) =>
      hold(parts, async (place) => {
        const held = place === null ? null : await holdOrNull(place, { ...root, followLink: false });
        if (held === null) throw isMissing('folder', parts);
        return readPage(held.place, { ...page, clock }).finally(held.release);
      }),
    removeFile: (parts) =>
      hold(parts, async (place) => {
        const entry = place === null ? null : await readEntry(place);
        if (place === null || entry === null) throw isMissing('file', parts);
        if (entry.kind === 'folder') throw isFolder(parts);
        await fs.rm(place, { force: true });
      }),
    removeFolder: (parts, { recursive }) =>
      hold(parts, async (place) => {
        assert(parts.length > 0, 'the folder of a tree is not removed through it');
        if (place === null || (await readEntry(place))?.kind !== 'folder') throw isMissing('folder', parts);
        try {
          await (recursive ? removeFolderTree(place, root) : removeEmpty(place, { ...root, clock }));
          return true;
        } catch (error) {
          if (hasCode(error, 'ENOTEMPTY', 'EEXIST')) return false;
          if (hasCode(error, 'ENOENT')) return true;
          throw error;
        }
      }),
    move: (from, to, toParts) =>
      hold(from, async (source) => {
        assert(from.length > 0, 'the folder of a tree does not move through it');
        const entry = source === null ? null : await readEntry(source);
        if (source === null || entry === null) throw isMissing('file', from);
        await to.prepare(toParts, (target) => moveEntry(entry.kind, source, target));
      }),
  };
}

/** Null when it is not there, or outside. */
async function holdOrNull(
  place: string,
  options: { root: string; followLink?: boolean },
): Promise<HeldFolder | null> {
  return holdFolder(place, options).catch((error) => {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return null;
    throw error;
  });
}

/** What nobody is shown is no reason not to be empty. */
async function removeEmpty(place: string, { root, clock }: { root: string; clock: Clock }): Promise<void> {
  const held = await holdFolder(place, { root, followLink: false });
  if (held === null) throw leadsOut([]);
  await fs
    .readdir(held.place)
    .then((names) => removeOldDrafts(held.place, names, clock))
    .finally(held.release);
  await fs.rmdir(place);
}

async function readPage(
  place: string,
  { after, limit, clock }: { after: string; limit: number; clock: Clock },
): Promise<TreePage> {
  const all = await fs.readdir(place);
  await removeOldDrafts(place, all, clock);
  const names = all.filter((name) => name > after && isShown(name)).sort();
  const found = await Promise.all(
    names.slice(0, limit).map((name) => readEntry(path.join(place, name), name)),
  );
  const lastName = names.length > limit ? (names[limit - 1] ?? null) : null;
  return { entries: found.filter((entry) => entry !== null), lastName };
}

/** A rename replaces a file that comes between the question and the move; a second name does not. */
async function moveEntry(kind: TreeEntry['kind'], source: string, target: string): Promise<void> {
  if (kind === 'folder') {
    return fs.rename(source, target).catch((error) => {
      // A file has the name.
      throw hasCode(error, 'ENOTDIR') ? Object.assign(error, { code: 'EEXIST' }) : error;
    });
  }
  try {
    await fs.link(source, target);
  } catch (error) {
    // Disks without second names, and files of others whose names the system guards.
    if (!hasCode(error, 'EPERM', 'ENOTSUP', 'EMLINK', 'ENOSYS')) throw error;
    return fs.rename(source, target);
  }
  await fs.unlink(source);
}

/** Neither of these names is anybody's file: drafts of ours, and a name that is no text. */
const isShown = (name: string) => !name.startsWith(draftPrefix) && !name.includes('\ufffd');

/** A draft that is written changes all the time; one of DBFS is closed, or given up, within an hour. */
const draftKeptMs = 7_200_000;

/** What a server left that was killed while it wrote, and what went along when its folder was moved. */
async function removeOldDrafts(place: string, names: readonly string[], clock: Clock): Promise<void> {
  for (const name of names.filter((each) => each.startsWith(draftPrefix))) {
    const draft = path.join(place, name);
    const stat = await fs.lstat(draft).catch(() => null);
    // Left for another time when it cannot be removed: nobody asked for this.
    if (stat && !stat.isDirectory() && stat.mtimeMs < clock.nowMs() - draftKeptMs)
      await fs.unlink(draft).catch(() => undefined);
  }
}

function checkParts(parts: Parts): void {
  if (parts.length > 0) splitKey(parts.join('/'));
}

/** Written beside its place and then given its name, in one step. No draft stays behind. */
async function placeFile(
  place: string,
  content: Readable | Uint8Array,
  { overwrite }: { overwrite: boolean },
): Promise<void> {
  const draft = path.join(path.dirname(place), `${draftPrefix}${crypto.randomBytes(8).toString('hex')}`);
  await requireRoom(path.dirname(place));
  try {
    await writeDraft(draft, content);
    await (overwrite ? fs.rename(draft, place) : fs.link(draft, place));
  } finally {
    await fs.rm(draft, { force: true });
  }
}

/** The source is not ended when the disk refuses: its owner still has to answer whoever sends it. */
async function writeDraft(draft: string, content: Readable | Uint8Array): Promise<void> {
  if (content instanceof Readable) {
    const file = await fs.open(draft, 'wx');
    await pipeline(lend(content, path.dirname(draft)), file.createWriteStream({ flush: true }));
  } else await fs.writeFile(draft, content, { flag: 'wx', flush: true });
}

/** A pipeline ends its source when its target fails; this one it only leaves. */
async function* lend(content: Readable, folder: string): AsyncGenerator<Uint8Array> {
  let unlookedBytes = 0;
  for await (const part of content.iterator({ destroyOnReturn: false })) {
    yield part;
    unlookedBytes += part.length;
    if (unlookedBytes < lookEveryBytes) continue;
    await requireRoom(folder);
    unlookedBytes = 0;
  }
}

/** Opened without following a link in the last part, or waiting on a pipe; null when it is no file. */
async function openFile(place: string | null): Promise<OpenFile | null> {
  if (place === null) return null;
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
  try {
    const handle = await fs.open(place, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    const stat = await handle.stat();
    if (stat.isFile()) return { handle, sizeBytes: stat.size, modifiedAtMs: Math.trunc(stat.mtimeMs) };
    await handle.close();
    return null;
  } catch (error) {
    // ENXIO: a socket, or a pipe that nobody writes to.
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO')) return null;
    throw error;
  }
}

async function readEntry(place: string, name = path.basename(place)): Promise<TreeEntry | null> {
  try {
    const stat = await fs.lstat(place);
    if (!stat.isFile() && !stat.isDirectory()) return null; // Links and devices are not files of a volume.
    return {
      name,
      kind: stat.isFile() ? 'file' : 'folder',
      sizeBytes: stat.isFile() ? stat.size : 0,
      modifiedAtMs: Math.trunc(stat.mtimeMs),
    };
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  }
}
