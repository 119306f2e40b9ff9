/** Every query of a loop, and the save, finds its rows by index however many rows there are. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { findHeldBy, findLostAttempts, readHeld } from '../../../packages/server/src/attempts/store.ts';
import type { NamedQuery, Querier } from '../../../packages/server/src/db/connect.ts';
import {
  findEndedChildren,
  findOrphanedChildren,
  findReadyParents,
} from '../../../packages/server/src/runs/child-run-store.ts';
import { findRunsOfDeletedJobs } from '../../../packages/server/src/runs/deleted-job-loop.ts';
import {
  findQueuedAttempts,
  loadRuns,
  readPlaces,
  saveBatchQuery,
} from '../../../packages/server/src/runs/save-store.ts';
import {
  findAdmissibleRuns,
  findDueRunIds,
  findStoppableRunIds,
} from '../../../packages/server/src/runs/store.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
  await fill(db);
});
afterAll(() => db.drop());

const ended = 20_000;

/** Ended runs of 200 jobs, and a few that are not. */
async function fill({ pool }: TestDatabase): Promise<void> {
  await pool.query(`
    insert into jobs (job_id, name, settings, max_concurrent_runs, owner_id, creator_user_name, created_at_ms, updated_at_ms)
    select j, 'job ' || j, '{}', 1, 1, 'ada', j, j from generate_series(1, 200) j`);
  await pool.query(`
    insert into runs (run_id, job_id, version, run_type, run_name, trigger, owner_id, creator_user_name, number_in_job,
      created_at_ms, generation, phase, wake_at_ms)
    select 1000 + r, 1 + r % 200, 1, 'JOB_RUN', 'r', 'ONE_TIME', 1, 'ada', r, r, 0,
      case when r % 1000 = 0 then 'running' when r % 1000 = 1 then 'queued' else 'ended' end,
      case when r % 1000 = 0 then 5 end
    from generate_series(1, ${ended}) r`);
  await pool.query(`
    insert into task_runs (run_id, task_key, iteration, generation, attempt, attempt_id, epoch, state, created_at_ms,
      queued_at_ms, worker_id)
    select 1000 + r, 't', 0, 0, 0, 1000000 + r, 1, case when r % 1000 = 0 then 'running' when r % 1000 = 2 then 'queued' else 'ended' end,
      r, r, 'w' || r % 7
    from generate_series(1, ${ended}) r`);
  await pool.query(
    `insert into workers select 'w' || w, 'remote', 1, false, 1, 1, 1 from generate_series(0, 6) w`,
  );
  await pool.query(`insert into run_generations (run_id, generation, created_at_ms, definition, settings, parameters)
    select run_id, 0, 0, '{}', '{}', '{}' from runs`);
  await pool.query(`insert into task_values select run_id, 't', 'v', '1', 1, 1 from runs`);
  await pool.query('analyze');
}

/** Runs the query of `call` under EXPLAIN and gives its plan. */
async function planOf(call: (db: Querier) => unknown): Promise<string> {
  let caught: NamedQuery | null = null;
  await call({
    async query(query: NamedQuery) {
      caught = query;
      return [];
    },
  } as Querier);
  if (caught === null) throw new Error('no query was made');
  const { text, values } = caught as NamedQuery;
  const { rows } = await db.pool.query(`explain ${text}`, [...values]);
  return rows.map((row) => row['QUERY PLAN']).join('\n');
}

const large = ['runs', 'task_runs', 'run_generations', 'run_events', 'task_values'];

test.each<[string, (db: Querier) => unknown]>([
  ['runs that are due', (q) => findDueRunIds(q, 10, 200)],
  ['queued attempts', (q) => findQueuedAttempts(q, { labels: [{}], limit: 200 })],
  ['queued runs with a place', (q) => findAdmissibleRuns(q, { jobsMax: 100, runsMax: 500 })],
  ['runs of deleted jobs', (q) => findRunsOfDeletedJobs(q, 200)],
  ['places of jobs', (q) => readPlaces(q, [1, 2])],
  ['a run to advance', (q) => loadRuns(q, [1_500])],
  ['attempts of a worker', (q) => findHeldBy(q, 'w1')],
  ['attempts that a worker holds', (q) => readHeld(q, [1_000_500])],
  ['attempts whose lease ran out', (q) => findLostAttempts(q, { nowMs: 1, limit: 200 })],
  [
    'active runs of a job',
    (q) => findStoppableRunIds(q, { jobId: 1, queuedOnly: false, after: 0, limit: 500 }),
  ],
  ['queued runs', (q) => findStoppableRunIds(q, { jobId: null, queuedOnly: true, after: 0, limit: 500 })],
  ['tasks whose run has yet to be made', (q) => findReadyParents(q, 200)],
  ['runs whose task does not wait for them any more', (q) => findOrphanedChildren(q, 200)],
  ['runs whose end their task has yet to hear of', (q) => findEndedChildren(q, 200)],
])('%s', async (_, call) => {
  const plan = await planOf(call);

  for (const table of large) expect(plan).not.toMatch(new RegExp(`Seq Scan on ${table}\\b`));
});

test('a save, planned as the connection that saves plans it', async () => {
  const client = await db.pool.connect();
  try {
    await client.query(`set plan_cache_mode = force_generic_plan; set enable_seqscan = off; set enable_hashjoin = off;
      set enable_mergejoin = off`);
    const { text } = saveBatchQuery({
      ...{ runs: [], places: [], generations: [], followed: [], taskRuns: [] },
      ...{ taskValues: [], history: [] },
    });
    await client.query(`prepare saving as ${text}`);
    const { rows } = await client.query(`explain execute saving('[]', '[]', '[]', '[]', '[]', '[]', '[]')`);

    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(plan).toContain('Update on runs');
    for (const table of [...large, 'jobs']) expect(plan).not.toMatch(new RegExp(`Seq Scan on ${table}\\b`));
  } finally {
    client.release(true);
  }
});
