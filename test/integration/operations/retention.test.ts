/** Loops are turned by hand, with a clock of the test's own, so that sixty days pass in no time. */
import fs from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { backupLockKey } from '../../../packages/server/src/backup/manifest.ts';
import { createDiscardLoop } from '../../../packages/server/src/blobs/discard.ts';
import type { Loop } from '../../../packages/server/src/loops/driver.ts';
import { createLibrariesLoop } from '../../../packages/server/src/retention/libraries-loop.ts';
import { createRunFilesLoop } from '../../../packages/server/src/retention/run-files-loop.ts';
import { createRunPurgeLoop } from '../../../packages/server/src/retention/run-purge-loop.ts';
import { createRunRetentionLoop } from '../../../packages/server/src/retention/run-retention-loop.ts';
import type { Services } from '../../../packages/server/src/services.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { fakeTask } from '../runs/engine.ts';

const dayMs = 24 * 3_600_000;
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.dispose());
beforeEach(() => sql('delete from runs where phase = $1', 'ended'));

type Changes = Omit<Partial<Services>, 'config'> & {
  daysLater?: number;
  config?: Partial<Services['config']>;
};

function later({ daysLater = 0, config = {}, ...changes }: Changes = {}): Services {
  const clock = { nowMs: () => Date.now() + daysLater * dayMs };
  return { ...server.services, clock, ...changes, config: { ...server.services.config, ...config } };
}

async function turn(loop: Loop): Promise<void> {
  for (let turns = 0; (await loop.turn()) === 'again'; turns += 1) if (turns > 50) throw new Error('endless');
}

async function sql<Row>(text: string, ...values: unknown[]): Promise<Row[]> {
  return (await server.database.pool.query(text, values)).rows as Row[];
}

async function runOnce(options: object = {}): Promise<number> {
  const { run_id } = await server.client.runsSubmit({ run_name: 'old', tasks: [fakeTask('a')], ...options });
  await waitForEnd(run_id);
  return run_id;
}

const waitForEnd = (runId: number) =>
  expect
    .poll(async () => (await server.client.runsGet({ run_id: runId })).status.state, { timeout: 10_000 })
    .toBe('TERMINATED');

async function runJobTimes(times: number): Promise<number[]> {
  const { job_id } = await server.client.jobsCreate({ name: 'often', tasks: [fakeTask('a')] });
  const runIds: number[] = [];
  for (let run = 0; run < times; run += 1) {
    const { run_id } = await server.client.jobsRunNow({ job_id });
    await waitForEnd(run_id);
    runIds.push(run_id);
  }
  return runIds;
}

/** In how many tables there is something of the run, and whether its folder is there. */
async function leftOf(runId: number): Promise<string[]> {
  const left: string[] = [];
  for (const table of ['runs', 'run_generations', 'task_runs', 'task_values', 'run_events']) {
    const [row] = await sql<{ count: string }>(`select count(*) from ${table} where run_id = $1`, runId);
    if (Number(row?.count) > 0) left.push(table);
  }
  const folder = path.join(server.stateDir, 'data/attempts', String(runId));
  if (await fs.stat(folder).catch(() => null)) left.push('files');
  return left;
}

const whole = ['runs', 'run_generations', 'task_runs', 'run_events', 'files'];

test('sixty days after its end nothing is left of a run, neither rows nor files; before, all is', async () => {
  const runId = await runOnce();

  await turn(createRunRetentionLoop(later({ daysLater: 59 })));
  await turn(createRunPurgeLoop(later({ daysLater: 59 })));
  expect(await leftOf(runId)).toEqual(whole);

  await turn(createRunRetentionLoop(later({ daysLater: 61 })));
  expect((await server.send('GET', `/api/2.2/jobs/runs/get?run_id=${runId}`)).status).toBe(400);
  await turn(createRunPurgeLoop(later({ daysLater: 62 })));
  expect(await leftOf(runId)).toEqual([]);
});

test('a job keeps its newest runs, as many as are allowed, and active ones beyond them', async () => {
  const runIds = await runJobTimes(5);

  await turn(createRunRetentionLoop(later({ config: { runsKeptPerJob: 2 } })));

  const kept = await sql<{ run_id: number }>(
    'select run_id from runs where deleted_at_ms is null and run_id = any($1) order by run_id',
    runIds,
  );
  expect(kept.map(({ run_id }) => Number(run_id))).toEqual(runIds.slice(3));
});

