/**
 * Environments of libraries are made once for each content and used again (python: environments/cache.py). Those that
 * nothing has used for as long as runs are kept go, and beyond a size those used longest ago, never one that a live
 * attempt uses; and what an installation that was cut short left behind. Whoever wants one again makes it anew.
 */
import path from 'node:path';
import type { Loop } from '../loops/driver.ts';
import type { Services } from '../services.ts';
import {
  type Environment,
  forgetRequests,
  forgetUsers,
  readEnvironment,
  readUsers,
} from './read-environments.ts';
import { dayMs } from './run-retention-loop.ts';
import { findLiveAttempts, isAnythingHeld } from './store.ts';

const folder = 'libraries';
const everyMs = 6 * 3_600_000;
/** The longest installation ends by far before. */
const leftoverAfterMs = dayMs;
/** Of all environments together: one with a machine learning framework takes 2–5 GiB. */
const librariesBytesMax = 20 * 1024 ** 3;
/** For its size alone none goes that was wanted so lately: its attempt may be on the way to its mark. */
const usedLatelyMs = 3_600_000;

export function createLibrariesLoop({ db, blobs, clock, config, log }: Services): Loop {
  return {
    name: 'libraries',
    everyMs,
    async turn() {
      const root = blobs.locate(folder);
      const nowMs = clock.nowMs();
      const environments: Environment[] = [];
      const isQuiet = !(await isAnythingHeld(db));
      for (const { key, modifiedAtMs } of await blobs.list(folder)) {
        const name = path.basename(key);
        if (modifiedAtMs === null) continue;
        if (name.startsWith('.installing-')) {
          if (modifiedAtMs < nowMs - leftoverAfterMs) await blobs.deletePrefix(key);
        } else if (!name.startsWith('.')) {
          environments.push(await readEnvironment(root, name, { modifiedAtMs, isQuiet, nowMs }));
        }
      }
      const marked = environments.flatMap(({ users }) => users);
      const live = new Set(await findLiveAttempts(db, marked));
      for (const environment of findUnneeded(environments, live, nowMs)) await remove(root, environment);
      await forgetRequests(root);
      for (const { name, users } of environments) {
        const ended = users.filter((user) => !live.has(user));
        await forgetUsers(root, name, ended).catch(() => undefined); // it went
      }
      return 'idle';
    },
  };

  function findUnneeded(
    environments: readonly Environment[],
    live: ReadonlySet<number>,
    nowMs: number,
  ): Environment[] {
    const unneeded: Environment[] = [];
    let keptBytes = 0;
    // Those used last are kept first.
    for (const environment of environments.toSorted((a, b) => b.usedAtMs - a.usedAtMs)) {
      const { usedAtMs, sizeBytes, users } = environment;
      const isOld = usedAtMs < nowMs - config.runsKeptDays * dayMs;
      const isBeyond = keptBytes + sizeBytes > librariesBytesMax && usedAtMs < nowMs - usedLatelyMs;
      if ((isOld || isBeyond) && !users.some((user) => live.has(user))) unneeded.push(environment);
      else keptBytes += sizeBytes;
    }
    return unneeded;
  }

  async function remove(root: string, { name, users }: Environment): Promise<void> {
    // Aside first: a task either finds it whole or not at all.
    const aside = `${folder}/.installing-removed-${name}`;
    await blobs.rename(`${folder}/${name}`, aside);
    const later = await readUsers(root, name);
    if (later.some((user) => !users.includes(user))) {
      // Somebody marked it while we looked.
      await blobs.rename(aside, `${folder}/${name}`);
      return;
    }
    await blobs.deletePrefix(aside);
    await blobs.deletePrefix(`${folder}/.uses/${name}`);
    log.info({ environment: name }, 'libraries that nothing uses were removed');
  }
}
