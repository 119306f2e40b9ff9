/**
 * Deleting many files takes a while and cannot be undone, so it happens in two steps: in the transaction that forgets
 * them they are noted (and moved aside, where their name is free for others at once); after the commit they go.
 * What a crash leaves is removed by the loop.
 */
import type { Querier } from '../db/connect.ts';
import type { Loop } from '../loops/driver.ts';
import type { Services } from '../services.ts';
import type { BlobStore } from './blob-store.ts';
import { deleteDiscarded, insertDiscarded, listDiscarded } from './store.ts';

export const trashRoot = 'trash';

export interface Discarded {
  /** To be called after the commit. Failures are left to the loop. */
  remove(): Promise<void>;
}

type Needed = Pick<Services, 'db' | 'blobs' | 'ids' | 'log'>;

/** Moves the key aside and notes it for removal. */
export async function discardFolder(
  services: Needed,
  client: Querier,
  { key, nowMs }: { key: string; nowMs: number },
): Promise<Discarded> {
  const trashKey = `${trashRoot}/${services.ids.newId()}`;
  await insertDiscarded(client, trashKey, nowMs);
  if (await services.blobs.stat(key)) await services.blobs.rename(key, trashKey);
  return { remove: () => removeDiscarded(services, trashKey) };
}

/** Notes a folder whose name is never used again: it stays where it is until it goes. */
export async function discardInPlace(
  services: Needed,
  client: Querier,
  { key, nowMs }: { key: string; nowMs: number },
): Promise<Discarded> {
  await insertDiscarded(client, key, nowMs);
  return { remove: () => removeDiscarded(services, key) };
}

async function removeDiscarded({ db, blobs, log }: Needed, key: string): Promise<void> {
  try {
    await removeOne(db, blobs, key);
  } catch (error) {
    log.warn({ err: error, key }, 'a deleted folder could not be removed yet');
  }
}

async function removeOne(db: Querier, blobs: BlobStore, key: string): Promise<void> {
  await blobs.deletePrefix(key);
  await deleteDiscarded(db, key);
}

const everyMs = 600_000;
/** Younger ones are still being removed by the request that deleted them. */
const graceMs = 60_000;
const keysMax = 20;

export function createDiscardLoop({ db, blobs, clock }: Services): Loop {
  return {
    name: 'discarded-folders',
    everyMs,
    async turn() {
      const keys = await listDiscarded(db, clock.nowMs() - graceMs, keysMax);
      for (const key of keys) await removeOne(db, blobs, key);
      return keys.length === keysMax ? 'again' : 'idle';
    },
  };
}
