/**
 * Files below one folder, by the parts of a path. No path leads out of it: not by its own parts, and not through links
 * that a task left there, because each folder on the way is resolved before it is used.
 */
import crypto from 'node:crypto';
import { createWriteStream } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ApiError } from '@headrace/api';
import { draftPrefix, splitKey } from '../blobs/blob-key.ts';

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
  move(from: Parts, to: FileTree, toParts: Parts): Promise<void>;
  /** The place of a path that may be made: what is on the way is there and inside. */
  prepare(parts: Parts): Promise<string>;
}

/** `folder` itself is trusted, and has been resolved. */
export function openFileTree(folder: string): FileTree {
  /** Null when the folder that it would be in is not there. */
  async function resolve(parts: Parts): Promise<string | null> {
    checkParts(parts);
    if (parts.length === 0) return folder;
    const parent = await realpathOrNull(path.join(folder, ...parts.slice(0, -1)));
    if (parent === null || !isWithin(folder, parent)) return null;
    return path.join(parent, parts.at(-1) ?? '');
  }

  async function prepare(parts: Parts): Promise<string> {
    checkParts(parts);
    const parent = path.join(folder, ...parts.slice(0, -1));
    // What exists already of the way must not leave the tree: folders are made only after that.
    for (let existing = parent; existing !== folder; existing = path.dirname(existing)) {
      const real = await realpathOrNull(existing);
      if (real === null) continue;
      if (!isWithin(folder, real)) throw leadsOut(parts);
      break;
    }
    await fs.mkdir(parent, { recursive: true }).catch((error) => {
      throw hasCode(error, 'EEXIST', 'ENOTDIR') ? fileOnTheWay(parts) : error;
    });
    const place = await resolve(parts);
    if (place === null) throw leadsOut(parts);
    return place;
  }

  async function stat(parts: Parts): Promise<TreeEntry | null> {
    const place = await resolve(parts);
    return place === null ? null : readEntry(place);
  }

  return {
    stat,
    prepare,
    open: async (parts) => openFile(await resolve(parts)),
    write: async (parts, content, { overwrite }) => {
      const place = await prepare(parts);
      await placeFile(place, content, { overwrite }).catch((error) => {
        if (hasCode(error, 'EISDIR', 'ENOTEMPTY')) throw isFolder(parts);
        if (hasCode(error, 'ENOSPC', 'EDQUOT', 'EFBIG')) throw diskIsFull(parts);
        throw hasCode(error, 'EEXIST') ? exists(parts) : error;
      });
    },
    async makeFolder(parts) {
      if (parts.length === 0) return;
      await fs.mkdir(await prepare(parts)).catch(async (error) => {
        if (!hasCode(error, 'EEXIST') || (await stat(parts))?.kind !== 'folder')
          throw hasCode(error, 'EEXIST') ? exists(parts) : error;
      });
    },
    async list(parts, { after, limit }) {
      const place = await resolve(parts);
      if (place === null || (await readEntry(place))?.kind !== 'folder') throw isMissing('folder', parts);
      const names = (await fs.readdir(place)).filter((name) => name > after && isShown(name)).sort();
      const found = await Promise.all(
        names.slice(0, limit).map((name) => readEntry(path.join(place, name), name)),
      );
      const lastName = names.length > limit ? (names[limit - 1] ?? null) : null;
      return { entries: found.filter((entry) => entry !== null), lastName };
    },
    async removeFile(parts) {
      const place = await resolve(parts);
      const entry = place === null ? null : await readEntry(place);
      if (place === null || entry === null) throw isMissing('file', parts);
      if (entry.kind === 'folder') throw isFolder(parts);
      await fs.rm(place, { force: true });
    },
    async removeFolder(parts, { recursive }) {
      const place = await resolve(parts);
      if (place === null || (await readEntry(place))?.kind !== 'folder') throw isMissing('folder', parts);
      try {
        await (recursive ? fs.rm(place, { recursive: true, force: true }) : fs.rmdir(place));
        return true;
      } catch (error) {
        if (hasCode(error, 'ENOTEMPTY', 'EEXIST')) return false;
        if (hasCode(error, 'ENOENT')) return true;
        throw error;
      }
    },
    async move(from, to, toParts) {
      const source = await resolve(from);
      if (source === null || (await readEntry(source)) === null) throw isMissing('file', from);
      await fs.rename(source, await to.prepare(toParts));
    },
  };
}

/** Neither of these names is anybody's file: drafts of ours, and a name that is no text. */
const isShown = (name: string) => !name.startsWith(draftPrefix) && !name.includes('\ufffd');

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
    await pipeline(lend(content), createWriteStream(draft, { flags: 'wx', flush: true }));
  } else await fs.writeFile(draft, content, { flag: 'wx', flush: true });
}

/** A pipeline ends its source when its target fails; this one it only leaves. */
async function* lend(content: Readable): AsyncGenerator<Uint8Array> {
  for await (const part of content.iterator({ destroyOnReturn: false })) yield part;
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

async function realpathOrNull(place: string): Promise<string | null> {
  try {
    return await fs.realpath(place);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return null;
    throw error;
  }
}

const isWithin = (root: string, place: string) => place === root || place.startsWith(`${root}${path.sep}`);

function hasCode(error: unknown, ...codes: string[]): boolean {
  return codes.includes((error as NodeJS.ErrnoException).code ?? '');
}

const show = (parts: Parts) => parts.join('/').slice(0, 200);
const leadsOut = (parts: Parts) =>
  new ApiError(
    'INVALID_PARAMETER_VALUE',
    `path: a link on the way to ${show(parts)} leads out of where files may be`,
  );
const fileOnTheWay = (parts: Parts) =>
  new ApiError('INVALID_PARAMETER_VALUE', `path: a file is on the way to ${show(parts)}`);
const exists = (parts: Parts) =>
  new ApiError('RESOURCE_ALREADY_EXISTS', `path: ${show(parts)} exists already`);
/** No passing error: whoever sends a large file would send it again and again. */
const diskIsFull = (parts: Parts) =>
  new ApiError('RESOURCE_LIMIT_EXCEEDED', `the server's disk is full: ${show(parts)} was not written`);
const isFolder = (parts: Parts) =>
  new ApiError('RESOURCE_ALREADY_EXISTS', `path: ${show(parts)} is a folder, not a file`);
const isMissing = (kind: 'file' | 'folder', parts: Parts) =>
  new ApiError('RESOURCE_DOES_NOT_EXIST', `path: there is no ${kind} ${show(parts) || 'there'}`);
