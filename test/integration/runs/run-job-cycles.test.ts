import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConfig } from '../../../packages/server/src/config.ts';
import { createIdSource } from '../../../packages/server/src/ids.ts';
import { refuseRunJobCycles } from '../../../packages/server/src/jobs/refuse-run-job-cycles.ts';
import { changeJob, createJob, resetJob } from '../../../packages/server/src/jobs/save-job.ts';
import { markJobDeleted, readJob, updateJob } from '../../../packages/server/src/jobs/store.ts';
import type { Document } from '../../../packages/server/src/runs/run-facts.ts';
import { waitUntil } from '../../support/census.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

let db: TestDatabase;
let services: Parameters<typeof createJob>[0];
beforeAll(async () => {
  db = await createTestDatabase();
  services = {
    db,
    ids: await createIdSource(db),
    config: readConfig({}),
  };
});
afterAll(() => db.drop());

const principal = { id: 7, userName: 'ada', isAdmin: true };
const nowMs = 1_767_330_245_678;

const runs = (jobId: number | string, key = `run_${jobId}`): Document => ({
  task_key: key,
  run_job_task: { job_id: jobId },
});
const runsForEach = (jobId: number): Document => ({
  task_key: 'loop',
  for_each_task: { inputs: '[1]', task: runs(jobId, 'each') },
});
const leaf: Document = { task_key: 'leaf', notebook_task: { notebook_path: '/n' } };

const create = (...tasks: Document[]) =>
  createJob(services, { settings: { name: 'j', tasks }, principal, nowMs });
const reset = (jobId: number, ...tasks: Document[]) =>
  resetJob(services, { jobId, settings: { name: 'reset', tasks }, nowMs });

test('a circle over several jobs is refused with its ids and changes nothing', async () => {
  const last = await create(leaf);
  const middle = await create(leaf, runs(last));
  const first = await create(runsForEach(middle));

  await expect(reset(last, runs(String(first)))).rejects.toMatchObject({
    code: 'INVALID_PARAMETER_VALUE',
    message: `tasks: run_job_task.job_id: jobs would run each other in a circle: ${last} → ${first} → ${middle} → ${last}`,
  });
  expect((await readJob(db, last))?.settings.name).toBe('j');
  const change = { jobId: last, newSettings: { tasks: [runsForEach(first)] }, fieldsToRemove: [], nowMs };
  await expect(changeJob(services, change)).rejects.toThrow(/in a circle/);
});

test('jobs that share a job make no circle', async () => {
  const shared = await create(leaf);
  const left = await create(runs(shared));
  const right = await create(runs(shared));
  const top = await create(leaf);

  await reset(top, runs(left), runs(right), runs(shared));

  expect((await readJob(db, top))?.settings.name).toBe('reset');
});

test('a job cannot run itself', async () => {
  const jobId = await create(leaf);

  await expect(reset(jobId, runs(jobId))).rejects.toThrow(`job ${jobId} cannot run itself`);
});

test('a job that does not exist is named, whoever wants to run it', async () => {
  const gone = await create(leaf);
  await markJobDeleted(db, gone, nowMs);

  await expect(create(runs(7, 'a'))).rejects.toMatchObject({
    code: 'INVALID_PARAMETER_VALUE',
    message: "tasks: task 'a': run_job_task.job_id: job 7 does not exist",
  });
  await expect(create(runsForEach(gone))).rejects.toThrow(`job ${gone} does not exist`);
  await expect(
    createJob(services, {
      settings: { name: 'single', run_job_task: { job_id: 7 } },
      principal,
      nowMs,
    }),
  ).rejects.toThrow('job 7 does not exist');
});

test('a job that ran one that is gone can still be changed otherwise', async () => {
  const gone = await create(leaf);
  const jobId = await create(runs(gone));
  await markJobDeleted(db, gone, nowMs);

  await changeJob(services, { jobId, newSettings: { name: 'renamed' }, fieldsToRemove: [], nowMs });

  expect((await readJob(db, jobId))?.settings.name).toBe('renamed');
});

test('of two saves that would close a circle together, the second waits and is refused', async () => {
  const left = await create(leaf);
  const right = await create(leaf);
  const settings = { name: 'first', tasks: [runs(right)] };
  let second: Promise<string> = Promise.resolve('not begun');

  await db.transaction(async (client) => {
    await refuseRunJobCycles(client, { jobId: left, settings });
    await updateJob(client, { jobId: left, name: 'first', settings, runsMax: 1, nowMs });
    let isThrough = false;
    second = reset(right, runs(left))
      .then(
        () => 'saved',
        (error: Error) => error.message,
      )
      .finally(() => {
        isThrough = true;
      });
    await waitUntil('the second save waits', async () => isThrough || (await countWaiting()) > 0);
  });

  expect(await second).toContain('in a circle');
});

async function countWaiting(): Promise<number> {
  const { rows } = await db.pool.query<{ count: number }>(`
select count(*) as count
from pg_locks
where locktype = 'advisory'
  and not granted
  and database = (select oid from pg_database where datname = current_database())`);
  return rows[0]?.count ?? 0;
}
