/** Tasks that ask for labels: only workers that have them take such tasks, and nobody else is kept waiting by them. */
import { createFakeBackend } from '@headrace/worker';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findQueuedAttempts } from '../../../packages/server/src/runs/save-store.ts';
import { waitUntil } from '../../support/census.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { fakeTask, startTestEngine, type TestEngine } from '../runs/engine.ts';
import { makeWorkerToken, type RemoteWorker, shortLeaseMs, startRemoteWorker } from './support.ts';

let server: TestServer;
let token: string;
const workers: RemoteWorker[] = [];
beforeEach(async () => {
  server = await startTestServer({ backend: null, config: { workerLeaseMs: shortLeaseMs } });
  token = await makeWorkerToken(server);
});
afterEach(async () => {
  for (const worker of workers.splice(0)) await worker.stop();
  await server.dispose();
});

type Labels = Readonly<Record<string, string>>;

async function aWorker(
  workerId: string,
  labels: Labels = {},
  overrides: { readonly slots?: number; readonly instanceId?: string } = {},
): Promise<RemoteWorker> {
  const worker = await startRemoteWorker(server, token, { workerId, labels, ...overrides });
  workers.push(worker);
  return worker;
}

const asking = (labels: Labels) => ({ headrace: { worker_labels: labels } });
const hang = { kind: 'hang' };

async function submit(...tasks: object[]): Promise<number> {
  const request = { run_name: 'labels', tasks } as Parameters<typeof server.client.runsSubmit>[0];
  return (await server.client.runsSubmit(request)).run_id;
}

async function endOf(runId: number) {
  await waitUntil(`the end of run ${runId}`, async () => {
    return (await server.client.runsGet({ run_id: runId })).status.state === 'TERMINATED';
  });
  return server.client.runsGet({ run_id: runId });
}

const keysOf = ({ starts }: RemoteWorker) => starts.map((start) => start.split(' ')[1]).sort();

test('each task runs where its labels are, and one without any runs anywhere', async () => {
  const plain = await aWorker('plain');
  const gpu = await aWorker('gpu', { gpu: 'yes', zone: 'a' });
  const both = await aWorker('both', { gpu: 'yes', zone: 'b', disk: '' });

  const run = await endOf(
    await submit(
      fakeTask('any'),
      ...['g1', 'g2', 'g3'].map((key) => fakeTask(key, asking({ gpu: 'yes' }))),
      fakeTask('a', asking({ zone: 'a' })),
      fakeTask('b', asking({ gpu: 'yes', zone: 'b' })),
      fakeTask('empty', asking({ disk: '' })),
    ),
  );

  expect(run.state.result_state).toBe('SUCCESS');
  expect(run.tasks?.find(({ task_key }) => task_key === 'b')?.headrace?.worker).toMatchObject({
    ...{ worker_id: 'both', is_local: false, hostname: expect.stringMatching(/./) },
  });
  expect(keysOf(plain)).toEqual(keysOf(plain).filter((key) => key === 'any'));
  expect(keysOf(gpu)).toContain('a');
  expect(keysOf(both)).toEqual(expect.arrayContaining(['b', 'empty']));
  expect([...plain.starts, ...gpu.starts, ...both.starts]).toHaveLength(7);
});

test('a retry, and an attempt that was lost with its worker, go where the labels are', async () => {
  await aWorker('plain');
  const doomed = await aWorker('doomed', { gpu: 'yes' });
  const runId = await submit(
    fakeTask('fails', {
      ...asking({ gpu: 'yes' }),
      fake: { kind: 'fail', failure: { message: 'odd', trace: '' } },
      max_retries: 1,
    }),
    fakeTask('stays', { ...asking({ gpu: 'yes' }), fake: hang, max_retries: 1 }),
  );
  await waitUntil('the retry', () => doomed.starts.length === 3);
  const heir = await aWorker('heir', { gpu: 'yes' });

  await workers.splice(workers.indexOf(doomed), 1)[0]?.stop();

  await waitUntil('the second attempt', () => heir.starts.some((start) => start.endsWith('stays 1')));
  await server.client.runsCancel({ run_id: runId });
  await endOf(runId);
});

