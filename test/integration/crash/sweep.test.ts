/**
 * Kills the server right before and right after every statement that moves runs, with real tasks in real processes,
 * and reads from the store, the tasks' own ledger and the hosts' journals that no run was lost, doubled or left.
 *
 * HEADRACE_CRASH_USES=3 sweeps each statement's first three uses; HEADRACE_CRASH_ONLY=<pattern of points' names> some.
 */
import { expect, test } from 'vitest';
import { findBreaches } from './checks.ts';
import { type Lane, openLane, type WorkerPlace } from './lane.ts';
import { type CrashPoint, describePoint, exempted, findStatements, pointsOf } from './statements.ts';
import { driveWorkload, makeJobs } from './workload.ts';

const uses = Number(process.env.HEADRACE_CRASH_USES ?? 1);
const only = new RegExp(process.env.HEADRACE_CRASH_ONLY ?? '');
const timeoutMs = uses * 300_000;
/** A point that so many whole workloads do not come by is not reached. */
const workloadsMax = 3;
/** A few, so that what is wrong can be told from what only took long. */
const crashesPerWorkload = 6;

/** Only a worker on another machine asks for these. */
const outsideStatements = [
  'attempts-register-worker-database',
  'attempts-renew-registered-database',
  'attempts-find-registered',
  'attempts-sign-off-database',
];
/** Shared by both, and met in another state. */
const alsoOutside = ['attempts-find-held-by', 'attempts-read-held', 'attempts-find-runs'];

const { names, unreadable } = findStatements();

test('every statement that moves runs is known by its name, and swept or exempted for a reason', () => {
  expect(unreadable).toEqual([]);
  expect(names.length).toBeGreaterThan(40);
  expect(new Set(names).size).toBe(names.length);
  expect(Object.keys(exempted).filter((name) => !names.includes(name))).toEqual([]);
  expect([...outsideStatements, ...alsoOutside].filter((name) => !names.includes(name))).toEqual([]);
});

const inside = names.filter((name) => !(name in exempted) && !outsideStatements.includes(name));

test.concurrent('a crash of the server around any statement loses, doubles and leaves no run', {
  timeout: timeoutMs,
}, async () => {
  // Two lanes: a start of the server keeps a core busy, and then waits.
  const points = pointsOf(inside, { uses });
  const lanes = [0, 1].map((lane) => points.filter((_, index) => (index >> 1) % 2 === lane));
  const swept = await Promise.all(lanes.map((mine) => sweep('inside', mine)));
  expect(swept.flat()).toEqual([]);
});

test.concurrent('nor does one while the worker is a process of its own', { timeout: timeoutMs }, async () => {
  expect(await sweep('outside', pointsOf([...outsideStatements, ...alsoOutside], { uses }))).toEqual([]);
});

/** What was found to be wrong. */
async function sweep(workerPlace: WorkerPlace, points: readonly CrashPoint[]): Promise<string[]> {
  const lane = await openLane(workerPlace);
  const wrong: string[] = [];
  try {
    const jobs = await makeJobs(lane);
    const left = points.filter((point) => only.test(describePoint(point)));
    const startedAt = performance.now();
    let workloads = 0;
    for (let idle = 0; left.length > 0; ) {
      const hitsBefore = lane.hits;
      const crashesBefore = lane.crashes.length;
      armPoints(lane, left);
      if (workerPlace === 'outside') await lane.startWorker();
      const workload = await driveWorkload(lane, jobs, {
        name: `w${workloads}`,
        // What only a start asks, or a report of what an earlier life began, is not come by in peace.
        onHanging: () => idle > 0 && lane.crash(),
      });
      if (workerPlace === 'outside') await lane.stopWorker();
      await lane.disarm();
      const breaches = await findBreaches(lane, jobs, workload);
      workloads += 1;
      const crashes = lane.crashes.slice(crashesBefore);
      const told = breaches.some((breach) => breach.startsWith('journals')) ? lane.tail() : '';
      wrong.push(...breaches.map((breach) => `${breach} [after crashes ${crashes.join(', ')}] ${told}`));
      idle = lane.hits > hitsBefore ? 0 : idle + 1;
      const [stuck] = left;
      if (!stuck || idle < (stuck.nth === 1 ? workloadsMax : 1)) continue;
      // A workload has only so many uses of a statement.
      if (stuck.nth === 1) wrong.push(`not reached: ${describePoint(stuck)}`);
      left.shift();
      idle = 0;
    }
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    console.log(`${workerPlace}: ${lane.crashes.length} crashes, ${workloads} workloads, ${seconds} s`);
  } catch (error) {
    // With the last that the server said: it goes with the folder.
    wrong.push(`${error} [after crashes ${lane.crashes.slice(-10).join(', ')}]\n${lane.tail()}`);
  }
  return [...wrong, ...(await lane.close())];
}

/** One after the other: a point that has been hit makes way for the next at the start that follows. */
function armPoints(lane: Lane, left: CrashPoint[]): void {
  const hitsBefore = lane.hits;
  let hits = hitsBefore;
  lane.arm(() => {
    if (lane.hits > hits) left.shift();
    hits = lane.hits;
    return hits - hitsBefore < crashesPerWorkload ? (left[0] ?? null) : null;
  });
}
