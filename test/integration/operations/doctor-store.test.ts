/** What only a server that does not work would leave standing: looked for in a store that nobody serves. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Querier } from '../../../packages/server/src/db/connect.ts';
import {
  findUnadmitted,
  findUnattended,
  findUnclaimed,
  findUngranted,
  type Suspect,
} from '../../../packages/server/src/doctor/store.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
});
afterAll(() => db.drop());
beforeEach(async () => {
  for (const table of ['task_runs', 'runs', 'jobs', 'workers']) await db.pool.query(`delete from ${table}`);
});

const now = '(extract(epoch from clock_timestamp()) * 1000)::bigint';

async function addJob(jobId: number, runsMax: number): Promise<void> {
  await db.pool.query(
    `insert into jobs (job_id, name, settings, max_concurrent_runs, owner_id, creator_user_name, created_at_ms, updated_at_ms)
     values ($1, 'j', '{}', $2, 1, 'ada', 1, 1)`,
    [jobId, runsMax],
  );
}

async function addRun(runId: number, jobId: number, phase: string): Promise<void> {
  await db.pool.query(
    `insert into runs (run_id, job_id, version, run_type, run_name, trigger, owner_id, creator_user_name, number_in_job,
       created_at_ms, generation, phase)
     values ($1, $2, 1, 'JOB_RUN', 'r', 'ONE_TIME', 1, 'ada', $1, $1, 0, $3)`,
    [runId, jobId, phase],
  );
}

async function addAttempt(attemptId: number, state: string, workerId: string | null): Promise<void> {
  await db.pool.query(
    `insert into task_runs (run_id, task_key, iteration, generation, attempt, attempt_id, epoch, state, created_at_ms,
       queued_at_ms, worker_id)
     values ($1, 't', 0, 0, 0, $1, 1, $2, 1, 1, $3)`,
    [attemptId, state, workerId],
  );
}

async function addWorker(
  workerId: string,
  of: { slots?: number; silentMs?: number; isLocal?: boolean },
): Promise<void> {
  const { slots = 1, silentMs = 0, isLocal = false } = of;
  await db.pool.query(
    `insert into workers (worker_id, backend, slots, is_local, registered_at_ms, heartbeat_at_ms, lease_expires_at_ms)
     values ($1, 'remote', $2, $3, 1, ${now} - $4, ${now} - $4)`,
    [workerId, slots, isLocal, silentMs],
  );
}

const idsOf = (suspects: readonly Suspect[]) =>
  suspects.map(({ run_id, detail }) => [run_id === null ? null : Number(run_id), detail]);

test('a queued run is suspect where its job has a place or is gone, its oldest only', async () => {
  await addJob(1, 2);
  await addJob(2, 1);
  await addRun(10, 1, 'running');
  for (const runId of [11, 12]) await addRun(runId, 1, 'queued');
  await addRun(20, 2, 'running');
  await addRun(21, 2, 'queued');
  await addRun(31, 3, 'queued');

  expect(idsOf(await findUnadmitted(db, 1_000))).toEqual([
    [11, 'free_place'],
    [31, 'no_job'],
  ]);
  expect(await findUnadmitted(db, 5)).toEqual([]);
});

test('a queued attempt is suspect where a worker that is heard of has a free slot', async () => {
  await addAttempt(5, 'queued', null);
  await addAttempt(6, 'running', 'full');
  await addWorker('full', {});
  await addWorker('silent', { silentMs: 60_000 });
  expect(await findUnclaimed(db, 1_000)).toEqual([]);

  await addWorker('free', { slots: 2 });

  expect(idsOf(await findUnclaimed(db, 1_000))).toEqual([[5, null]]);
});

test('what asks for labels is suspect where they have a free slot, or where nobody has them', async () => {
  const label = (table: string, labels: object) =>
    db.pool.query(
      table === 'workers'
        ? 'update workers set labels = $1, lease_expires_at_ms = heartbeat_at_ms + 60000'
        : 'update task_runs set worker_labels = $1 where attempt_id = 5',
      [labels],
    );
  await addAttempt(5, 'queued', null);
  await label('task_runs', { zone: 'a', gpu: 'yes' });
  await addWorker('free', { slots: 2 });
  expect(await findUnclaimed(db, 1_000)).toEqual([]);
  expect(idsOf(await findUngranted(db, 1_000))).toEqual([[5, 'gpu=yes, zone=a']]);

  await label('workers', { zone: 'a', gpu: 'yes', disk: 'x' });

  expect(idsOf(await findUnclaimed(db, 1_000))).toEqual([[5, null]]);
  expect(await findUngranted(db, 1_000)).toEqual([]);
});

test('a held attempt is suspect where its worker is unknown or has been silent', async () => {
  await addWorker('well', {});
  await addWorker('far', { silentMs: 200_000 });
  await addWorker('here', { silentMs: 200_000, isLocal: true });
  for (const [index, workerId] of ['well', 'far', 'here', 'ghost'].entries())
    await addAttempt(index, 'running', workerId);

  expect(idsOf(await findUnattended(db, 120_000))).toEqual([
    [1, 'remote'],
    [2, 'local'],
    [3, 'unknown'],
  ]);
});

test('of the many that wait for labels, one of each set is looked at, and those behind what nobody can take', async () => {
  await addWorker('free', { slots: 2 });
  await addAttempt(1, 'queued', null);
  await db.pool.query(
    `insert into task_runs (run_id, task_key, iteration, generation, attempt, attempt_id, epoch, state, created_at_ms,
       queued_at_ms, worker_labels)
     select r, 't', 0, 0, 0, r, 1, 'queued', 1, 1, jsonb_build_object('gpu', 'kind ' || r % 3)
     from generate_series(2, 20000) r`,
  );
  await db.pool.query('update task_runs set queued_at_ms = 2 where attempt_id = 1');
  await db.pool.query('analyze task_runs');

  const asked: string[] = [];
  const watched = {
    query: async (query: { text: string; values: readonly unknown[] }) => {
      const { rows } = await db.pool.query(`explain (analyze, format json) ${query.text}`, [...query.values]);
      asked.push(JSON.stringify(rows));
      return [];
    },
  } as unknown as Querier;
  await findUnclaimed(watched, 1_000);

  const rowsRead = [...(asked[0] ?? '').matchAll(/"Actual Rows":([\d.]+)/g)].map(([, rows]) => Number(rows));
  expect(idsOf(await findUnclaimed(db, 1_000))).toEqual([[1, null]]);
  expect(await findUngranted(db, 1_000)).toHaveLength(3);
  expect(Math.max(...rowsRead)).toBeLessThan(100);
});
