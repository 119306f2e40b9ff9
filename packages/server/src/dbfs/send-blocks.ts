/**
 * Files that come in blocks. The blocks go into a draft beside the file's place, and closing gives it its name. A row
 * says how far the draft counts: what a block left that failed, the next is written over. A block that was written and
 * whose answer was lost counts: a block has no number, so a second one is taken for another with the same bytes.
 */
import fs from 'node:fs/promises';
import path from 'node:path';
import { ApiError } from '@headrace/api';
import { draftPrefix } from '../blobs/blob-key.ts';
import type { RequestContext } from '../context.ts';
import type { Querier } from '../db/connect.ts';
import { requireRoom } from '../files/disk-room.ts';
import { hasCode } from '../files/file-refusals.ts';
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
    await place.tree.prepare(place.parts, async (target) => {
      const draft = draftOf(target, id);
      // Its name can be guessed: what a task laid there, such as a link to elsewhere, is not written through.
      await fs.rm(draft, { force: true });
      await fs.writeFile(draft, '', { flag: 'wx' });
    });
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
    const wanted = { id: request.handle, principalId: principal.id };
    const { row, place } = await requireHandle(services, client, wanted);
    await withDraft({ row, place }, async ({ file, target }) => {
      await requireRoom(path.dirname(target));
      await file.truncate(row.sizeBytes);
      await writeWhole(file, bytes, row.sizeBytes);
    });
    await updateHandle(client, { id: row.id, sizeBytes: row.sizeBytes + bytes.length }, nowMs);
  });
}

export async function closeHandle(
  services: Services,
  request: { handle: number },
  { principal }: Caller,
): Promise<void> {
  await services.db.transaction(async (client) => {
    const wanted = { id: request.handle, principalId: principal.id };
    const { row, place } = await requireHandle(services, client, wanted);
    await requireWritable(place, row);
    await withDraft({ row, place }, async ({ file, draft, target }) => {
      await file.truncate(row.sizeBytes);
      await file.sync();
      await (row.overwrite ? fs.rename(draft, target) : fs.link(draft, target));
      await fs.rm(draft, { force: true });
    });
    await deleteHandle(client, row.id);
  });
}

interface Sent {
  readonly row: HandleRow;
  readonly place: Place;
}

async function requireHandle(
  services: Services,
  client: Querier,
  wanted: { id: number; principalId: number },
): Promise<Sent> {
  const row = await lockHandle(client, wanted);
  if (!row) throw new ApiError('RESOURCE_DOES_NOT_EXIST', `handle: ${wanted.id} is not open`);
  return { row, place: await findDbfsPlace(services, row.path) };
}

/** Beside the file's place. */
const draftOf = (target: string, id: number) => path.join(path.dirname(target), `${draftPrefix}handle-${id}`);

async function withDraft(
  { row, place }: Sent,
  use: (open: { file: fs.FileHandle; draft: string; target: string }) => Promise<void>,
): Promise<void> {
  await place.tree.hold(place.parts, async (target) => {
    const draft = target === null ? null : draftOf(target, row.id);
    const file = draft === null ? null : await openDraft(draft);
    if (target === null || draft === null || file === null) {
      const text = `handle: what ${row.id} has written is gone, with the folder of ${row.path}; begin again`;
      throw new ApiError('RESOURCE_DOES_NOT_EXIST', text);
    }
    await use({ file, draft, target }).finally(() => file.close());
  });
}

async function openDraft(draft: string): Promise<fs.FileHandle | null> {
  const { O_RDWR, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
  const file = await fs.open(draft, O_RDWR | O_NOFOLLOW | O_NONBLOCK).catch((error) => {
    if (hasCode(error, 'ENOENT', 'ELOOP', 'ENOTDIR', 'EISDIR', 'ENXIO')) return null;
    throw error;
  });
  if (file === null || (await file.stat()).isFile()) return file;
  await file.close();
  return null;
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
    const { tree, parts } = await findDbfsPlace(services, row.path);
    await tree.hold(parts, async (target) => {
      if (target !== null) await fs.rm(draftOf(target, row.id), { force: true });
    });
  } catch (error) {
    // Its volume is gone, and the draft with it.
    if (!(error instanceof ApiError)) throw error;
  }
}
