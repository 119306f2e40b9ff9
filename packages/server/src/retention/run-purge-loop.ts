/**
 * Removes what runs out of sight leave behind: rows first, in small statements, the run's own last, together with a
 * note about its files; then the files. Whatever a crash leaves is found again by the row or by the note.
 */
import { discardInPlace } from '../blobs/discard.ts';
import type { Loop } from '../loops/driver.ts';
import type { Services } from '../services.ts';
import { dayMs } from './run-retention-loop.ts';
import {
  allPartsOfRuns,
  deleteHiddenRun,
  deletePartOfRun,
  findHiddenRuns,
  type HiddenRun,
  mayRemoveFiles,
} from './store.ts';

const everyMs = 300_000;
/** A worker may still be writing the last lines of a run that ended a moment ago. */
const graceMs = 300_000;
const runsPerTurnMax = 50;
const rowsPerStatement = 2_000;
/** A turn of the largest run takes a second or two, and others get their turn in between. */
const rowsPerTurnMax = 50_000;

export function createRunPurgeLoop(services: Services): Loop {
  const { db, clock, config } = services;
  return {
    name: 'run-purge',
    everyMs,
    async turn() {
      const nowMs = clock.nowMs();
      const hidden = await findHiddenRuns(db, {
        hiddenBeforeMs: nowMs - graceMs,
        createdBeforeMs: nowMs - config.runsKeptDays * dayMs,
        limit: runsPerTurnMax,
      });
      let rowsLeft = rowsPerTurnMax;
      for (const run of hidden) {
        rowsLeft = await purgeParts(services, run, rowsLeft);
        if (rowsLeft <= 0) return 'again';
        if (!(await purgeRun(services, run))) return 'idle';
      }
      return hidden.length === runsPerTurnMax ? 'again' : 'idle';
    },
  };
}

/** Returns how many rows the turn may still delete; with none left the run is not finished. */
async function purgeParts({ db }: Services, { run_id }: HiddenRun, rowsMax: number): Promise<number> {
  let rowsLeft = rowsMax;
  for (const part of allPartsOfRuns) {
    for (let deleted = rowsPerStatement; deleted === rowsPerStatement && rowsLeft > 0; rowsLeft -= deleted) {
      deleted = await deletePartOfRun(db, part, { runId: run_id, limit: rowsPerStatement });
    }
  }
  return rowsLeft;
}

/** False while a backup is being made: it has read the rows and is still to copy the files. */
async function purgeRun(services: Services, run: HiddenRun): Promise<boolean> {
  const { db, clock, log } = services;
  const files = await db.transaction(async (client) => {
    if (!(await mayRemoveFiles(client))) return null;
    const noted = await discardInPlace(services, client, {
      key: `attempts/${run.run_id}`,
      nowMs: clock.nowMs(),
    });
    await deleteHiddenRun(client, run);
    return noted;
  });
  if (files === null) return false;
  await files.remove();
  log.info({ run_id: run.run_id }, 'a run that was kept long enough, or deleted, is gone');
  return true;
}
