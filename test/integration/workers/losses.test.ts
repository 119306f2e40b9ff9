/** Answers that get lost, servers that come and go, leases that lapse: on fake hosts, so that starts can be counted. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { waitUntil } from '../../support/census.ts';
import { type CuttableProxy, startProxy } from '../../support/cuttable-proxy.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { fakeTask } from '../runs/engine.ts';
import { makeWorkerToken, type RemoteWorker, shortLeaseMs, startRemoteWorker } from './support.ts';

let server: TestServer;
let token: string;
let proxy: CuttableProxy;
const workers: RemoteWorker[] = [];
beforeEach(async () => {
  server = await startTestServer({ backend: null, config: { workerLeaseMs: shortLeaseMs } });
  token = await makeWorkerToken(server);
  proxy = await startProxy(server.url);
});
afterEach(async () => {
  for (const worker of workers.splice(0)) await worker.stop();
  await proxy.close();
  await server.dispose();
});

async function aWorker(overrides: Parameters<typeof startRemoteWorker>[2] = {}): Promise<RemoteWorker> {
  const worker = await startRemoteWorker(server, token, overrides);
  workers.push(worker);
  return worker;
}

const submit = async (...tasks: ReturnType<typeof fakeTask>[]) =>
  (await server.client.runsSubmit({ run_name: 'remote', tasks })).run_id ?? 0;

async function endOf(runId: number) {
  await waitUntil(`the end of run ${runId}`, async () => {
    return (await server.client.runsGet({ run_id: runId })).status.state === 'TERMINATED';
  });
  return server.client.runsGet({ run_id: runId });
}

const stateOf = async (workerId: string) =>
  (await server.client.status({})).workers.find(({ worker_id }) => worker_id === workerId)?.state;

test('a run of many tasks goes over two workers, each task once', async () => {
  const [one, other] = [await aWorker({ workerId: 'one' }), await aWorker({ workerId: 'other' })];
  const tasks = Array.from({ length: 20 }, (_, index) =>
    fakeTask(`t${index}`, {
      after: index < 10 ? [] : [`t${index - 10}`],
      fake: { kind: 'succeed', afterMs: 30 },
    }),
  );

  const run = await endOf(await submit(...tasks));

  const starts = [...one.starts, ...other.starts];
  expect(run.state.result_state).toBe('SUCCESS');
  expect(new Set(starts).size).toBe(starts.length);
  expect(starts).toHaveLength(20);
  expect(one.starts.length).toBeGreaterThan(0);
  expect(other.starts.length).toBeGreaterThan(0);
});

test('values and results travel as they do from a worker inside the server', async () => {
  await aWorker();
  const fake = { kind: 'succeed', taskValues: { rows: 3 }, exitValue: 'done' };

  const run = await endOf(await submit(fakeTask('load', { fake })));

  const output = await server.client.runsGetOutput({ run_id: run.tasks?.[0]?.run_id ?? 0 });
  expect(run.state.result_state).toBe('SUCCESS');
  expect(JSON.stringify(output)).toContain('done');
});

test('a stop reaches a worker far away', async () => {
  const worker = await aWorker();
  const runId = await submit(fakeTask('load', { fake: { kind: 'hang' } }));
  await waitUntil('it runs', () => worker.starts.length === 1);

  await server.client.runsCancel({ run_id: runId });

  expect((await endOf(runId)).state.result_state).toBe('CANCELED');
});

test('what a lost answer held is given again, and starts once', async () => {
  const real = globalThis.fetch;
  let losses = 0;
  const losing: typeof fetch = async (input, init) => {
    const response = await real(input, init);
    if (!String(input).endsWith('/workers/claim')) return response;
    const text = await response.clone().text();
    if (losses >= 2 || !text.includes('"attempt_id"')) return response;
    losses += 1;
    throw new TypeError('the connection broke');
  };
  const worker = await aWorker({ fetch: losing });

  const run = await endOf(await submit(fakeTask('load')));

  expect(losses).toBe(2);
  expect(run.state.result_state).toBe('SUCCESS');
  expect(worker.starts).toEqual([expect.stringMatching(/ load 0$/)]);
});

test('an attempt that was cancelled while its claim was lost on the way ends all the same', async () => {
  const real = globalThis.fetch;
  let isLosing = true;
  const losing: typeof fetch = async (input, init) => {
    const response = await real(input, init);
    const isClaim = String(input).endsWith('/workers/claim');
    if (isLosing && isClaim) throw new TypeError('the connection broke');
    return response;
  };
  const worker = await aWorker({ fetch: losing });
  const runId = await submit(fakeTask('load'));
  await waitUntil('it is claimed', async () => {
    const { rows } = await server.database.pool.query("select 1 from task_runs where state = 'claimed'");
    return rows.length === 1;
  });

  await server.client.runsCancel({ run_id: runId });
  isLosing = false;

  expect((await endOf(runId)).state.result_state).toBe('CANCELED');
  expect(worker.starts).toEqual([]);
});

test('a worker that is cut off ends what runs before its lease does; healed, it goes on, and nothing runs twice at once', async () => {
  const far = await aWorker({ workerId: 'far', servers: [proxy.url] });
  const fake = { kind: 'hang' };
  const runId = await submit(
    fakeTask('load', { fake, max_retries: 1, min_retry_interval_millis: 0, retry_on_timeout: false }),
  );
  await waitUntil('it runs', () => far.starts.length === 1);
  const attempts = () => [
    ...((far.backend.hosts.get('default') ?? [...far.backend.hosts.values()][0])?.attemptStates().values() ??
      []),
  ];

  proxy.cut();
  await waitUntil('the worker ends it by itself', () => attempts().every((state) => state === 'ended'));
  const whileLive = await stateOf('far');
  await waitUntil('the server calls it lost', async () => (await stateOf('far')) === 'silent');
  const near = await aWorker({ workerId: 'near' });
  await waitUntil('another attempt runs', () => near.starts.length === 1);
  proxy.heal();
  await waitUntil('it is back', async () => (await stateOf('far')) === 'live');
  await server.client.runsCancel({ run_id: runId });

  expect(whileLive).toBe('live');
  expect((await endOf(runId)).state.result_state).toBe('CANCELED');
  expect(far.starts.map((start) => start.split(' ').at(-1))).toEqual(['0']);
  expect(near.starts.map((start) => start.split(' ').at(-1))).toEqual(['1']);
});

test('what ended well while the worker was cut off, and within its lease, counts as it ended', async () => {
  const far = await aWorker({ servers: [proxy.url] });
  const runId = await submit(fakeTask('load', { fake: { kind: 'succeed', afterMs: 300 } }));
  await waitUntil('it runs', () => far.starts.length === 1);

  proxy.cut();
  await waitUntil('it has ended', () =>
    [...far.backend.hosts.values()].some((host) => [...host.attemptStates().values()].includes('ended')),
  );
  proxy.heal();

  const run = await endOf(runId);
  expect(run.state.result_state).toBe('SUCCESS');
  expect(far.starts).toHaveLength(1);
});

test('what could be reported only later is shown to have ended when it did', async () => {
  const real = globalThis.fetch;
  let lostAtMs = 0;
  const losing: typeof fetch = (input, init) => {
    if (!String(input).endsWith('/workers/report')) return real(input, init);
    if (lostAtMs === 0) lostAtMs = Date.now();
    return Date.now() < lostAtMs + 1_500 ? Promise.reject(new TypeError('broken')) : real(input, init);
  };
  await aWorker({ fetch: losing });

  const run = await endOf(await submit(fakeTask('load')));

  // The store's clock is looked at over a connection: it may be off by some milliseconds.
  expect(run.tasks?.[0]?.end_time).toBeLessThan(lostAtMs + 100);
  expect(run.end_time).toBe(run.tasks?.[0]?.end_time);
});

test('user code does not begin when the leave for it cannot be had, and the attempt is free for others', async () => {
  const real = globalThis.fetch;
  const losing: typeof fetch = (input, init) =>
    String(input).endsWith('/workers/start')
      ? Promise.reject(new TypeError('the connection broke'))
      : real(input, init);
  const barred = await aWorker({ workerId: 'barred', fetch: losing });
  const runId = await submit(fakeTask('load'));
  await waitUntil('it is claimed', async () => {
    const { rows } = await server.database.pool.query("select 1 from task_runs where state = 'claimed'");
    return rows.length === 1;
  });

  await barred.stop();
  workers.splice(0);
  const free = await aWorker({ workerId: 'free' });

  expect((await endOf(runId)).state.result_state).toBe('SUCCESS');
  expect(barred.starts).toEqual([]);
  expect(free.starts).toEqual([expect.stringMatching(/ load 0$/)]);
});

test('a server that restarts finds the work going on, and loses none', async () => {
  const worker = await aWorker();
  const runId = await submit(fakeTask('load', { fake: { kind: 'succeed', afterMs: 1_500 } }));
  await waitUntil('it runs', () => worker.starts.length === 1);

  server = await server.restart();

  expect((await endOf(runId)).state.result_state).toBe('SUCCESS');
  expect(worker.starts).toHaveLength(1);
});

test('with several servers the next one is asked when the first is away', async () => {
  const worker = await aWorker({ servers: [proxy.url, server.url] });
  const runId = await submit(fakeTask('load', { fake: { kind: 'succeed', afterMs: 2_500 } }));
  await waitUntil('it runs', () => worker.starts.length === 1);

  await proxy.close();

  expect((await endOf(runId)).state.result_state).toBe('SUCCESS');
  expect(worker.source.server).toBe(server.url);
  expect(worker.source.lease.lapses).toBe(0);
  proxy = await startProxy(server.url);
});

test('a server that is busy is given the time that it asks for', async () => {
  const real = globalThis.fetch;
  const asked: number[] = [];
  const busy: typeof fetch = async (input, init) => {
    if (!String(input).endsWith('/workers/report') || asked.length >= 2) return real(input, init);
    asked.push(performance.now());
    const body = JSON.stringify({ error_code: 'TEMPORARILY_UNAVAILABLE', message: 'busy', details: [] });
    return new Response(body, { status: 503, headers: { 'retry-after': '1' } });
  };
  await aWorker({ fetch: busy });

  const run = await endOf(await submit(fakeTask('load')));

  expect(run.state.result_state).toBe('SUCCESS');
  expect((asked[1] ?? 0) - (asked[0] ?? 0)).toBeGreaterThan(950);
});

test('a task value that the server does not take ends its attempt with the reason, and others go on', async () => {
  await aWorker();
  // Deeper than any request may be nested.
  const deep = Array.from({ length: 80 }).reduce<unknown>((inner) => [inner], 1);

  const run = await endOf(
    await submit(fakeTask('deep', { fake: { kind: 'succeed', taskValues: { deep } } }), fakeTask('plain')),
  );

  const [refused, plain] = ['deep', 'plain'].map((key) =>
    run.tasks?.find(({ task_key }) => task_key === key),
  );
  expect(plain?.state.result_state).toBe('SUCCESS');
  expect(refused?.state).toMatchObject({
    result_state: 'FAILED',
    state_message: expect.stringContaining('refused by the server'),
  });
});

test('after a drain nothing is left, and the id is free', async () => {
  const worker = await aWorker();
  const runId = await submit(fakeTask('load', { fake: { kind: 'succeed', afterMs: 300 } }));
  await waitUntil('it runs', () => worker.starts.length === 1);

  await worker.worker.drain(AbortSignal.timeout(10_000));
  await worker.source.signOff();

  expect((await endOf(runId)).state.result_state).toBe('SUCCESS');
  expect(worker.worker.running()).toBe(0);
  expect(await stateOf('far')).toBe('signed_off');
});

test('a token that is revoked costs the worker what it runs, and its process is told', async () => {
  const { token_value, token_info } = await server.client.workerTokensCreate({});
  const worker = await startRemoteWorker(server, token_value, { workerId: 'revoked' });
  workers.push(worker);
  await submit(fakeTask('load', { fake: { kind: 'hang' } }));
  await waitUntil('it runs', () => worker.starts.length === 1);

  await server.client.workerTokensDelete({ token_id: token_info.token_id });

  await waitUntil('the process is told', () => worker.refused.length > 0);
  await waitUntil('nothing runs', () => worker.worker.running() === 0);
});