test('the labels of the job are asked for by all of its tasks, those in a for-each too', async () => {
  const east = await aWorker('east', { zone: 'east' });
  const west = await aWorker('west', { zone: 'west', gpu: 'yes' });
  const { job_id } = await server.client.jobsCreate({
    name: 'zones',
    headrace: { worker_labels: { zone: 'east' } },
    tasks: [
      fakeTask('own', asking({ zone: 'west' })),
      fakeTask('jobs'),
      {
        task_key: 'loop',
        for_each_task: { inputs: '[1, 2]', concurrency: 2, task: fakeTask('inherits') },
      },
      {
        task_key: 'other',
        ...asking({ zone: 'west' }),
        for_each_task: { inputs: '[1, 2]', task: fakeTask('nested', asking({ gpu: 'yes' })) },
      },
    ],
  });

  const { run_id } = await server.client.jobsRunNow({ job_id });
  const run = await endOf(run_id);

  const job = await server.client.jobsGet({ job_id });
  const { iterations = [] } = await server.client.runsGet({
    run_id: run.tasks?.find(({ task_key }) => task_key === 'other')?.run_id ?? 0,
  });
  expect(run.state.result_state).toBe('SUCCESS');
  expect(keysOf(east)).toEqual(['inherits', 'inherits', 'jobs']);
  expect(keysOf(west)).toEqual(['nested', 'nested', 'own']);
  expect(job.settings).toMatchObject({ headrace: { worker_labels: { zone: 'east' } } });
  expect(run.tasks?.map(({ headrace }) => headrace?.worker_labels?.zone).sort()).toEqual([
    ...['east', 'west', 'west', undefined],
  ]);
  expect(iterations.map(({ headrace }) => headrace)).toMatchObject([
    { iteration: 0, worker_labels: { zone: 'west', gpu: 'yes' } },
    { iteration: 1, worker_labels: { zone: 'west', gpu: 'yes' } },
  ]);
});

describe('a task that nobody can take', () => {
  test('waits, says for what, and begins when such a worker signs on', async () => {
    const plain = await aWorker('plain');
    const runId = await submit(fakeTask('train', asking({ gpu: 'yes', zone: 'a' })), fakeTask('load'));
    await waitUntil('the other one', () => plain.starts.length === 1);

    const { sentence, facts } = await server.client.runsWhy({ run_id: runId, task_key: 'train' });
    const gpu = await aWorker('gpu', { gpu: 'yes', zone: 'a' });
    const run = await endOf(runId);

    expect(sentence).toMatch(/for a worker with gpu=yes and zone=a, as number 1: none is signed on\.$/);
    expect(facts).toMatchObject([
      { kind: 'waits_for_worker', worker_labels: { gpu: 'yes', zone: 'a' }, workers: 0 },
    ]);
    expect(run.state.result_state).toBe('SUCCESS');
    expect(keysOf(plain)).toEqual(['load']);
    expect(keysOf(gpu)).toEqual(['train']);
  });

  test('tells which workers have the label and are full', async () => {
    await aWorker('plain');
    const gpu = await aWorker('gpu', { gpu: 'yes' }, { slots: 1 });
    const first = await submit(fakeTask('one', { ...asking({ gpu: 'yes' }), fake: hang }));
    await waitUntil('it runs', () => gpu.starts.length === 1);
    const runId = await submit(fakeTask('two', asking({ gpu: 'yes' })));

    const { sentence } = await server.client.runsWhy({ run_id: runId, task_key: 'two' });

    expect(sentence).toMatch(/a worker with gpu=yes, as number 1: the ones that have it are full: gpu\.$/);
    for (const run of [first, runId]) await server.client.runsCancel({ run_id: run });
  });

  test('ends when it is cancelled', async () => {
    const runId = await submit(fakeTask('train', asking({ gpu: 'yes' })));

    await server.client.runsCancel({ run_id: runId });

    expect((await endOf(runId)).state.result_state).toBe('CANCELED');
  });

  test('ends when its run has taken longer than it may', async () => {
    const { run_id } = await server.client.runsSubmit({
      ...{ run_name: 'late', timeout_seconds: 1 },
      tasks: [fakeTask('train', asking({ gpu: 'yes' }))],
    });

    expect((await endOf(run_id)).state.result_state).toBe('TIMEDOUT');
  });

  test('keeps nobody waiting, found in the store or in memory, however many there are', async () => {
    const many = Array.from({ length: 300 }, (_, index) => fakeTask(`t${index}`, asking({ gpu: 'no one' })));
    const stuck = [await submit(...many), await submit(...many)];
    const before = await submit(fakeTask('before'));
    server = await server.restart();
    const plain = await aWorker('plain');

    const found = await endOf(before);
    const after = await endOf(await submit(fakeTask('after')));

    expect([found, after].map(({ state }) => state.result_state)).toEqual(['SUCCESS', 'SUCCESS']);
    expect(keysOf(plain)).toEqual(['after', 'before']);
    for (const run of stuck) await server.client.runsCancel({ run_id: run });
  });
});

