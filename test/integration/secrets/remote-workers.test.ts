/** A worker on another machine reads what its clusters name, with the rights of those that it works for. */
import { createFakeBackend, startWorker } from '@headrace/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { scriptFromParameters } from '../../../packages/worker/src/hosts/fake/fake-script.ts';
import type { ClusterAssignment } from '../../../packages/worker/src/ports.ts';
import { silentLog } from '../../../packages/worker/src/testing/memory-source.ts';
import { waitUntil } from '../../support/census.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { fakeTask } from '../runs/engine.ts';
import { aSource, clock, makeWorkerToken } from '../workers/support.ts';
import { addUser, type TestUser } from './support.ts';

let server: TestServer;
let ada: TestUser;
let bob: TestUser;
const ends: (() => Promise<void>)[] = [];
beforeAll(async () => {
  server = await startTestServer({ backend: null });
  [ada, bob] = [await addUser(server, 'ada'), await addUser(server, 'bob')];
  for (const { client, userName } of [ada, bob]) {
    await client.secretScopesCreate({ scope: userName });
    await client.secretsPut({ scope: userName, key: 'k', string_value: `hunter2 of ${userName}` });
  }
});
afterAll(async () => {
  for (const end of ends) await end();
  await server.dispose();
});

async function startFarWorker() {
  const started: ClusterAssignment[] = [];
  const leave = new AbortController();
  const source = aSource(server, await makeWorkerToken(server), { signal: leave.signal });
  const fake = createFakeBackend({ clock, script: scriptFromParameters });
  const backend = {
    ...fake,
    start(cluster: ClusterAssignment) {
      started.push(cluster);
      return fake.start(cluster);
    },
  };
  const { dataRoot } = await source.connect();
  const options = { source, backend, workerId: 'far', slots: 4, dataRoot, spare: null, clock };
  const worker = await startWorker({ ...options, log: { ...silentLog, error: () => undefined } });
  ends.push(async () => {
    leave.abort();
    await worker.stop();
    source.close();
  });
  return { source, started };
}

const aTask = (scope: string, parameters: Record<string, unknown>) => ({
  ...fakeTask('t', parameters),
  new_cluster: { num_workers: 0, spark_env_vars: { X: `{{secrets/${scope}/k}}` } },
});

async function submit({ client }: TestUser, task: ReturnType<typeof aTask>): Promise<number> {
  return (await client.runsSubmit({ tasks: [task] })).run_id;
}

test('its hosts get the values, and it gets none of somebody for whom it runs nothing', async () => {
  const { source, started } = await startFarWorker();
  const read = (principalId: number, scope: string) =>
    source.revealSecrets('far', { principalId, references: [{ scope, key: 'k' }] }).then(
      ([value]) => Buffer.from(value ?? []).toString(),
      (error) => error.code as string,
    );
  expect(await read(ada.id, 'ada')).toBe('PERMISSION_DENIED');

  const runId = await submit(ada, aTask('ada', { fake: { kind: 'hang' } }));
  await waitUntil('the host starts', () => started.length > 0);

  expect(started[0]?.environment).toEqual({ X: 'hunter2 of ada' });
  expect(started[0]?.secretValues).toEqual(['hunter2 of ada']);
  expect(await read(ada.id, 'ada')).toBe('hunter2 of ada');
  expect(await read(ada.id, 'bob')).toBe('PERMISSION_DENIED');
  expect(await read(bob.id, 'bob')).toBe('PERMISSION_DENIED');
  await ada.client.runsCancel({ run_id: runId });
  await waitUntil('the run has ended', async () => {
    const { status } = await ada.client.runsGet({ run_id: runId });
    return status.state === 'TERMINATED';
  });
  expect(await read(ada.id, 'ada')).toBe('PERMISSION_DENIED');
});

test('what a worker reads is in the audit log by name', async () => {
  await server.stop();

  const { rows } = await server.database.pool.query<{ status: number; parameters: object }>(
    `select status, parameters from audit_events where action = 'workers.read-secrets'`,
  );

  expect(rows.filter(({ status }) => status === 200)[0]?.parameters).toMatchObject({ references: 'ada/k' });
  expect(rows.filter(({ status }) => status === 403).length).toBeGreaterThan(0);
  expect(JSON.stringify(rows)).not.toContain('hunter2');
});
