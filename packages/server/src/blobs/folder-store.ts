/**
 * The blob store in a folder. A key cannot lead out of it: not by its own parts, which are checked, and not through
 * a symbolic link that a task left there or puts there meanwhile, because each folder is held while it is used.
 */
import crypto from 'node:crypto';
import { createWriteStream } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ApiError } from '@headrace/api';
import { draftPrefix, splitKey } from './blob-key.ts';
import type { BlobRange, BlobStat, BlobStore } from './blob-store.ts';
import { type HeldFolder, holdFolder, prepareFolder, removeEntry } from './held-folder.ts';

export interface FolderStore extends BlobStore {
  /** The folder itself, every link resolved. */
  readonly root: string;
}

export async function openFolderStore(folder: string): Promise<FolderStore> {
  await fs.mkdir(folder, { recursive: true, mode: 0o700 });
  const root = await fs.realpath(folder);
  const locate = (key: string) => path.join(root, ...splitKey(key));

  /** The place of a key, good until `use` ends; null when its folder does not exist, or when a link leads out. */
  async function hold<T>(key: string, use: (place: string | null) => Promise<T>): Promise<T> {
    const parts = splitKey(key);
    const parent = await holdOrNull(path.join(root, ...parts.slice(0, -1)), { root });
    if (parent === null) return use(null);
    return use(`${parent.place}/${parts.at(-1)}`).finally(parent.release);
  }

  /** As `hold`, and makes the folders on the way. */
  async function prepare<T>(key: string, use: (place: string) => Promise<T>): Promise<T> {
    const parts = splitKey(key);
    const parent = await prepareFolder(root, parts.slice(0, -1));
    if (parent === null) throw leadsOut(key);
    return use(`${parent.place}/${parts.at(-1)}`).finally(parent.release);
  }

  return {
    root,
    locate,
    put: (key, content) =>
      prepare(key, (file) => withDraft(file, content, (draft) => fs.rename(draft, file))),
    putIfAbsent: (key, content) =>
      prepare(key, async (file) => {
        try {
          await withDraft(file, content, (draft) => fs.link(draft, file));
          return true;
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
          throw error;
        }
      }),
    async get(key, range) {
      const handle = await hold(key, openFile);
      if (!handle) return null;
      try {
        return range ? await readRange(handle, range) : await handle.readFile();
      } finally {
        await handle.close();
      }
    },
    async stream(key) {
      return (await hold(key, openFile))?.createReadStream() ?? null; // The stream closes the file when it ends.
    },
    stat: (key) => hold(key, async (place) => (place === null ? null : readStat(place, key))),
    list: (key) =>
      hold(key, (place) => (place === null ? Promise.resolve([]) : listFolder(place, root, key))),
    async makeFolder(key) {
      const made = await prepareFolder(root, splitKey(key));
      if (made === null) throw leadsOut(key);
      await made.release();
    },
    rename: (from, to) =>
      hold(from, async (source) => {
        if (source === null) throw new Error(`there is no blob ${from}`);
        await prepare(to, (target) => fs.rename(source, target));
      }),
    deletePrefix: (key) =>
      hold(key, async (place) => {
        if (place !== null) await removeEntry(place, { root });
      }),
  };
}

/** Null when it is not there, or outside. */
async function holdOrNull(
  place: string,
  options: { root: string; followLink?: boolean },
): Promise<HeldFolder | null> {
  return holdFolder(place, options).catch((error) => {
    if (isMissing(error) || (error as NodeJS.ErrnoException).code === 'ELOOP') return null;
    throw error;
  });
}

async function listFolder(place: string, root: string, key: string): Promise<readonly BlobStat[]> {
  const folder = await holdOrNull(place, { root, followLink: false });
  if (folder === null) return [];
  try {
    const names = (await fs.readdir(folder.place)).filter((name) => !name.startsWith(draftPrefix)).sort();
    const stats = await Promise.all(
      names.map((name) => readStat(path.join(folder.place, name), `${key}/${name}`)),
    );
    return stats.filter((stat) => stat !== null);
  } finally {
    await folder.release();
  }
}

/** Writes the content beside its place; `place` makes a file of it there, or throws. No draft stays behind. */
async function withDraft(
  file: string,
  content: Uint8Array | Readable,
  place: (draft: string) => Promise<void>,
): Promise<void> {
  const draft = path.join(path.dirname(file), `${draftPrefix}${crypto.randomBytes(8).toString('hex')}`);
  try {
    if (content instanceof Readable) await pipeline(content, createWriteStream(draft, { flags: 'wx' }));
    else await fs.writeFile(draft, content, { flag: 'wx' });
    await place(draft);
  } finally {
    await fs.rm(draft, { force: true });
  }
}

/** Opened without following a link in the last part, or waiting on a pipe; null when it is no file. */
async function openFile(file: string | null): Promise<fs.FileHandle | null> {
  if (file === null) return null;
  try {
    const handle = await fs.open(
      file,
      fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK,
    );
    if ((await handle.stat()).isFile()) return handle;
    await handle.close();
    return null;
  } catch (error) {
    if (isMissing(error) || (error as NodeJS.ErrnoException).code === 'ELOOP') return null;
    throw error;
  }
}

const leadsOut = (key: string) =>
  new ApiError(
    'INVALID_PARAMETER_VALUE',
    `${key.slice(0, 200)}: a link on the way leads out of the data folder`,
  );

async function readStat(file: string, key: string): Promise<BlobStat | null> {
  try {
    const stat = await fs.lstat(file);
    if (!stat.isFile() && !stat.isDirectory()) return null; // Links and devices are not blobs.
    return {
      key,
      kind: stat.isFile() ? 'file' : 'folder',
      sizeBytes: stat.isFile() ? stat.size : 0,
      modifiedAtMs: Math.trunc(stat.mtimeMs),
    };
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

async function readRange(handle: fs.FileHandle, { offset, length }: BlobRange): Promise<Buffer> {
  const { size } = await handle.stat();
  const buffer = Buffer.alloc(Math.max(0, Math.min(length, size - offset)));
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
}
