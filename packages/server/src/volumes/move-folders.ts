/**
 * Folders follow names. Who renames or deletes notes in the same transaction where the folder has to go; after the
 * commit it goes, here. A crash between leaves the note, and the next who looks brings it to its end.
 */
import { ApiError } from '@headrace/api';
import { discardInPlace, trashRoot } from '../blobs/discard.ts';
import type { Querier } from '../db/connect.ts';
import type { Loop } from '../loops/driver.ts';
import type { Services } from '../services.ts';
import {
  deleteMove,
  type FolderMove,
  hasMoves,
  hasMoveTo,
  insertMove,
  listExternal,
  lockMovesFrom,
  lockNextMove,
  lockVolumeById,
  type VolumeRow,
} from './store.ts';
import { isTaken, makeLink, moveFolder } from './volume-folder.ts';
import { type VolumeName, volumeKey } from './volume-names.ts';

type Needed = Pick<Services, 'db' | 'blobs' | 'ids' | 'log' | 'clock' | 'config'>;

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
  services: Needed,
  client: Querier,
  { volume, nowMs }: { volume: VolumeRow; nowMs: number },
): Promise<void> {
  const move = { fromKey: volumeKey(nameOf(volume)), toKey: `${trashRoot}/${services.ids.newId()}` };
  await insertMove(client, move, nowMs);
  // Its link goes at once, the folder behind it with the loop of discarded folders.
  if (volume.hasOwnFolder && volume.externalLocation !== null) {
    await discardInPlace(services, client, { key: volume.externalLocation, nowMs });
  }
}

/**
 * After each commit that noted something, and before a name is given again. A folder that cannot be moved holds up
 * nobody else's: it stays noted, and with it the later moves from or to its places.
 */
export async function finishMoves(services: Needed): Promise<void> {
  const { db } = services;
  if (!(await hasMoves(db))) return;
  const stuck = new Set<string>();
  for (let afterId = 0; ; ) {
    const tried = await db.transaction((client) => finishNext(services, client, { afterId, stuck }));
    if (tried === null) return;
    await tried.remove();
    afterId = tried.id;
  }
}

/** Its folder still lies under an old name. */
export async function isOnItsWay(db: Querier, name: VolumeName): Promise<boolean> {
  return hasMoveTo(db, volumeKey(name));
}

interface Tried {
  readonly id: number;
  remove(): Promise<void>;
}

async function finishNext(
  services: Needed,
  client: Querier,
  { afterId, stuck }: { afterId: number; stuck: Set<string> },
): Promise<Tried | null> {
  const move = await lockNextMove(client, afterId);
  if (!move) return null;
  const { id, fromKey, toKey } = move;
  const holdUp = () => {
    stuck.add(fromKey).add(toKey);
    return { id, remove: async () => {} };
  };
  if (stuck.has(fromKey) || stuck.has(toKey)) return holdUp();
  const problem = await carryOut(services, move);
  if (problem === null) return { id, ...(await forgetMove(services, client, move)) };
  services.log.warn({ err: problem, fromKey, toKey }, 'the folder of a volume cannot be moved yet');
  return holdUp();
}

/**
 * In the transaction that gives the key to a new volume: who noted these may be about to carry them out, and would
 * take the new folder. What is returned is called after the commit.
 */
export async function finishMovesFrom(
  services: Needed,
  client: Querier,
  key: string,
): Promise<Pick<Tried, 'remove'>> {
  // A folder on its way to here goes on from here, and may not meet another.
  if (await hasMoveTo(client, key)) throw notFree();
  const done: Pick<Tried, 'remove'>[] = [];
  for (const move of await lockMovesFrom(client, key)) {
    const problem = await carryOut(services, move);
    if (problem !== null) {
      services.log.warn(
        { err: problem, ...move },
        'a name is not given again: its old folder is still there',
      );
      throw notFree();
    }
    done.push(await forgetMove(services, client, move));
  }
  return {
    async remove() {
      for (const each of done) await each.remove();
    },
  };
}

const notFree = () =>
  new ApiError(
    'INVALID_STATE',
    'name: the folder that had this name before cannot be moved away yet; the log says why',
  );

/** What kept the folder from its move; null: nothing. */
async function carryOut({ blobs, log }: Needed, move: FolderMove): Promise<unknown> {
  try {
    const isRemoval = move.toKey.startsWith(`${trashRoot}/`);
    const { aside } = await moveFolder(blobs, { ...move, isRemoval });
    if (aside) log.warn({ ...move, aside }, 'files of no volume were in the way of a volume and went aside');
    return null;
  } catch (error) {
    return error;
  }
}

async function forgetMove(
  services: Needed,
  client: Querier,
  move: FolderMove,
): Promise<Pick<Tried, 'remove'>> {
  await deleteMove(client, move.id);
  if (!move.toKey.startsWith(`${trashRoot}/`)) return { remove: async () => {} };
  return discardInPlace(services, client, { key: move.toKey, nowMs: services.clock.nowMs() });
}

const everyMs = 60_000;
const linksOfPage = 1_000;

/** A task may have removed the link of an external volume, and backups hold no links. */
async function bringBackLinks(services: Needed): Promise<void> {
  const { db, blobs, log } = services;
  for (let after: string | null = null; ; ) {
    const page: VolumeRow[] = await listExternal(db, { after, limit: linksOfPage });
    for (const volume of page) {
      if (await isTaken(blobs, volumeKey(nameOf(volume)))) continue;
      await bringBackLink(services, volume.id).catch((err) =>
        log.warn({ err, volume: volume.id }, 'the link of an external volume is missing and cannot be made'),
      );
    }
    after = page.length < linksOfPage ? null : (page.at(-1)?.id ?? null);
    if (after === null) return;
  }
}

/** Locked: it may be deleted or renamed meanwhile, and its name given to another. */
async function bringBackLink({ db, blobs, log }: Needed, id: string): Promise<void> {
  await db.transaction(async (client) => {
    const volume = await lockVolumeById(client, id);
    if (!volume?.externalLocation) return;
    const key = volumeKey(nameOf(volume));
    if (await isTaken(blobs, key)) return;
    await makeLink(blobs, key, volume.externalLocation);
    log.info({ key }, 'the link of an external volume was missing and is there again');
  });
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
