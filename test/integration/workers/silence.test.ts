/** What people hear of a worker that is not heard of, long before its lease ends. Time passes in the store. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listWorkers } from '../../../packages/server/src/attempts/worker-status.ts';
import { waitUntil } from '../../support/census.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { fakeTask, startTestEngine, type TestEngine } from '../runs/engine.ts';
import { shortLeaseMs, startRemoteWorker } from './support.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine({ hasWorker: false });
});
afterAll(() => engine.close());

type Backend = 'remote' | 'local';

/** A run of one task that runs on a worker which this test plays. */
async function runOn(workerId: string, backend: Backend, labels: Record<string, string> = {}) {
  const { source } = engine.runs;
  await source.register({ workerId, slots: 1, backend });
  await engine.db.pool.query('update workers set labels = $2 where worker_id = $1', [workerId, labels]);
  const { run_id: runId } = await engine.client.runsSubmit({ run_name: 'silent', tasks: [fakeTask('load')] });
  const signal = AbortSignal.timeout(5_000);
  const [attempt] = await source.claim({ workerId, freeSlots: () => 1, prepare: () => {}, signal });
  if (!attempt) throw new Error('nothing was claimed');
  const { attemptId, epoch } = attempt;
  await source.report(workerId, [{ kind: 'started', attemptId, epoch, startedAtMs: Date.now() }]);
  return { runId: runId ?? 0, attemptId, epoch };
}

const fallSilent = (workerId: string, seconds: number) =>
  engine.db.pool.query(
    `update workers set heartbeat_at_ms = heartbeat_at_ms - $2, lease_expires_at_ms = lease_expires_at_ms - $2
     where worker_id = $1`,
    [workerId, seconds * 1000],
  );

const shown = async (workerId: string) =>
  (await listWorkers(engine.services.db)).find(({ worker_id }) => worker_id === workerId);

const why = (runId: number) => engine.client.runsWhy({ run_id: runId, task_key: 'load' });

test('a worker that was just heard of is live, and the tasks on it have nothing to add', async () => {
  const { runId } = await runOn('heard', 'remote');
  await fallSilent('heard', 8);

  expect(await shown('heard')).toMatchObject({ state: 'live', running: 1 });
  expect((await why(runId)).sentence).toMatch(/ on worker heard\.$/);
});

test('one that missed heartbeats is silent while its lease goes on, and its task says what follows', async () => {
  const { runId } = await runOn('far', 'remote');
  await fallSilent('far', 20);

  const worker = await shown('far');
  const { sentence, facts } = await why(runId);

  expect(worker).toMatchObject({ state: 'silent', running: 1 });
  expect(worker?.heard_ms_ago).toBeGreaterThanOrEqual(20_000);
  expect(worker?.lease_left_ms).toBeGreaterThan(0);
  expect(worker?.lease_left_ms).toBeLessThanOrEqual(40_000);
  expect(facts).toMatchObject([{ kind: 'running', silence: { worker_id: 'far' } }]);
  expect(sentence).toMatch(
    /on worker far, but worker far was last heard of \d+ s ago: without news within \d+ s the attempt counts as lost\.$/,
  );
});

test('one whose lease has ended has lost its task', async () => {
  const { runId } = await runOn('lost', 'remote');
  await fallSilent('lost', 90);

  expect(await shown('lost')).toMatchObject({ state: 'silent', lease_left_ms: 0 });
  expect((await why(runId)).sentence).toContain('its lease has ended');
});

test('one inside a server that is down is silent, and its task is not lost', async () => {
  const { runId } = await runOn('here', 'local');
  await fallSilent('here', 3_600);

  expect(await shown('here')).toMatchObject({ state: 'silent', lease_left_ms: null });
  expect((await why(runId)).sentence).toContain('last heard of 60 min ago: its server is down or stuck');
});

test('a task that waits is told of the silent worker that could take it', async () => {
  await runOn('tape', 'remote', { disk: 'tape' });
  await fallSilent('tape', 25);
  const tasks = [fakeTask('load', { headrace: { worker_labels: { disk: 'tape' } } })];
  const { run_id } = await engine.client.runsSubmit({ run_name: 'waits', tasks });

  const { sentence, facts } = await why(run_id ?? 0);

  expect(facts).toMatchObject([{ workers: 0, silent_workers: [{ worker_id: 'tape' }] }]);
  expect(sentence).toMatch(/with disk=tape, as number 1: tape was last heard of 2\d s ago\.$/);
});

test('one whose token is revoked is not heard of any more', async () => {
  const server: TestServer = await startTestServer({
    backend: null,
    config: { workerLeaseMs: shortLeaseMs },
  });
  const { token_value, token_info } = await server.client.workerTokensCreate({});
  const worker = await startRemoteWorker(server, token_value, { workerId: 'revoked' });
  await server.client.workerTokensDelete({ token_id: token_info.token_id });
  await waitUntil('the process is told', () => worker.refused.length > 0);

  await server.database.pool.query('update workers set heartbeat_at_ms = heartbeat_at_ms - 20000');

  const { workers } = await server.client.status({});
  expect(workers.find(({ worker_id }) => worker_id === 'revoked')).toMatchObject({ state: 'silent' });
  await worker.stop();
  await server.dispose();
});