test('a run that an active run has started is kept until that ends', async () => {
  const hanging = [fakeTask('wait', { fake: { kind: 'hang' } })];
  const parent = await server.client.runsSubmit({ run_name: 'parent', tasks: hanging });
  const child = await runOnce();
  await sql('update runs set parent_run_id = $1 where run_id = $2', parent.run_id, child);

  await turn(createRunRetentionLoop(later({ daysLater: 61 })));
  expect((await server.client.runsGet({ run_id: child })).run_id).toBe(child);

  await server.client.runsCancel({ run_id: parent.run_id });
  await waitForEnd(parent.run_id);
  await turn(createRunRetentionLoop(later({ daysLater: 61 })));
  expect((await server.send('GET', `/api/2.2/jobs/runs/get?run_id=${child}`)).status).toBe(400);
});

test('of a deleted run its token stays as long as runs are kept, all else goes at once', async () => {
  const tasks = [fakeTask('a')];
  const runId = await runOnce({ idempotency_token: 'once' });
  await server.client.runsDelete({ run_id: runId });

  await turn(createRunPurgeLoop(later({ daysLater: 1 })));
  expect(await leftOf(runId)).toEqual(['runs']);
  const again = await server.send('POST', '/api/2.2/jobs/runs/submit', {
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ run_name: 'again', idempotency_token: 'once', tasks }),
  });
  expect(again.status).toBe(400);

  await turn(createRunPurgeLoop(later({ daysLater: 61 })));
  expect(await leftOf(runId)).toEqual([]);
});

test.each(['retention-delete-task_runs', 'retention-delete-generations', 'retention-delete-run'])(
  'a crash at %s leaves a run that is out of sight, and the next turn removes it',
  async (statement) => {
    const runId = await runOnce();
    await server.client.runsDelete({ run_id: runId });
    const services = later({ daysLater: 1 });
    const guard = <T extends { query: Services['db']['query'] }>(client: T): T => ({
      ...client,
      query: (query: { name: string }) => {
        if (query.name === statement) throw new Error('crash');
        return client.query(query as Parameters<T['query']>[0]);
      },
    });
    const db = {
      ...guard(services.db),
      transaction: ((work) =>
        services.db.transaction((client) => work(guard(client)))) as Services['db']['transaction'],
    };

    await expect(createRunPurgeLoop({ ...services, db }).turn()).rejects.toThrow('crash');
    expect(await leftOf(runId)).toContain('runs');
    expect(await leftOf(runId)).toContain('files');

    await turn(createRunPurgeLoop(services));
    expect(await leftOf(runId)).toEqual([]);
  },
);

test('a crash between rows and files leaves a note, and the files go by it', async () => {
  const runId = await runOnce();
  await server.client.runsDelete({ run_id: runId });
  const services = later({ daysLater: 1 });
  const blobs = { ...services.blobs, deletePrefix: () => Promise.reject(new Error('crash')) };

  await turn(createRunPurgeLoop({ ...services, blobs }));
  expect(await leftOf(runId)).toEqual(['files']);

  await turn(createDiscardLoop(later({ daysLater: 2 })));
  expect(await leftOf(runId)).toEqual([]);
});

test('a folder that cannot be removed holds up no other', async () => {
  const runId = await runOnce();
  await server.client.runsDelete({ run_id: runId });
  const blobs = { ...server.services.blobs, deletePrefix: () => Promise.reject(new Error('crash')) };
  await turn(createRunPurgeLoop(later({ daysLater: 1, blobs })));
  // More than are taken at a time, all noted before.
  await sql(`insert into folders_to_delete select '../' || i, 0 from generate_series(1, 45) i`);

  await expect(turn(createDiscardLoop(later({ daysLater: 2 })))).rejects.toThrow('45 deleted folders cannot');

  expect(await leftOf(runId)).toEqual([]);
  await sql(`delete from folders_to_delete where folder like '../%'`);
});

test('while a backup is being made the files that it is to copy stay', async () => {
  const runId = await runOnce();
  await server.client.runsDelete({ run_id: runId });
  const backup = await server.database.pool.connect();
  await backup.query('select pg_advisory_lock($1)', [backupLockKey]);

  await turn(createRunPurgeLoop(later({ daysLater: 1 })));
  const leftMeanwhile = await leftOf(runId);
  backup.release(true);
  await expect
    .poll(async () => {
      await turn(createRunPurgeLoop(later({ daysLater: 1 })));
      return leftOf(runId);
    })
    .toEqual([]);

  expect(leftMeanwhile).toEqual(expect.arrayContaining(['runs', 'files']));
});

test('a run of many rows goes in statements of a limited size', async () => {
  const runId = await runOnce();
  await sql(
    `insert into run_events (run_id, at_ms, kind) select $1, 0, 'made up' from generate_series(1, 5000)`,
    runId,
  );
  await server.client.runsDelete({ run_id: runId });
  const services = later({ daysLater: 1 });
  const sizes: number[] = [];
  const db = {
    ...services.db,
    query: async (query: { name: string }) => {
      const rows = await services.db.query(query as Parameters<Services['db']['query']>[0]);
      if (query.name === 'retention-delete-run_events') sizes.push(rows.length);
      return rows;
    },
  } as Services['db'];

  await turn(createRunPurgeLoop({ ...services, db }));

  expect(sizes.slice(0, 2)).toEqual([2000, 2000]);
  expect(sizes).toHaveLength(3);
  expect(await leftOf(runId)).toEqual([]);
});

