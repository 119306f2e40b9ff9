/**
 * Files that come in blocks. The blocks go into a draft beside the file's place, and closing gives it its name. A row
 * says how far the draft counts: a block that was not answered is written again over what it left.
 */
import fs from 'node:fs/promises';
import path from 'node:path';
import { ApiError } from '@headrace/api';
import { draftPrefix } from '../blobs/blob-key.ts';
import type { RequestContext } from '../context.ts';
import type { Querier } from '../db/connect.ts';
import type { Place } from '../files/find-place.ts';
import type { Loop } from '../loops/driver.ts';
import type { Services } from '../services.ts';
import { decodeBlock, requireWritable } from './change-dbfs.ts';
import { findDbfsPlace } from './dbfs-place.ts';
import {
  countHandles,
  deleteHandle,
  type HandleRow,
  insertHandle,
  lockHandle,
  lockIdleHandles,
  updateHandle,
} from './store.ts';
import { writeWhole } from './write-whole.ts';

type Caller = Pick<RequestContext, 'principal' | 'nowMs'>;

/** Far beyond what a program keeps open; one that closes none is told so before it fills the disk with drafts. */
const handlesMax = 1_000;

export async function createHandle(
  services: Services,
  request: { path: string; overwrite: boolean },
  { principal, nowMs }: Caller,
): Promise<number> {
  const place = await findDbfsPlace(services, request.path);
  await requireWritable(place, request);
  if ((await countHandles(services.db, principal.id)) >= handlesMax) {
    const text = `${handlesMax} files are open already; dbfs/close ends one`;
    throw new ApiError('RESOURCE_LIMIT_EXCEEDED', text);
  }
  return services.db.transaction(async (client) => {
    const row = { principalId: principal.id, path: place.shown, overwrite: request.overwrite };
    const id = await insertHandle(client, row, nowMs);
    const draft = await draftOf(place, id);
    // Its name can be guessed: what a task laid there, such as a link to elsewhere, is not written through.
    await fs.rm(draft, { recursive: true, force: true });
    await fs.writeFile(draft, '', { flag: 'wx' });
    return id;
  });
}

export async function addBlock(
  services: Services,
  request: { handle: number; data: string },
  { principal, nowMs }: Caller,
): Promise<void> {
  const bytes = decodeBlock('data', request.data);
  await services.db.transaction(async (client) => {
    const { row, draft } = await requireHandle(services, client, {
      id: request.handle,
      principalId: principal.id,
    });
    const file = await openDraft(draft, row);
    try {
      await file.truncate(row.sizeBytes);
      await writeWhole(file, bytes, row.sizeBytes);
    } finally {
      await file.close();
    }
    await updateHandle(client, { id: row.id, sizeBytes: row.sizeBytes + bytes.length }, nowMs);
  });
}

export async function closeHandle(
  services: Services,
  request: { handle: number },
  { principal }: Caller,
): Promise<void> {
  await services.db.transaction(async (client) => {
    const found = await requireHandle(services, client, { id: request.handle, principalId: principal.id });
    const { row, place, draft } = found;
    const file = await openDraft(draft, row);
    try {
      await file.truncate(row.sizeBytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await requireWritable(place, row);
    const target = await place.tree.prepare(place.parts);
    await (row.overwrite ? fs.rename(draft, target) : fs.link(draft, target)).catch((error) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      throw new ApiError('RESOURCE_ALREADY_EXISTS', `path: ${row.path} exists already`);
    });
    await fs.rm(draft, { force: true });
    await deleteHandle(client, row.id);
  });
}

async function requireHandle(
  services: Services,
  client: Querier,
  wanted: { id: number; principalId: number },
): Promise<{ row: HandleRow; place: Place; draft: string }> {
  const row = await lockHandle(client, wanted);
  if (!row) throw new ApiError('RESOURCE_DOES_NOT_EXIST', `handle: ${wanted.id} is not open`);
  const place = await findDbfsPlace(services, row.path);
  return { row, place, draft: await draftOf(place, row.id) };
}

async function draftOf({ tree, parts }: Place, id: number): Promise<string> {
  return path.join(path.dirname(await tree.prepare(parts)), `${draftPrefix}handle-${id}`);
}

async function openDraft(draft: string, { id, path: shown }: HandleRow): Promise<fs.FileHandle> {
  const { O_RDWR, O_NOFOLLOW } = fs.constants;
  return fs.open(draft, O_RDWR | O_NOFOLLOW).catch((error: NodeJS.ErrnoException) => {
    if (!['ENOENT', 'ELOOP', 'ENOTDIR'].includes(error.code ?? '')) throw error;
    const text = `handle: what ${id} has written is gone, with the folder of ${shown}; begin again`;
    throw new ApiError('RESOURCE_DOES_NOT_EXIST', text);
  });
}

const everyMs = 600_000;
/** Nobody sends a block so slowly. */
const idleMsMax = 3_600_000;
const handlesOfTurn = 100;

/** What programs began and never closed. */
export function createHandlesLoop(services: Services): Loop {
  const { db, clock, log } = services;
  return {
    name: 'dbfs-handles',
    everyMs,
    async turn() {
      const removed = await db.transaction(async (client) => {
        const rows = await lockIdleHandles(client, clock.nowMs() - idleMsMax, handlesOfTurn);
        for (const row of rows) {
          await removeDraft(services, row).catch((err) =>
            log.warn({ err, path: row.path }, 'a draft is left'),
          );
          await deleteHandle(client, row.id);
        }
        return rows.length;
      });
      return removed === handlesOfTurn ? 'again' : 'idle';
    },
  };
}

async function removeDraft(services: Services, row: HandleRow): Promise<void> {
  try {
    await fs.rm(await draftOf(await findDbfsPlace(services, row.path), row.id), { force: true });
  } catch (error) {
    // Its volume is gone, and the draft with it.
    if (!(error instanceof ApiError)) throw error;
  }
}
