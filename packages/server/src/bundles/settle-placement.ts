/**
 * Files are put in place within the transaction that commits a version, but bytes know no transactions. So what stands at
 * their places is kept and noted first; the note goes with the commit. Where a note is left and nobody is committing, the
 * commit did not happen, and everything is put back as it was.
 */
import { discardInPlace } from '../blobs/discard.ts';
import type { Querier } from '../db/connect.ts';
import type { Loop } from '../loops/driver.ts';
import type { Services } from '../services.ts';
import { lockObjectsAt, type StandingObject } from '../workspace/place-objects.ts';
import { toBlobKey } from '../workspace/workspace-path.ts';
import { deletePlacement, listPlacements, type PlacementRow, readPlacement } from './content-store.ts';
import { forEachAtOnce } from './for-each-at-once.ts';
import { lockDeployment, tryLockDeployment } from './lock-store.ts';

export type PlacementServices = Pick<Services, 'db' | 'blobs' | 'ids' | 'log' | 'clock' | 'config'>;

/** Where bytes of a deployment lie that no version names. */
export function beforeKey(deploymentId: number, placementId: number): string {
  return `bundles/${deploymentId}/before/${placementId}`;
}

/** Waits for a commit that is under way. */
export async function settlePlacement(services: PlacementServices, deploymentId: number): Promise<void> {
  if (await readPlacement(services.db, deploymentId)) await settle(services, deploymentId, lockDeployment);
}

/** False when somebody is committing, and nothing is known. */
async function settle(
  services: PlacementServices,
  deploymentId: number,
  lock: typeof tryLockDeployment,
): Promise<boolean> {
  const discarded = await services.db.transaction(async (client) => {
    if (!(await lock(client, deploymentId))) return 'locked';
    const placement = await readPlacement(client, deploymentId);
    if (!placement) return null;
    await putBack(services, client, placement);
    await deletePlacement(client, placement);
    services.log.info({ deployment_id: deploymentId }, 'files of a deployment that broke off were put back');
    const key = beforeKey(deploymentId, placement.placementId);
    return discardInPlace(services, client, { key, nowMs: services.clock.nowMs() });
  });
  if (discarded === 'locked') return false;
  await discarded?.remove();
  return true;
}

async function putBack(services: PlacementServices, client: Querier, { files }: PlacementRow): Promise<void> {
  const paths = files.map(({ path }) => path);
  const standing = await lockObjectsAt(client, paths);
  // First what has come: a file stands where a folder was, or a folder where a file was.
  await forEachAtOnce(files, ({ path, before }) =>
    before === null ? takeAway(services, path, standing.get(path)) : Promise.resolve(),
  );
  await forEachAtOnce(files, async ({ path, before }) => {
    const row = standing.get(path);
    // Somebody has written or deleted there since: what they did stays.
    if (before === null || row?.isFolder || (row?.modifiedAtMs ?? null) !== before.modifiedAtMs) return;
    const bytes = await services.blobs.get(before.key);
    if (bytes) await putFile(services, toBlobKey(path), bytes);
  });
}

async function takeAway({ blobs }: PlacementServices, path: string, row?: StandingObject): Promise<void> {
  const key = toBlobKey(path);
  if (row && !row.isFolder) return;
  if (!row) return blobs.deletePrefix(key);
  if ((await blobs.stat(key))?.kind !== 'file') return;
  await blobs.deletePrefix(key);
  await blobs.makeFolder(key);
}

async function putFile({ blobs }: PlacementServices, key: string, bytes: Buffer): Promise<void> {
  // By its row it is a file, so the workspace has nothing below it.
  if ((await blobs.stat(key))?.kind === 'folder') await blobs.deletePrefix(key);
  await blobs.put(key, bytes);
}

const everyMs = 30_000;
const settledMax = 20;

export function createPlacementLoop(services: PlacementServices): Loop {
  const { db, log } = services;
  let passed = 0;
  let stuck = 0;
  return {
    name: 'bundle-placements',
    everyMs,
    async turn() {
      const left = await listPlacements(db, { limit: settledMax, offset: passed });
      for (const deploymentId of left) {
        const isSettled = await settle(services, deploymentId, tryLockDeployment).catch((err) => {
          stuck += 1;
          log.warn({ err, deployment_id: deploymentId }, 'files of a deployment cannot be put back');
          return false;
        });
        if (!isSettled) passed += 1;
      }
      if (left.length === settledMax) return 'again';
      const count = stuck;
      passed = 0;
      stuck = 0;
      // Told when all others are settled: none holds up those after it.
      if (count > 0) throw new Error(`files of ${count} deployments cannot be put back: the log says why`);
      return 'idle';
    },
  };
}