test('beyond the size that is allowed the oldest runs go, and folders of no run', async () => {
  const runIds = [await runOnce(), await runOnce(), await runOnce()];
  const attempts = path.join(server.stateDir, 'data/attempts');
  for (const runId of runIds)
    await fs.writeFile(path.join(attempts, String(runId), 'ballast'), Buffer.alloc(100_000));
  await fs.mkdir(path.join(attempts, '77/78'), { recursive: true });

  // The second walk finds the files of what is out of sight still there, and takes nothing else for them.
  for (const walk of [1, 2])
    await turn(createRunFilesLoop(later({ daysLater: walk, config: { runFilesBytesMax: 250_000 } })));

  const hidden = await sql<{ run_id: number }>(
    'select run_id from runs where deleted_at_ms is not null and run_id = any($1)',
    runIds,
  );
  expect(hidden.map(({ run_id }) => Number(run_id))).toEqual(runIds.slice(0, 1));
  expect(await fs.readdir(attempts)).not.toContain('77');
});

test('libraries that nothing has read for long go, and what was left of installing', async () => {
  const libraries = path.join(server.stateDir, 'data/libraries');
  const old = new Date(Date.now() - 90 * dayMs);
  for (const name of ['unused', 'used', 'fresh', '.installing-cut', '.installing-now']) {
    await fs.mkdir(path.join(libraries, name), { recursive: true });
    if (['unused', '.installing-cut'].includes(name)) await fs.utimes(path.join(libraries, name), old, old);
    if (name === 'used') await fs.utimes(path.join(libraries, name), new Date(), old);
  }

  await turn(createLibrariesLoop(later()));

  expect((await fs.readdir(libraries)).toSorted()).toEqual(['.installing-now', 'fresh', 'used']);
});

test('an environment goes by its last use and beyond a size, and never under a live attempt', async () => {
  const libraries = path.join(server.stateDir, 'data/libraries');
  await fs.rm(libraries, { recursive: true, force: true });
  const { run_id } = await server.client.runsSubmit({ tasks: [fakeTask('a', { fake: { kind: 'hang' } })] });
  const findLive = () =>
    sql<{ attempt_id: number }>(
      'select attempt_id from task_runs where run_id = $1 and state = $2',
      run_id,
      'running',
    );
  await expect.poll(findLive, { timeout: 30_000 }).toHaveLength(1);
  const live = Number((await findLive())[0]?.attempt_id);
  const uses = { old: [1], oldButLive: [1, live], huge: [2], hugeAndLate: [3], lately: [4] };
  const daysAgo = { old: 90, oldButLive: 90, huge: 3, hugeAndLate: 2, lately: 0 };
  for (const [name, users] of Object.entries(uses)) {
    const at = new Date(Date.now() - daysAgo[name as keyof typeof daysAgo] * dayMs);
    const size_bytes = name.startsWith('huge') ? 15 * 1024 ** 3 : 1;
    await fs.mkdir(path.join(libraries, '.uses', name), { recursive: true });
    await fs.mkdir(path.join(libraries, name), { recursive: true });
    await fs.writeFile(path.join(libraries, name, 'environment.json'), JSON.stringify({ size_bytes }));
    for (const user of users) await fs.writeFile(path.join(libraries, '.uses', name, String(user)), '');
    for (const each of [path.join(libraries, name), path.join(libraries, '.uses', name)])
      await fs.utimes(each, at, at);
  }

  await fs.mkdir(path.join(libraries, '.requests'));
  for (const name of ['old', 'lately'])
    await fs.writeFile(
      path.join(libraries, '.requests', name),
      JSON.stringify({ environment: name }).replace(':', ': '),
    );

  await turn(createLibrariesLoop(later()));

  const there = async () => (await fs.readdir(libraries)).filter((name) => !name.startsWith('.')).toSorted();
  expect(await there()).toEqual(['hugeAndLate', 'lately', 'oldButLive']);
  expect(await fs.readdir(path.join(libraries, '.requests'))).toEqual(['lately']);
  expect(await fs.readdir(path.join(libraries, '.uses/oldButLive'))).toEqual([String(live)]);
  await server.client.runsCancel({ run_id });
  await waitForEnd(run_id);
  await turn(createLibrariesLoop(later()));
  expect(await there()).toEqual(['hugeAndLate', 'lately']);
});
