/** Every query of the doctor, of retention and of the measures finds its rows by index however many there are. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { NamedQuery, Querier } from '../../../packages/server/src/db/connect.ts';
import * as doctor from '../../../packages/server/src/doctor/store.ts';
import { readMeasures } from '../../../packages/server/src/metrics/store.ts';
import * as retention from '../../../packages/server/src/retention/store.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
  await fill(db);
});
afterAll(() => db.drop());

/** Ended runs of 200 jobs, a few that are not, and a few that were deleted. */
async function fill({ pool }: TestDatabase): Promise<void> {
  await pool.query(`
    insert into runs (run_id, job_id, version, run_type, run_name, trigger, owner_id, creator_user_name, number_in_job,
      created_at_ms, ended_at_ms, generation, phase, deleted_at_ms)
    select 1000 + r, 1 + r % 200, 1, 'JOB_RUN', 'r', 'ONE_TIME', 1, 'ada', r, r, r, 0,
      case when r % 1000 = 0 then 'running' when r % 1000 = 1 then 'queued' else 'ended' end,
      case when r % 500 = 3 then 5 end
    from generate_series(1, 20000) r`);
  await pool.query(`
    insert into task_runs (run_id, task_key, iteration, generation, attempt, attempt_id, epoch, state, created_at_ms,
      queued_at_ms, worker_id)
    select 1000 + r, 't', 0, 0, 0, 1000000 + r, 1, case when r % 1000 = 0 then 'running' when r % 1000 = 2 then 'queued' else 'ended' end,
      r, r, 'w' || r % 7
    from generate_series(1, 20000) r`);
  await pool.query(`
    insert into workers (worker_id, backend, slots, is_local, registered_at_ms, heartbeat_at_ms, lease_expires_at_ms)
    select 'w' || w, 'remote', 1, false, 1, 1, 1 from generate_series(0, 6) w`);
  await pool.query(`insert into run_generations (run_id, generation, created_at_ms, definition, settings, parameters)
    select run_id, 0, 0, '{}', '{}', '{}' from runs`);
  await pool.query(`insert into task_values select run_id, 't', 'v', '1', 1, 1 from runs`);
  await pool.query(`insert into run_events (run_id, at_ms, kind) select run_id, 1, 'k' from runs`);
  await pool.query('analyze');
}

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
const soon = 100_000;

test.each<[string, (db: Querier) => unknown]>([
  ['attempts without a live worker', (q) => doctor.findUnattended(q, 0)],
  ['runs that nothing moves', (q) => doctor.findStuckRuns(q, soon)],
  ['queued runs with a place', (q) => doctor.findUnadmitted(q, soon)],
  ['live attempts of ended runs', (q) => doctor.findLiveInEnded(q)],
  ['queued attempts with a free slot', (q) => doctor.findUnclaimed(q, soon)],
  ['queued attempts whose labels nobody has', (q) => doctor.findUngranted(q, soon)],
  ['workers with more than their slots', (q) => doctor.findOverfull(q)],
  ['broken links', (q) => doctor.findBrokenLinks(q, soon)],
  ['versions', (q) => doctor.readVersions(q, [1500])],
  ['active runs', (q) => doctor.listActiveRunIds(q, 0, 50)],
  ['history', (q) => doctor.readHistory(q, { runId: 1500, attemptId: null, limit: 20 })],
  ['measures', (q) => readMeasures(q)],
  ['old runs', (q) => retention.hideRunsEndedBefore(q, { nowMs: 1, beforeMs: 50, limit: 500 })],
  ['the next job', (q) => retention.findNextJobId(q, 7)],
  ['runs beyond', (q) => retention.hideRunsBeyond(q, { nowMs: 1, jobId: 5, kept: 50, limit: 500 })],
  [
    'runs out of sight',
    (q) => retention.findHiddenRuns(q, { hiddenBeforeMs: 9, createdBeforeMs: 9, limit: 50 }),
  ],
  ...retention.allPartsOfRuns.map((part): [string, (db: Querier) => unknown] => [
    `${part} of a run`,
    (q) => retention.deletePartOfRun(q, part, { runId: 1500, limit: 2000 }),
  ]),
  ['known runs', (q) => retention.findKnownRuns(q, [1500])],
  ['anything held', (q) => retention.isAnythingHeld(q)],
])('%s', async (_, call) => {
  const plan = await planOf(call);

  for (const table of large) expect(plan).not.toMatch(new RegExp(`Seq Scan on ${table}\\b`));
});