test('the worker inside a server has the labels of its setting, and shows them', async () => {
  const config = { workerLabels: { zone: 'home' } };
  const own = await startTestServer({
    config,
    backend: createFakeBackend({ clock: { nowMs: () => Date.now() } }),
  });
  try {
    const { run_id } = await own.client.runsSubmit({
      run_name: 'home',
      tasks: [fakeTask('here', asking({ zone: 'home' })), fakeTask('there', asking({ zone: 'away' }))],
    });
    await waitUntil('the one to end', async () => {
      const run = await own.client.runsGet({ run_id });
      return run.tasks?.[0]?.state.result_state === 'SUCCESS';
    });

    const { workers: shown } = await own.client.status({});
    const { sentence } = await own.client.runsWhy({ run_id, task_key: 'there' });

    expect(shown).toMatchObject([{ state: 'local', labels: { zone: 'home' } }]);
    expect(sentence).toContain('a worker with zone=away, as number 1: none is signed on');
  } finally {
    await own.dispose();
  }
});

test('a worker that comes back with other labels takes by those', async () => {
  const instanceId = crypto.randomUUID();
  const first = await aWorker('far', { zone: 'a' }, { instanceId });
  const waiting = await submit(fakeTask('a', { ...asking({ zone: 'a', gpu: 'yes' }) }));
  await workers.splice(workers.indexOf(first), 1)[0]?.stop();
  const again = await aWorker('far', { zone: 'b', gpu: 'yes' }, { instanceId });

  const run = await endOf(await submit(fakeTask('b', asking({ zone: 'b' }))));

  expect(run.state.result_state).toBe('SUCCESS');
  expect(keysOf(again)).toEqual(['b']);
  await server.client.runsCancel({ run_id: waiting });
});

test('what one server makes ready, a worker of another that has the labels takes', async () => {
  const here = await startTestEngine({ hasWorker: false });
  const there = await startTestEngine({ hasWorker: false, beside: here });
  const claimAt = (engine: TestEngine, labels: Labels, signal: AbortSignal) =>
    engine.runs.services.advancer.claim({ workerId: 'w', labels, freeSlots: () => 1, prepare() {}, signal });
  try {
    const plain = new AbortController();
    const empty = claimAt(here, {}, plain.signal);
    const taken = claimAt(there, { gpu: 'yes' }, AbortSignal.timeout(20_000));

    const { run_id } = await here.client.runsSubmit({
      run_name: 'far',
      tasks: [fakeTask('load', asking({ gpu: 'yes' }))],
    });

    expect((await taken).map(({ runId }) => runId)).toEqual([run_id]);
    plain.abort();
    expect(await empty).toEqual([]);
    await here.client.runsCancel({ run_id });
  } finally {
    await there.close();
    await here.close();
  }
});

