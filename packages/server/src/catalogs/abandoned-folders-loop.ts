import type { Loop } from '../loops/driver.ts';
import type { Services } from '../services.ts';
import { takeAbandoned } from './chosen-store.ts';
import { discardManaged, removeAll } from './discard-managed.ts';

const everyMs = 600_000;
/** What an attempt had sent when it ended has arrived by then. */
const graceMs = 600_000;
/** Of clients that are no tasks nobody knows whether they still write: longer than any statement takes. */
const strangersMs = 14 * 24 * 3_600_000;
const foldersOfTurn = 20;

/** The files of a CREATE TABLE that was killed, or failed, before the table had its name. */
export function createAbandonedFoldersLoop(services: Services): Loop {
  const { db, clock } = services;
  return {
    name: 'abandoned-folders',
    everyMs,
    async turn() {
      const nowMs = clock.nowMs();
      const work = db.transaction(async (client) => {
        const limits = { untilMs: nowMs - graceMs, longAgoMs: nowMs - strangersMs, limit: foldersOfTurn };
        const folders = await takeAbandoned(client, limits);
        const tables = folders.map((folder) => ({ tableType: 'MANAGED' as const, storageLocation: folder }));
        return { count: folders.length, discarded: await discardManaged(services, client, tables, nowMs) };
      });
      const { count, discarded } = await work;
      await removeAll(discarded);
      return count === foldersOfTurn ? 'again' : 'idle';
    },
  };
}
