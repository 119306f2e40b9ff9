/**
 * Deleting many files takes a while and cannot be undone, so it happens in two steps: in the transaction that forgets
 * them they are noted (and moved aside, where their name is free for others at once); after the commit they go.
 * What a crash leaves is removed by the loop.
 */

import { removeOwnFolder } from '../catalogs/remove-own-folder.ts';
import type { Querier } from '../db/connect.ts';
import type { Loop } from '../loops/driver.ts';
import type { Services } from '../services.ts';
import { deleteDiscarded, insertDiscarded, listDiscarded } from './store.ts';

export const trashRoot = 'trash';

export interface Discarded {
  /** To be called after the commit. Failures are left to the loop. */
  remove(): Promise<void>;
}

type Needed = Pick<Services, 'db' | 'blobs' | 'ids' | 'log' | 'config'>;

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

/** Notes a folder whose name is never used again: it stays where it is until it goes. An absolute path is one in a location. */
export async function discardInPlace(
  services: Needed,
  client: Querier,
  { key, nowMs }: { key: string; nowMs: number },
): Promise<Discarded> {
  await insertDiscarded(client, key, nowMs);
  return { remove: () => removeDiscarded(services, key) };
}

async function removeDiscarded(services: Needed, key: string): Promise<void> {
  const { log } = services;
  try {
    await removeOne(services, key);
  } catch (error) {
    log.warn({ err: error, key }, 'a deleted folder could not be removed yet');
  }
}

async function removeOne(services: Omit<Needed, 'ids'>, key: string): Promise<void> {
  const { db, blobs } = services;
  if (key.startsWith('/')) await removeOwnFolder(services, key);
  else await blobs.deletePrefix(key);
  await deleteDiscarded(db, key);
}

const everyMs = 600_000;
/** Younger ones are still being removed by the request that deleted them. */
const graceMs = 60_000;
const keysMax = 20;

export function createDiscardLoop(services: Services): Loop {
  const { db, clock, log } = services;
  let stuck = 0;
  return {
    name: 'discarded-folders',
    everyMs,
    async turn() {
      const keys = await listDiscarded(db, clock.nowMs() - graceMs, { limit: keysMax, offset: stuck });
      for (const key of keys) {
        await removeOne(services, key).catch((err) => {
          stuck += 1;
          log.warn({ err, key }, 'a deleted folder cannot be removed');
        });
      }
      if (keys.length === keysMax) return 'again';
      const left = stuck;
      stuck = 0;
      // Told when all others are gone: none holds up those after it.
      if (left > 0) throw new Error(`${left} deleted folders cannot be removed: the log says which and why`);
      return 'idle';
    },
  };
}
