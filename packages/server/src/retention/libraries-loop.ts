/**
 * Libraries are installed once for each content and used again. Those that nothing has used for as long as runs are
 * kept go, and what an installation that was cut short left behind. The next task that wants one installs it anew.
 */
import fs from 'node:fs/promises';
import path from 'node:path';
import type { Loop } from '../loops/driver.ts';
import type { Services } from '../services.ts';
import { dayMs } from './run-retention-loop.ts';
import { isAnythingHeld } from './store.ts';

const folder = 'libraries';
const everyMs = 6 * 3_600_000;
/** The longest installation ends by far before. */
const leftoverAfterMs = dayMs;

export function createLibrariesLoop({ db, blobs, clock, config, log }: Services): Loop {
  return {
    name: 'libraries',
    everyMs,
    async turn() {
      const nowMs = clock.nowMs();
      const isQuiet = !(await isAnythingHeld(db));
      for (const { key, modifiedAtMs } of await blobs.list(folder)) {
        if (modifiedAtMs === null) continue;
        const isLeftover = key.startsWith(`${folder}/.installing-`);
        const isOld = isLeftover
          ? modifiedAtMs < nowMs - leftoverAfterMs
          : await isUnused(key, { beforeMs: nowMs - config.runsKeptDays * dayMs, modifiedAtMs, isQuiet });
        if (!isOld) continue;
        // Aside first: a task either finds it whole or not at all.
        const aside = `${folder}/.installing-removed-${path.basename(key)}`;
        await blobs.rename(key, aside);
        await blobs.deletePrefix(aside);
        log.info({ key }, 'a library that nothing uses was removed');
      }
      return 'idle';
    },
  };

  /** By when it was last read. A file system that does not keep that is only trusted while no task runs. */
  async function isUnused(
    key: string,
    of: { readonly beforeMs: number; readonly modifiedAtMs: number; readonly isQuiet: boolean },
  ): Promise<boolean> {
    if (of.modifiedAtMs >= of.beforeMs) return false;
    const { atimeMs } = await fs.stat(blobs.locate(key));
    if (atimeMs >= of.beforeMs) return false;
    return of.isQuiet || atimeMs > of.modifiedAtMs;
  }
}
