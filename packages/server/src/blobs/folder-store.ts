/**
 * The blob store in a folder. A key cannot lead out of it: not by its own parts, which are checked, and not through
 * a symbolic link that a task left there, because every folder on the way is resolved first.
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
import { isWithin } from './is-within.ts';

export interface FolderStore extends BlobStore {
  /** The folder itself, every link resolved. */
  readonly root: string;
}

export async function openFolderStore(folder: string): Promise<FolderStore> {
  await fs.mkdir(folder, { recursive: true, mode: 0o700 });
  const root = await fs.realpath(folder);
  const locate = (key: string) => path.join(root, ...splitKey(key));

  /** The real path of a key whose folder exists; null when it does not, or when a link leads out. */
  async function resolveExisting(key: string): Promise<string | null> {
    const parts = splitKey(key);
    const parent = await realpathOrNull(path.join(root, ...parts.slice(0, -1)));
    if (parent === null || !isWithin(root, parent)) return null;
    return path.join(parent, parts.at(-1) ?? '');
  }

  async function prepare(key: string): Promise<string> {
    const parts = splitKey(key);
    const parent = path.join(root, ...parts.slice(0, -1));
    await refuseOutside(root, parent, key);
    await fs.mkdir(parent, { recursive: true });
    const resolved = await resolveExisting(key);
    if (resolved === null) throw leadsOut(key);
    return resolved;
  }

  return {
    root,
    locate,
    put: async (key, content) => {
      const file = await prepare(key);
      await withDraft(file, content, (draft) => fs.rename(draft, file));
    },
    putIfAbsent: async (key, content) => {
      const file = await prepare(key);
      try {
        await withDraft(file, content, (draft) => fs.link(draft, file));
        return true;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
        throw error;
      }
    },
    async get(key, range) {
      const handle = await openFile(await resolveExisting(key));
      if (!handle) return null;
      try {
        return range ? await readRange(handle, range) : await handle.readFile();
      } finally {
        await handle.close();
      }
    },
    async stream(key) {
      return (await openFile(await resolveExisting(key)))?.createReadStream() ?? null; // The stream closes the file when it ends.
    },
    async stat(key) {
      const file = await resolveExisting(key);
      return file === null ? null : readStat(file, key);
    },
    async list(key) {
      const parent = await resolveExisting(key);
      if (parent === null || (await readStat(parent, key))?.kind !== 'folder') return [];
      const names = (await fs.readdir(parent)).filter((name) => !name.startsWith(draftPrefix)).sort();
      const stats = await Promise.all(
        names.map((name) => readStat(path.join(parent, name), `${key}/${name}`)),
      );
      return stats.filter((stat) => stat !== null);
    },
    async makeFolder(key) {
      await fs.mkdir(await prepare(key), { recursive: true });
    },
    async rename(from, to) {
      const source = await resolveExisting(from);
      if (source === null) throw new Error(`there is no blob ${from}`);
      await fs.rename(source, await prepare(to));
    },
    async deletePrefix(key) {
      const target = await resolveExisting(key);
      if (target !== null) await fs.rm(target, { recursive: true, force: true });
    },
  };
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

/** Before folders are made: the part of the way that exists already must not leave the root. */
async function refuseOutside(root: string, folder: string, key: string): Promise<void> {
  for (let existing = folder; existing.length >= root.length; existing = path.dirname(existing)) {
    const real = await realpathOrNull(existing);
    if (real === null) continue;
    if (!isWithin(root, real)) throw leadsOut(key);
    return;
  }
}

const leadsOut = (key: string) =>
  new ApiError(
    'INVALID_PARAMETER_VALUE',
    `${key.slice(0, 200)}: a link on the way leads out of the data folder`,
  );

async function realpathOrNull(file: string): Promise<string | null> {
  try {
    return await fs.realpath(file);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

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
