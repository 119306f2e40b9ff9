/** What left runs stuck, or ran tasks twice, for users of other engines. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  type AttemptRef,
  createFakeBackend,
  startWorker,
  type Worker,
} from '../../../packages/worker/src/index.ts';
import { silentLog } from '../../../packages/worker/src/testing/memory-source.ts';
import { waitUntil } from '../../support/census.ts';
import { type CuttableProxy, startProxy } from '../../support/cuttable-proxy.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { fakeTask } from '../runs/engine.ts';
import { aSource, clock, makeWorkerToken, shortLeaseMs, startRemoteWorker } from '../workers/support.ts';
import { putProxyBefore, type TroubledDatabase } from './trouble.ts';

let server: TestServer;
let trouble: TroubledDatabase;
let token: string;
const ends: (() => unknown)[] = [];
beforeEach(async () => {
  server = await startTestServer({
    backend: null,
    config: { workerLeaseMs: shortLeaseMs },
    wrapDatabase: async (url) => {
      trouble = await putProxyBefore(url);
      return trouble.url;
    },
  });
  token = await makeWorkerToken(server);
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await server.dispose();
  await trouble.close();
});

async function aWorker(workerId: string) {
  const worker = await startRemoteWorker(server, token, { workerId });
  ends.push(worker.stop);
  return worker;
}

const submit = async (task: object) =>
  (await server.client.runsSubmit({ run_name: 'hurt', tasks: [fakeTask('load', { ...task })] })).run_id ?? 0;

async function endOf(runId: number) {
  await waitUntil(`run ${runId} has ended`, async () => {
    const run = await server.client.runsGet({ run_id: runId }).catch(() => null);
    return run?.status.state === 'TERMINATED';
  });
  return server.client.runsGet({ run_id: runId });
}

const attemptsOf = async (runId: number) =>
  ((await endOf(runId)).tasks ?? []).map(({ attempt_number, state }) => [attempt_number, state.result_state]);

/** Claims and begins by hand, as a worker does that says nothing afterwards. */
async function beginAndFallSilent(runId: number) {
  const source = aSource(server, token, { workerId: 'silent' });
  ends.push(() => source.close());
  await source.connect();
  await source.register({ workerId: 'silent', slots: 1, backend: 'local' });
  const signal = AbortSignal.timeout(20_000);
  const [attempt] = await source.claim({ workerId: 'silent', freeSlots: () => 1, prepare: () => {}, signal });
  if (attempt?.runId !== runId) throw new Error('another attempt was claimed');
  const ref: AttemptRef = { attemptId: attempt.attemptId, epoch: attempt.epoch };
  expect(await source.start('silent', [ref])).toEqual([ref]);
  const result = { kind: 'succeeded' } as const;
  const report = () =>
    source.report('silent', [{ kind: 'ended', ...ref, outcome: result, taskValues: {}, exitValue: null }]);
  return { source, ref, report };
}

test('a worker that dies while its task is PENDING: the task begins on another one, at no cost', async () => {
  const proxy: CuttableProxy = await startProxy(server.url);
  const source = aSource({ url: proxy.url }, token, { workerId: 'dying' });
  const { dataRoot } = await source.connect();
  // Its cluster does not come up as long as the test lasts.
  const backend = createFakeBackend({ clock, startMs: 60_000 });
  const options = { source, backend, workerId: 'dying', slots: 1, dataRoot, spare: null, clock };
  const dying: Worker = await startWorker({ ...options, log: { ...silentLog, error: () => undefined } });
  const runId = await submit({});
  await waitUntil('it is taken and waits for its cluster', async () => {
    const { rows } = await server.database.pool.query("select 1 from task_runs where state = 'claimed'");
    return rows.length === 1;
  });
  const [task] = (await server.client.runsGet({ run_id: runId })).tasks ?? [];
  expect(task?.state.life_cycle_state).toBe('PENDING');

  proxy.cut();
  ends.push(async () => {
    await proxy.close();
    source.close();
    void dying.stop();
  });
  const next = await aWorker('next');

  expect(await attemptsOf(runId)).toEqual([[0, 'SUCCESS']]);
  expect(next.starts).toHaveLength(1);
});

test('a result that arrives after its lease expired is heard, and changes nothing', async () => {
  const runId = await submit({ max_retries: 1, fake: { kind: 'succeed', afterMs: 500 } });
  const { report } = await beginAndFallSilent(runId);
  await waitUntil('it is lost, and another attempt is due', async () => {
    return ((await server.client.runsGet({ run_id: runId })).tasks ?? []).length === 2;
  });

  await report();
  await aWorker('next');

  expect(await attemptsOf(runId)).toEqual([
    [0, 'FAILED'],
    [1, 'SUCCESS'],
  ]);
});

test('a report for a task that has finished is heard after an upgrade of the server too, and changes nothing', async () => {
  const runId = await submit({ max_retries: 3 });
  const { report } = await beginAndFallSilent(runId);
  await report();
  const before = await endOf(runId);

  server = await server.restart();
  // To the address that it has now, from a worker that never heard the first answer.
  const { attemptId, epoch } = await refOf(runId);
  const answer = await server.send('POST', '/api/headrace/workers/report', {
    token,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      ...{ worker_id: 'silent', registration: 1 },
      reports: [
        {
          ...{ kind: 'ended', attempt_id: attemptId, epoch, task_values: {}, exit_value: null },
          outcome: { kind: 'succeeded' },
        },
        { kind: 'lost', attempt_id: attemptId, epoch, before_user_code: false, message: 'late' },
      ],
    }),
  });

  expect([answer.status, await answer.text()]).toEqual([200, '{}']);
  expect(await endOf(runId)).toEqual(before);
});

async function refOf(runId: number): Promise<{ attemptId: number; epoch: number }> {
  const { rows } = await server.database.pool.query(
    'select attempt_id, epoch from task_runs where run_id = $1',
    [runId],
  );
  return { attemptId: Number(rows[0].attempt_id), epoch: Number(rows[0].epoch) };
}

test('a database that restarts while the server drains: the drain ends, and the next start finds all', async () => {
  const worker = await aWorker('far');
  const runIds = await Promise.all(
    [200, 700, 1_500].map((afterMs) => submit({ fake: { kind: 'succeed', afterMs } })),
  );
  await waitUntil('all run', () => worker.starts.length === 3);

  const restarted = server.restart();
  await trouble.refuse();
  // As long as a restart of PostgreSQL takes; nothing to wait for.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  await trouble.heal();
  server = await restarted;

  for (const runId of runIds) expect(await attemptsOf(runId)).toEqual([[0, 'SUCCESS']]);
  expect(worker.starts).toHaveLength(3);
});