describe('the look into the store', () => {
  /** 10,000 that ask for a label nobody has, before one that asks for none and one that asks for zone=a. */
  async function fill() {
    await server.database.pool.query(`
      insert into task_runs (run_id, task_key, iteration, generation, attempt, attempt_id, epoch, state, created_at_ms,
        queued_at_ms, worker_labels)
      select 1, 't' || n, 0, 0, 0, n, 1, 'queued', n, n,
        case when n <= 10000 then '{"gpu": "yes", "zone": "a"}'::jsonb when n = 10002 then '{"zone": "a"}' end
      from generate_series(1, 10002) n`);
    await server.database.pool.query('analyze task_runs');
  }
  const look = (...labels: Labels[]) =>
    findQueuedAttempts(
      {
        query: async ({ text, values }: never) => (await server.database.pool.query(text, values)).rows,
      } as never,
      { labels, limit: 5 },
    );

  test('finds for each what it may take, in order, and no more than asked for', async () => {
    await fill();

    const [none, zone, all] = [
      await look({}),
      await look({ zone: 'a' }),
      await look({ zone: 'a', gpu: 'yes' }),
    ];
    const together = await look({}, { zone: 'a' });

    expect(none.map((row) => Number(row.attempt_id))).toEqual([10_001]);
    expect(zone.map((row) => Number(row.attempt_id))).toEqual([10_001, 10_002]);
    expect(all.map((row) => Number(row.attempt_id))).toEqual([1, 2, 3, 4, 5]);
    expect(together.map((row) => [Number(row.claimer), Number(row.attempt_id)])).toEqual(
      expect.arrayContaining([
        [0, 10_001],
        [1, 10_001],
        [1, 10_002],
      ]),
    );
    await server.database.pool.query('delete from task_runs');
  });

  test('reads none of those that nobody can take, however many there are', async () => {
    await fill();
    const client = await server.database.pool.connect();
    const statistics = `select idx_tup_fetch + seq_tup_read as count from pg_stat_xact_user_tables
      where relname = 'task_runs'`;

    await client.query('begin');
    await findQueuedAttempts(
      { query: async ({ text, values }: never) => (await client.query(text, values)).rows } as never,
      { labels: [{ zone: 'a' }], limit: 5 },
    );
    const { rows } = await client.query(statistics);
    await client.query('commit');
    client.release();

    expect(Number(rows[0]?.count)).toBeLessThan(20);
    await server.database.pool.query('delete from task_runs');
  });
});

describe('labels that cannot be asked for', () => {
  test('are refused in jobs, at their top and in a for-each, too', async () => {
    const create = (settings: object) =>
      server.client.jobsCreate({ name: 'bad', ...settings }).then(
        () => null,
        (error: unknown) => String(error),
      );
    const bad = { headrace: { worker_labels: { 'a b': '' } } };
    const nested = { inputs: '[]', task: fakeTask('one', bad) };

    expect(await create({ ...bad, tasks: [fakeTask('load')] })).toMatch(
      /headrace\.worker_labels\["a b"\]: is no name/,
    );
    expect(await create({ tasks: [{ task_key: 'loop', for_each_task: nested }] })).toMatch(
      /for_each_task\.task\.headrace\.worker_labels\["a b"\]: is no name/,
    );
  });

  test('may be as long and as many as those of a worker', async () => {
    const labels = Object.fromEntries(
      Array.from({ length: 64 }, (_, index) => [`${index}`.padEnd(63, 'n'), '\u{1F30A}'.repeat(127)]),
    );
    const worker = await aWorker('long', labels);

    const run = await endOf(await submit(fakeTask('load', asking(labels))));

    expect(run.state.result_state).toBe('SUCCESS');
    expect(worker.starts).toHaveLength(1);
  });
});
