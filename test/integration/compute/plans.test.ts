/** What loops and heartbeats ask about clusters finds its rows by index, however many there are. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as events from '../../../packages/server/src/compute/event-store.ts';
import * as life from '../../../packages/server/src/compute/life-store.ts';
import type { Querier } from '../../../packages/server/src/db/connect.ts';
import * as prepared from '../../../packages/server/src/prepared-hosts/store.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { explainQuery } from '../../support/explain-query.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
  const { pool } = db;
  await pool.query(`
    insert into clusters (cluster_id, cluster_name, kind, spec, warnings, created_by, created_at_ms, state, wanted)
    select 'c' || c, 'c', case when c % 2 = 0 then 'job' else 'all_purpose' end, '{}', '[]', 'ada', c,
      case when c % 2 = 1 then 'TERMINATED' end, case when c % 2 = 1 then 'terminated' end
    from generate_series(1, 20000) c`);
  await pool.query(
    `update clusters set wanted = 'running', state = 'RUNNING', worker_id = 'w' where cluster_id = 'c101'`,
  );
  await pool.query(`
    insert into cluster_hosts (cluster_id, host_key, worker_id, state, spark_state, message, started_at_ms, reported_at_ms)
    select 'c' || c, 'k', 'w', 'stopped', 'none', '', 1, 1 from generate_series(1, 20000) c`);
  await pool.query(`
    insert into cluster_events (cluster_id, at_ms, kind, details)
    select 'c' || 1 + e % 20000, e, 'RUNNING', '{}' from generate_series(1, 60000) e`);
  await pool.query(`
    insert into task_runs (run_id, task_key, iteration, generation, attempt, attempt_id, epoch, state, created_at_ms, cluster_id)
    select t, 't', 0, 0, 0, t, 1, case when t % 5000 = 0 then 'running' else 'ended' end, t, 'c101'
    from generate_series(1, 20000) t`);
  await pool.query(`
    insert into jobs (job_id, name, settings, max_concurrent_runs, owner_id, creator_user_name, created_at_ms, updated_at_ms)
    select j, 'j', case when j % 100 = 0
      then '{"schedule": {"quartz_cron_expression": "0 0 2 * * ?", "timezone_id": "UTC"}}'::jsonb else '{}'::jsonb end,
      1, 1, 'ada', j, j
    from generate_series(1, 20000) j`);
  await pool.query(`
    insert into runs (run_id, job_id, version, run_type, run_name, trigger, owner_id, creator_user_name, number_in_job,
      created_at_ms, generation, phase)
    select r, 1 + r % 200, 1, 'JOB_RUN', 'r', 'ONE_TIME', 1, 'ada', r, r, 0, 'ended'
    from generate_series(1, 20000) r`);
  await pool.query('analyze');
});
afterAll(() => db.drop());

const planOf = (call: (db: Querier) => unknown) => explainQuery(db, call);

test.each<[string, (db: Querier) => unknown]>([
  ['clusters that are not at rest', (q) => life.findUnsettled(q, 1)],
  ['clusters on which something runs', (q) => life.markBusy(q, 1)],
  ['what a worker is to have', (q) => life.findOrdered(q, 'w', ['c1', 'c101'])],
  ['hosts that a worker is known to have', (q) => life.findRecordedHosts(q, 'w', ['h'])],
  ['workers that a cluster concerns', (q) => life.findWorkersOf(q, 'c101')],
  [
    'a page of events',
    (q) =>
      events.listClusterEvents(
        q,
        { clusterId: 'c101', fromMs: null, untilMs: null, kinds: [] },
        { order: 'DESC', offset: 0, limit: 50 },
      ),
  ],
  ['old events', (q) => events.deleteOldClusterEvents(q, 5, 100)],
  ['jobs with a schedule', (q) => prepared.listScheduledJobs(q, { afterId: 5_000, limit: 50 })],
  ['jobs that are expected', (q) => prepared.readJobs(q, [100, 200])],
  ['what clients started', (q) => prepared.listClientStarts(q, [{ fromMs: 90, untilMs: 99 }], 2_000)],
  ['the latest run of a job', (q) => prepared.findLatestStarts(q, [7, 8])],
])('%s are found by index', async (_what, call) => {
  const plan = await planOf(call);

  for (const table of ['clusters', 'cluster_hosts', 'cluster_events', 'task_runs', 'jobs', 'runs'])
    expect(plan).not.toContain(`Seq Scan on ${table}`);
});
