/**
 * Walks over the folders of all runs, some at a time: folders whose run is gone are discarded, and when the rest is
 * larger than allowed the oldest runs that have ended are taken out of sight.
 */
import { discardInPlace } from '../blobs/discard.ts';
import type { Loop } from '../loops/driver.ts';
import type { Services } from '../services.ts';
import { findKnownRuns, hideRuns } from './store.ts';

const everyMs = 6 * 3_600_000;
const foldersPerTurn = 100;
/** A younger one may belong to a run that is being made; where a store keeps no time, the second walk decides. */
const orphanAfterMs = 3_600_000;
/** Below the limit by a tenth, so that the next run does not start it all over. */
const shrinkTo = 0.9;
const runsPerStatement = 500;

interface Walk {
  /** Still to be looked at. */
  readonly folders: { readonly runId: number; readonly modifiedAtMs: number | null }[];
  readonly sizes: Map<number, number>;
}

export function createRunFilesLoop(services: Services): Loop {
  const { blobs, config } = services;
  let walk: Walk | null = null;
  const unknownBefore = new Set<number>();
  return {
    name: 'run-files',
    everyMs,
    async turn() {
      walk ??= await beginWalk(services);
      await lookAt(walk, services);
      if (walk.folders.length > 0) return 'again';
      const { sizes } = walk;
      walk = null;
      if (config.runFilesBytesMax !== null) await shrink(sizes, config.runFilesBytesMax, services);
      return 'idle';
    },
  };

  async function beginWalk({ blobs }: Services): Promise<Walk> {
    const listed = await blobs.list('attempts');
    const folders = listed.flatMap(({ key, kind, modifiedAtMs }) => {
      const runId = Number(key.split('/')[1]);
      return kind === 'folder' && Number.isSafeInteger(runId) ? [{ runId, modifiedAtMs }] : [];
    });
    return { folders, sizes: new Map() };
  }

  async function lookAt({ folders, sizes }: Walk, { db, clock }: Services): Promise<void> {
    const some = folders.splice(0, foldersPerTurn);
    const known = await findKnownRuns(
      db,
      some.map(({ runId }) => runId),
    );
    const hiddenById = new Map(known.map(({ run_id, is_hidden }) => [run_id, is_hidden]));
    for (const { runId, modifiedAtMs } of some) {
      const isHidden = hiddenById.get(runId);
      if (isHidden !== undefined) {
        // What is on its way out is not counted, or others would go for it.
        if (config.runFilesBytesMax !== null && !isHidden)
          sizes.set(runId, await measure(`attempts/${runId}`));
      } else if (isOrphan(runId, modifiedAtMs, clock.nowMs())) await discardOrphan(runId, services);
    }
  }

  function isOrphan(runId: number, modifiedAtMs: number | null, nowMs: number): boolean {
    if (modifiedAtMs !== null) return modifiedAtMs < nowMs - orphanAfterMs;
    const isSecondLook = unknownBefore.delete(runId);
    if (!isSecondLook) unknownBefore.add(runId);
    return isSecondLook;
  }

  async function measure(folder: string): Promise<number> {
    let bytes = 0;
    for (const { key, kind, sizeBytes } of await blobs.list(folder))
      bytes += kind === 'folder' ? await measure(key) : sizeBytes;
    return bytes;
  }
}

async function discardOrphan(runId: number, services: Services): Promise<void> {
  const { db, clock, log } = services;
  const note = { key: `attempts/${runId}`, nowMs: clock.nowMs() };
  const files = await db.transaction((client) => discardInPlace(services, client, note));
  await files.remove();
  log.info({ run_id: runId }, 'files of a run that is not in the store were removed');
}

/** Ids grow with time: the smallest are the oldest. */
async function shrink(
  sizes: ReadonlyMap<number, number>,
  bytesMax: number,
  { db, clock, log }: Services,
): Promise<void> {
  let bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  if (bytes <= bytesMax) return;
  const oldest = [...sizes].sort(([a], [b]) => a - b);
  let runs = 0;
  while (bytes > bytesMax * shrinkTo && oldest.length > 0) {
    const some: number[] = [];
    let planned = bytes;
    for (const [runId, size] of oldest.slice(0, runsPerStatement)) {
      if (planned <= bytesMax * shrinkTo) break;
      some.push(runId);
      planned -= size;
    }
    oldest.splice(0, some.length);
    const hidden = await hideRuns(db, some, clock.nowMs());
    for (const runId of hidden) bytes -= sizes.get(runId) ?? 0;
    runs += hidden.length;
  }
  log.info({ runs, bytes_max: bytesMax }, 'the files of runs were more than allowed: the oldest runs go');
}
