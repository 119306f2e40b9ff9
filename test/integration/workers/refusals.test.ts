/** What keeps a worker out, with the reason and the cure. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ApiError } from '@headrace/api';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { aSource, clock, makeWorkerToken, type RemoteWorker, startRemoteWorker } from './support.ts';

let server: TestServer;
let token: string;
const workers: RemoteWorker[] = [];
beforeAll(async () => {
  server = await startTestServer({ backend: null });
  token = await makeWorkerToken(server);
});
afterEach(async () => {
  for (const worker of workers.splice(0)) await worker.stop();
});
afterAll(() => server.dispose());

async function refusalOf(as: string, overrides: Parameters<typeof aSource>[2]): Promise<ApiError> {
  const source = aSource(server, as, overrides);
  const refusal = await source.register({ workerId: 'far', slots: 1, backend: 'fake' }).then(
    () => null,
    (error: unknown) => error,
  );
  source.close();
  if (!(refusal instanceof ApiError)) throw new Error('not refused', { cause: refusal });
  return refusal;
}

test('an unknown token', async () => {
  const refusal = await refusalOf('hrp_nonsense', {});

  expect(refusal).toMatchObject({ status: 401, message: 'the token is unknown, expired or revoked' });
});

test("a user's token, with who makes the right one", async () => {
  await server.database.pool.query(
    `insert into principals (id, user_name, display_name, kind, is_admin, created_at_ms)
     values (5, 'eve', 'Eve', 'user', false, 0)`,
  );
  await server.database.pool.query(
    `insert into tokens (id, principal_id, kind, comment, hash, created_at_ms)
     values ('eves', 5, 'personal', '', sha256('hrp_eve'), 0)`,
  );

  const refusal = await refusalOf('hrp_eve', {});

  expect(refusal).toMatchObject({
    status: 403,
    message: expect.stringContaining('headrace workers create-token'),
  });
});

test('a token of workers opens nothing else', async () => {
  for (const target of ['/api/2.2/jobs/list', '/api/headrace/status', '/api/headrace/worker-tokens/list']) {
    expect((await server.send('GET', target, { token })).status, target).toBe(403);
  }
});

test('a protocol of another time, with what to update', async () => {
  const old = await refusalOf(token, { protocolVersion: 0 });
  const young = await refusalOf(token, { protocolVersion: 99 });

  expect(old).toMatchObject({ status: 400, message: expect.stringContaining('too old') });
  expect(old.message).toContain('install the Headrace release of the server');
  expect(young.message).toContain('update the server first');
});

test('a clock that is wrong by an hour, with the difference', async () => {
  const ahead = await refusalOf(token, { clock: { nowMs: () => Date.now() + 3_600_000 } });
  const behind = await refusalOf(token, { clock: { nowMs: () => Date.now() - 3_600_000 } });

  expect(ahead.message).toMatch(/36\d\d\.\d s ahead of PostgreSQL's: let a time service/);
  expect(behind.message).toMatch(/3(599|6\d\d)\.\d s behind PostgreSQL's/);
});

test('a clock that is wrong by some seconds is told, and harms nothing', async () => {
  const warnings: string[] = [];
  const log = {
    debug: () => {},
    info: () => {},
    warn: (_fields: object, message: string) => void warnings.push(message),
    error: () => {},
  };

  const slow = { nowMs: () => clock.nowMs() - 10_000 };
  workers.push(await startRemoteWorker(server, token, { workerId: 'slow', clock: slow, log }));

  expect(warnings.join()).toMatch(/behind PostgreSQL's: let a time service/);
});

test('another data root, with where it must be', async () => {
  const other = fs.mkdtempSync(path.join(os.tmpdir(), 'other-root-'));

  const refusal = await refusalOf(token, { dataRoot: other });

  expect(refusal.message).toContain(`${other} of the worker is not the data root of this server`);
  expect(refusal.message).toContain(fs.realpathSync(path.join(server.stateDir, 'data')));
  fs.rmSync(other, { recursive: true });
});

test('a folder that only has the name of the data root: each must read what the other wrote', async () => {
  const asked = await server.client.workersChallenge({ worker_id: 'far', protocol_version: 1 });
  const register = (proof: { challenge: string; read: string; written: string }) =>
    server.client.workersRegister({
      ...{ worker_id: 'far', instance_id: crypto.randomUUID(), protocol_version: 1, slots: 1, labels: {} },
      ...{ backend: 'fake', now_ms: Date.now(), data_root: asked.data_root, data_root_proof: proof },
      host: { hostname: 'x', pid: 1, platform: 'x', cpus: 1, memory_bytes: 1, version: 'x' },
    });
  const written = 'w'.repeat(20);
  const right = fs.readFileSync(path.join(asked.data_root, asked.read_file), 'utf8');

  const unwritten = register({ challenge: asked.challenge, read: right, written });

  await expect(unwritten).rejects.toThrow("the server did not find the worker's file");
  const again = await server.client.workersChallenge({ worker_id: 'far', protocol_version: 1 });
  fs.writeFileSync(path.join(again.data_root, again.write_file), written);
  const unread = register({ challenge: again.challenge, read: 'guessed', written });
  await expect(unread).rejects.toThrow("the worker did not find the server's file");
  const used = register({ challenge: again.challenge, read: 'guessed', written });
  await expect(used).rejects.toThrow('answered already');
  const left = fs.readdirSync(path.join(again.data_root, 'workers')).join();
  expect(left).not.toContain(asked.challenge);
  expect(left).not.toContain(again.challenge);
});

test('an id that another live process has, with who has it and until when', async () => {
  workers.push(await startRemoteWorker(server, token, { workerId: 'twin' }));

  const refusal = await refusalOf(token, { workerId: 'twin' });

  expect(refusal).toMatchObject({ status: 409 });
  expect(refusal.message).toMatch(
    /runs already, as process 1 on elsewhere.*--state-dir.*lease ends in \d+ s/s,
  );
});

test('the successor of a process that ended takes its place at once; the old one hears that it was replaced', async () => {
  const first = await startRemoteWorker(server, token, {
    workerId: 'heir',
    instanceId: 'the-first-instance',
  });
  workers.push(first);

  const next = await startRemoteWorker(server, token, {
    workerId: 'heir',
    previousInstanceIds: ['the-first-instance'],
  });
  workers.push(next);

  await expect.poll(() => first.refused.length, { timeout: 15_000 }).toBeGreaterThan(0);
  expect(first.refused[0]).toContain('no longer speaks for worker heir');
  expect(next.refused).toEqual([]);
});

test('a worker that signed off leaves its id free', async () => {
  const first = await startRemoteWorker(server, token, { workerId: 'leaving' });
  await first.worker.drain(AbortSignal.timeout(5_000));
  await first.source.signOff();
  await first.stop();

  workers.push(await startRemoteWorker(server, token, { workerId: 'leaving' }));

  const { workers: shown } = await server.client.status({});
  expect(shown.find(({ worker_id }) => worker_id === 'leaving')).toMatchObject({ state: 'live' });
});

test('each registration leaves a row in the audit log, refused or not', async () => {
  workers.push(await startRemoteWorker(server, token, { workerId: 'audited', labels: { zone: 'a' } }));
  await refusalOf(token, { workerId: 'audited' });

  await expect
    .poll(async () => {
      const { rows } = await server.database.pool.query(
        `select status from audit_events
         where action = 'workers.register' and parameters ->> 'worker_id' = 'audited' order by id`,
      );
      return rows;
    })
    .toEqual([{ status: 200 }, { status: 409 }]);
});

test('the status shows where a worker is and what it is labelled', async () => {
  workers.push(await startRemoteWorker(server, token, { workerId: 'shown', labels: { gpu: 'yes' } }));

  const { workers: shown } = await server.client.status({});

  expect(shown.find(({ worker_id }) => worker_id === 'shown')).toMatchObject({
    ...{ state: 'live', labels: { gpu: 'yes' }, hostname: 'elsewhere', slots: 4, running: 0 },
  });
});

test('a token that was revoked', async () => {
  const { token_value, token_info } = await server.client.workerTokensCreate({});
  workers.push(await startRemoteWorker(server, token_value, { workerId: 'revoked' }));

  await server.client.workerTokensDelete({ token_id: token_info.token_id });

  expect((await refusalOf(token_value, { workerId: 'revoked' })).status).toBe(401);
});
