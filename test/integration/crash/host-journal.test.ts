/**
 * Kills the host of the tasks right before and right after each line of its journal. What the journal proves stands;
 * what it cannot prove is lost, and tried again by policy where user code may have begun, for free where not.
 */
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Side } from '../../support/postgres-proxy.ts';
import { findGeneralBreaches } from './checks.ts';
import { type Lane, openLane } from './lane.ts';
import { readLedger, taskMaker, waitForEnd } from './workload.ts';

const hostSources = fileURLToPath(new URL('../../../python/headrace_runtime/', import.meta.url));

/** Of the task whose line it is. */
interface Course {
  readonly attemptsMin: number;
  readonly attemptsMax: number;
  readonly startsMin: number;
  readonly startsMax: number;
}

const once: Course = { attemptsMin: 1, attemptsMax: 1, startsMin: 1, startsMax: 1 };
/** The first attempt is lost between the proof of its start and the proof of its end. */
const again: Course = { attemptsMin: 2, attemptsMax: 2, startsMin: 1, startsMax: 2 };
const courses: Readonly<Record<string, Readonly<Record<Side, Course>>>> = {
  intended: { before: once, after: once },
  // "Go" may have been said already: then the child's proof races with the end of the host.
  held: { before: { ...again, attemptsMin: 1 }, after: { ...again, attemptsMin: 1 } },
  started: { before: once, after: again },
  // By the server that was started again, before it says "go".
  taken: { before: once, after: once },
  ended: { before: { ...again, startsMin: 2 }, after: once },
  acked: { before: once, after: once },
  dropped: { before: once, after: once },
};

let lane: Lane;
let jobId: number;

beforeAll(async () => {
  lane = await openLane('inside');
  const task = taskMaker(lane);
  const tasks = [
    task('first', 'pass', { max_retries: 2 }),
    task('second', 'pass', { max_retries: 2, depends_on: [{ task_key: 'first' }] }),
  ];
  const { job_id } = await lane.ask((client) => client.jobsCreate({ name: 'pair', tasks }));
  jobId = job_id ?? 0;
});

afterAll(async () => {
  expect(await lane.close()).toEqual([]);
});

test('every kind of line that the host and its children write is swept', () => {
  const host = fs.readFileSync(`${hostSources}host.py`, 'utf8');
  const child = fs.readFileSync(`${hostSources}child.py`, 'utf8');
  const kinds = [
    ...[...host.matchAll(/\.record\(attempt, "(\w+)"/g)].map(([, kind]) => kind),
    ...[...child.matchAll(/\{"kind": "(\w+)", "attempt_id"/g)].map(([, kind]) => kind),
  ];
  expect([...new Set(kinds)].sort()).toEqual(Object.keys(courses).sort());
});

const points = Object.keys(courses).flatMap((kind) => [
  { kind, side: 'before' as const },
  { kind, side: 'after' as const },
]);

test.each(points)(
  'a host killed $side the line "$kind" loses and doubles nothing',
  async ({ kind, side }) => {
    lane.trap.set(kind, side);
    const runIds: number[] = [];
    for (let tries = 0; !lane.trap.hasSprung && tries < 20; tries += 1) {
      if (kind === 'dropped') crashAtOneClaim('before');
      if (kind === 'taken') crashAtOneClaim('after');
      const request = { job_id: jobId, idempotency_token: `${kind}-${side}-${tries}` };
      const { run_id } = await lane.ask((client) => client.jobsRunNow(request));
      await waitForEnd(lane, run_id);
      await lane.disarm();
      runIds.push(run_id);
    }

    expect(lane.trap.hasSprung).toBe(true);
    expect(await findGeneralBreaches(lane, runIds)).toEqual([]);
    const course = courses[kind]?.[side] ?? once;
    const found = await courseOf(runIds.at(-1) ?? 0);
    expect(found.result).toBe('succeeded');
    expect(found.first.attempts).toBeGreaterThanOrEqual(course.attemptsMin);
    expect(found.first.attempts).toBeLessThanOrEqual(course.attemptsMax);
    expect(found.first.starts).toBeGreaterThanOrEqual(course.startsMin);
    expect(found.first.starts).toBeLessThanOrEqual(course.startsMax);
    // It may be under way when the line about the first is written.
    expect(found.second.attempts).toBeLessThanOrEqual(kind === 'acked' || kind === 'dropped' ? 2 : 1);
    expect(found.second.starts).toBeGreaterThanOrEqual(1);
  },
);

/** The server dies right before or after it records a claim that the host has been told to prepare for. */
function crashAtOneClaim(side: Side): void {
  let isSet = true;
  lane.arm(() => {
    const point = { statement: 'runs-save-batch', saved: 'attempt_claimed', side, nth: 1 } as const;
    const next = isSet ? point : null;
    isSet = false;
    return next;
  });
}

async function courseOf(runId: number) {
  const { pool } = lane.database;
  const run = await pool.query('select result from runs where run_id = $1', [runId]);
  const attempts = await pool.query('select task_key from task_runs where run_id = $1', [runId]);
  const of = (key: string) => ({
    attempts: attempts.rows.filter(({ task_key }) => task_key === key).length,
    starts: readLedger(lane).filter(({ name }) => name === `${runId}/${key}`).length,
  });
  return { result: run.rows[0]?.result, first: of('first'), second: of('second') };
}
