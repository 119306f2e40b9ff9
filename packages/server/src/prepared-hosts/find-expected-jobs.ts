/** Which jobs will probably be started within minutes. */
import {
  type ExpectedStart,
  expectByHabit,
  expectBySchedule,
  habitWindows,
  parseCron,
  ZoneOffsets,
} from '@headrace/core';
import type { Querier } from '../db/connect.ts';
import {
  type ClientStart,
  type ExpectedJobRow,
  findLatestStarts,
  listClientStarts,
  listScheduledJobs,
  readJobs,
} from './store.ts';

export interface ExpectedJob {
  readonly job: ExpectedJobRow;
  readonly expected: ExpectedStart;
  readonly isMet: boolean;
}

/** Between two pages others have their turn: finding when a schedule fires takes some 10 µs. */
const pageSize = 500;
/** 20,000 scheduled jobs; of more, those that were made last are not prepared for. */
const pagesMax = 40;
/** More would not fit any budget. */
const expectedMax = 200;
/** Of a quarter of an hour of a day. */
const startsMax = 2_000;

/** At most so old: what clients did on the days before is read seldom. */
export interface HabitMemory {
  readAtMs: number;
  starts: readonly ClientStart[];
}

export const noHabits = (): HabitMemory => ({ readAtMs: Number.NEGATIVE_INFINITY, starts: [] });
const habitsEveryMs = 120_000;

export async function findExpectedJobs(
  db: Querier,
  habits: HabitMemory,
  nowMs: number,
): Promise<ExpectedJob[]> {
  const scheduled = await findScheduled(db, nowMs);
  const isStale = nowMs < habits.readAtMs || nowMs - habits.readAtMs >= habitsEveryMs;
  if (isStale) {
    habits.starts = await listClientStarts(db, habitWindows(nowMs, habitsEveryMs), startsMax);
    habits.readAtMs = nowMs;
  }
  const byJob = Map.groupBy(habits.starts, ({ jobId }) => jobId);
  // One start is no habit.
  const habitual = [...byJob].filter(([jobId, starts]) => starts.length > 1 && !scheduled.known.has(jobId));
  const soonest = [...scheduled.soon].sort(([, a], [, b]) => a.fromMs - b.fromMs).slice(0, expectedMax);
  const soon = new Map(soonest);
  const jobIds = [...soon.keys(), ...habitual.slice(0, expectedMax).map(([jobId]) => jobId)];
  if (jobIds.length === 0) return [];
  const jobs = await readJobs(db, jobIds);
  const found = jobs.flatMap((job) => {
    const startsMs = (byJob.get(job.jobId) ?? []).map(({ atMs }) => atMs);
    const expected =
      soon.get(job.jobId) ?? expectByHabit({ startsMs, jobCreatedAtMs: job.createdAtMs }, nowMs);
    return expected === null ? [] : [{ job, expected }];
  });
  const latest = await latestByJob(
    db,
    found.map(({ job }) => job.jobId),
  );
  return found.map(({ job, expected }) => ({
    ...{ job, expected },
    isMet: (latest.get(job.jobId) ?? Number.NEGATIVE_INFINITY) >= expected.metFromMs,
  }));
}

async function findScheduled(
  db: Querier,
  nowMs: number,
): Promise<{ soon: Map<number, ExpectedStart>; known: Set<number> }> {
  const soon = new Map<number, ExpectedStart>();
  const known = new Set<number>();
  let afterId = -1;
  for (let page = 0; page < pagesMax; page += 1) {
    const rows = await listScheduledJobs(db, { afterId, limit: pageSize });
    for (const { jobId, expression, zoneName } of rows) {
      known.add(jobId);
      const cron = parseCron(expression);
      const zone = ZoneOffsets.of(zoneName);
      // It was readable when it was saved.
      if (typeof cron === 'string' || zone === null) continue;
      const expected = expectBySchedule(cron, zone, nowMs);
      if (expected !== null) soon.set(jobId, expected);
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < pageSize) break;
    afterId = last.jobId;
  }
  return { soon, known };
}

async function latestByJob(db: Querier, jobIds: readonly number[]): Promise<Map<number, number>> {
  if (jobIds.length === 0) return new Map();
  const rows = await findLatestStarts(db, jobIds);
  return new Map(rows.map(({ jobId, atMs }) => [jobId, atMs]));
}

/** Whether the run that was expected has begun by now. */
export async function hasBegun(db: Querier, jobId: number, metFromMs: number): Promise<boolean> {
  const latest = (await latestByJob(db, [jobId])).get(jobId);
  return latest !== undefined && latest >= metFromMs;
}
