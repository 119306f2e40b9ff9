/** Requests are told to come back, loops go on afterwards, and no run notices more than time. */
import { routes } from '@headrace/api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitUntil } from '../../support/census.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { fakeTask } from '../runs/engine.ts';
import { putProxyBefore, type TroubledDatabase } from './trouble.ts';

let server: TestServer;
let trouble: TroubledDatabase;
beforeAll(async () => {
  server = await startTestServer({
    wrapDatabase: async (url) => {
      trouble = await putProxyBefore(url);
      return trouble.url;
    },
  });
});
afterAll(async () => {
  await trouble.heal();
  await server.dispose();
  await trouble.close();
});

const slowTask = (afterMs: number) => fakeTask('slow', { fake: { kind: 'succeed', afterMs } });

async function submit(afterMs = 300): Promise<number> {
  const { run_id } = await server.client.runsSubmit({ run_name: 'work', tasks: [slowTask(afterMs)] });
  return run_id;
}

async function waitForSuccess(runId: number): Promise<void> {
  await waitUntil(`run ${runId} has ended`, async () => {
    const run = await server.client.runsGet({ run_id: runId }).catch(() => null);
    return run?.status.state === 'TERMINATED';
  });
  const run = await server.client.runsGet({ run_id: runId });
  expect(run.tasks?.map(({ attempt_number, state }) => [attempt_number, state.result_state])).toEqual([
    [0, 'SUCCESS'],
  ]);
}

const isReady = async () => (await server.send('GET', '/readyz', { token: null })).ok;

test('while connections are refused requests get 503 with Retry-After, and work goes on afterwards', async () => {
  const runId = await submit(1_500);
  await trouble.refuse();

  const answers = await Promise.all(
    ['/api/2.2/jobs/list', '/api/2.2/jobs/runs/list', '/readyz', '/api/headrace/status'].map((path) =>
      server.send('GET', path),
    ),
  );
  const created = await server.send('POST', '/api/2.2/jobs/create', {
    headers: { 'content-type': 'application/json' },
    body: '{"name": "x"}',
  });
  const config = await server.send('GET', '/.well-known/databricks-config', { token: null });
  const health = await server.send('GET', '/healthz', { token: null });
  await new Promise((resolve) => setTimeout(resolve, 2_500)); // An outage lasts; nothing to wait for.
  await trouble.heal();
  await waitUntil('the server is ready again', isReady);

  for (const answer of [...answers, created]) {
    expect([answer.url, answer.status, answer.headers.get('retry-after')]).toEqual([answer.url, 503, '1']);
    expect(await answer.json()).toMatchObject({ error_code: 'TEMPORARILY_UNAVAILABLE' });
  }
  expect([config.status, health.status]).toEqual([200, 200]);
  await waitForSuccess(runId);
  await waitForSuccess(await submit());
});

test('no route fails otherwise, and what clients ask first never does', async () => {
  await trouble.refuse();
  const others: string[] = [];
  const told: string[] = [];
  for (const [name, route] of Object.entries(routes)) {
    const hasBody = !['GET', 'HEAD'].includes(route.method);
    const answer = await server.send(route.method, route.path.replaceAll(/\{\w+\+?\}/g, '1'), {
      ...(hasBody ? { headers: { 'content-type': 'application/json' }, body: '{}' } : {}),
    });
    if (answer.status === 503 && answer.headers.get('retry-after') === '1') told.push(name);
    // Bad input is refused by whoever reads it, and what never changes is told.
    else if (![200, 400].includes(answer.status)) others.push(`${name} ${answer.status}`);
    await answer.body?.cancel();
  }
  await trouble.heal();
  await waitUntil('the server is ready again', isReady);

  // The families are built in, and none has this id: said to whoever is remembered, told to come back to others.
  // Only tasks come as SQL endpoints, and a link to a result is refused by its signature alone.
  const families = told.includes('policyFamiliesGet') ? [] : ['policyFamiliesGet 404'];
  const ofTasks = Object.entries(routes).filter(([, { permission }]) => permission === 'task');
  const refused = ofTasks.map(([name]) => name).filter((name) => !told.includes(name));
  const expected = [...families, 'statementsResultFile 403', ...refused.map((name) => `${name} 403`)];
  expect(others.sort()).toEqual(expected.sort());
  expect(told.length).toBeGreaterThan(20);
  expect(told).not.toContain('wellKnownConfig');
}, 180_000);

test('killed backends are replaced without a trace in the runs', async () => {
  const runIds = await Promise.all([submit(200), submit(600), submit(1_000)]);

  for (let round = 0; round < 3; round += 1) {
    await server.database.pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and pid <> pg_backend_pid()`,
    );
    await new Promise((resolve) => setTimeout(resolve, 200)); // The next round hits new connections.
  }

  for (const runId of runIds) await waitForSuccess(runId);
});

test('a database that takes two seconds for each answer slows runs down and fails none', async () => {
  trouble.delay(2_000);
  const runId = await submit(100);
  const { status } = await server.send('GET', '/api/2.2/jobs/list');
  await trouble.heal();

  expect(status).toBe(200);
  await waitForSuccess(runId);
});

test('a database that is silent makes the server not ready, and is asked anew once it speaks', async () => {
  const runId = await submit(500);
  trouble.silence();

  const ready = await server.send('GET', '/readyz', { token: null });
  await trouble.heal();
  await waitUntil('the server is ready again', isReady);

  expect([ready.status, ready.headers.get('retry-after')]).toEqual([503, '1']);
  await waitForSuccess(runId);
});
