/**
 * Folders follow names. Who renames or deletes notes in the same transaction where the folder has to go; after the
 * commit it goes, here. A crash between leaves the note, and the next who looks brings it to its end.
 */
import { discardInPlace, trashRoot } from '../blobs/discard.ts';
import type { Querier } from '../db/connect.ts';
import type { Loop } from '../loops/driver.ts';
import type { Services } from '../services.ts';
import { deleteMove, hasMoves, insertMove, listExternal, lockFirstMove, type VolumeRow } from './store.ts';
import { isTaken, makeLink, moveFolder } from './volume-folder.ts';
import { type VolumeName, volumeKey } from './volume-names.ts';

type Needed = Pick<Services, 'db' | 'blobs' | 'ids' | 'log' | 'clock'>;

export const nameOf = ({ catalog, schema, name }: VolumeRow): VolumeName => ({
  catalog,
  schema,
  volume: name,
});

export async function noteMove(
  client: Querier,
  { from, to, nowMs }: { from: VolumeName; to: VolumeName; nowMs: number },
): Promise<void> {
  await insertMove(client, { fromKey: volumeKey(from), toKey: volumeKey(to) }, nowMs);
}

export async function noteRemoval(
  { ids }: Pick<Services, 'ids'>,
  client: Querier,
  { volume, nowMs }: { volume: VolumeRow; nowMs: number },
): Promise<void> {
  const move = { fromKey: volumeKey(nameOf(volume)), toKey: `${trashRoot}/${ids.newId()}` };
  await insertMove(client, move, nowMs);
}

/** Before a name is given again, and after each commit that noted something. */
export async function finishMoves(services: Needed): Promise<void> {
  const { db } = services;
  if (!(await hasMoves(db))) return;
  for (let isMore = true; isMore; ) {
    const moved = await db.transaction((client) => finishFirst(services, client));
    isMore = moved !== null;
    await moved?.remove();
  }
}

interface Moved {
  remove(): Promise<void>;
}

async function finishFirst(services: Needed, client: Querier): Promise<Moved | null> {
  const move = await lockFirstMove(client);
  if (!move) return null;
  const { blobs, clock, log } = services;
  const { aside } = await moveFolder(blobs, move);
  if (aside) log.warn({ ...move, aside }, 'files of no volume were in the way of a volume and went aside');
  await deleteMove(client, move.id);
  if (!move.toKey.startsWith(`${trashRoot}/`)) return { remove: async () => {} };
  return discardInPlace(services, client, { key: move.toKey, nowMs: clock.nowMs() });
}

const everyMs = 60_000;
const linksOfTurn = 1_000;

/** A task may have removed the link of an external volume, and backups hold no links. */
async function bringBackLinks({ db, blobs, log }: Needed): Promise<void> {
  for (const volume of await listExternal(db, linksOfTurn)) {
    const key = volumeKey(nameOf(volume));
    if (volume.externalLocation === null || (await isTaken(blobs, key))) continue;
    await makeLink(blobs, key, volume.externalLocation);
    log.info({ key }, 'the link of an external volume was missing and is there again');
  }
}

export function createFolderMovesLoop(services: Services): Loop {
  return {
    name: 'folder-moves',
    everyMs,
    async turn() {
      await finishMoves(services);
      await bringBackLinks(services);
      return 'idle';
    },
  };
}
