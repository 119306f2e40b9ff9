/** What the token of a task opens: every route is either named as denied, or asked and answered. */
import { type Client, createClient, type RouteName, routes } from '@headrace/api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadTaskTokenKey, mintTaskToken } from '../../../packages/server/src/attempts/task-token.ts';
import { deniedToTasks } from '../../../packages/server/src/http/task-scope.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { addUser, type TestUser } from '../secrets/support.ts';

/** The signature in its link says who may, and no token is looked at. */
const byLink: RouteName = 'statementsResultFile';
/** For the one alert that the attempt itself evaluates: sql/alert-tasks.test.ts. */
const byAttempt: readonly RouteName[] = ['alertWorkGet', 'alertWorkReport'];
const names = (Object.keys(routes) as RouteName[]).filter(
  (name) => name !== byLink && !byAttempt.includes(name),
);
const tasks = [{ task_key: 'a', notebook_task: { notebook_path: '/Shared/x' } }];

let server: TestServer;
let other: TestUser;
beforeAll(async () => {
  // No worker: a row says that the attempt is under way.
  server = await startTestServer({ backend: null });
  other = await addUser(server, 'ann');
});
afterAll(() => server.dispose());

/** Of an attempt that runs, as its worker would give it to the task. */
async function tokenOfTask(client: Client, principalId: number): Promise<string> {
  const { db } = server.services;
  const { run_id } = await client.runsSubmit({ tasks });
  const { rows } = await db.pool.query<{ attempt_id: number }>(
    `update task_runs set state = 'running', claim_epoch = 1 where run_id = $1 returning attempt_id`,
    [run_id],
  );
  const attemptId = rows[0]?.attempt_id ?? 0;
  const expiresAtS = Math.round(Date.now() / 1000) + 600;
  return mintTaskToken(await loadTaskTokenKey(db), { attemptId, epoch: 1, principalId, expiresAtS });
}

/** The answer to a request that names nothing. */
async function ask(name: RouteName, token: string): Promise<{ status: number; code: string }> {
  const { method, path } = routes[name];
  const body = ['GET', 'HEAD', 'DELETE'].includes(method) ? {} : { body: '{}' };
  const response = await server.send(method, path.replaceAll(/\{\w+\+?\}/g, '1'), { token, ...body });
  const text = response.headers.get('content-type')?.includes('json') ? await response.text() : '';
  if (text === '') await response.body?.cancel();
  const code: unknown = text.startsWith('{') ? JSON.parse(text).error_code : undefined;
  return { status: response.status, code: String(code) };
}

test('whoever adds a route for administrators or workers decides whether tasks may use it', () => {
  const isRule = (name: RouteName) => ['admin', 'worker'].includes(routes[name].permission);
  const allowed = ['catalogsCreate', 'catalogsUpdate', 'catalogsDelete'];
  const access = ['tokensCreate', 'tokensDelete', 'signOut', 'secretAclsPut', 'secretAclsDelete'];
  const expected = names.filter((name) => isRule(name) && !allowed.includes(name));

  expect([...deniedToTasks].sort()).toEqual([...expected, ...access].sort());
});

describe('the task of an administrator', () => {
  let token: string;
  beforeAll(async () => {
    const { id } = await server.client.currentUserMe({});
    token = await tokenOfTask(server.client, Number(id));
  });

  test.each(names.filter((name) => deniedToTasks.has(name)))('is denied %s', async (name) => {
    expect(await ask(name, token)).toEqual({ status: 403, code: 'PERMISSION_DENIED' });
  });

  test.each(names.filter((name) => !deniedToTasks.has(name)))('may ask for %s', async (name) => {
    expect((await ask(name, token)).status).not.toBe(403);
  });
});

describe('the task of somebody else', () => {
  let client: Client;
  let token: string;
  beforeAll(async () => {
    token = await tokenOfTask(other.client, other.id);
    client = createClient({ baseUrl: server.url, token });
  });

  test('is denied what only administrators may, and what tasks may not', async () => {
    const denied: string[] = [];
    for (const name of names) {
      const { status } = await ask(name, token);
      if (status === 403) denied.push(name);
    }

    const expected = new Set<string>([
      ...deniedToTasks,
      'catalogsCreate',
      'catalogsUpdate',
      'catalogsDelete',
    ]);
    expect(denied.sort()).toEqual([...expected].sort());
  });

  test('can neither read nor change what is another’s', async () => {
    const admin = server.client;
    await admin.secretScopesCreate({ scope: 'mine' });
    await admin.secretsPut({ scope: 'mine', key: 'k', string_value: 'v' });
    const { cluster_id } = await admin.clustersCreate({
      cluster_name: 'c',
      spark_version: 'x',
      num_workers: 0,
    });
    const { credential_id } = await admin.gitCredentialsCreate({ git_provider: 'gitHub' });
    const { id } = await admin.currentUserMe({});
    const principal_id = Number(id);
    const libraries = [{ pypi: { package: 'a' } }];

    const calls: (() => Promise<unknown>)[] = [
      () => client.secretsGet({ scope: 'mine', key: 'k' }),
      () => client.secretsList({ scope: 'mine' }),
      () => client.secretsPut({ scope: 'mine', key: 'k', string_value: 'w' }),
      () => client.secretsDelete({ scope: 'mine', key: 'k' }),
      () => client.secretScopesDelete({ scope: 'mine' }),
      () => client.secretAclsPut({ scope: 'mine', principal: 'ann', permission: 'READ' }),
      () => client.secretAclsList({ scope: 'mine' }),
      () => client.clustersEdit({ cluster_id, spark_version: 'x', num_workers: 0 }),
      () => client.clustersDelete({ cluster_id }),
      () => client.clustersPermanentDelete({ cluster_id }),
      () => client.clustersRestart({ cluster_id }),
      () => client.clustersResize({ cluster_id, num_workers: 1 }),
      () => client.clustersPin({ cluster_id }),
      () => client.librariesInstall({ cluster_id, libraries }),
      () => client.librariesUninstall({ cluster_id, libraries }),
      () => client.gitCredentialsList({ principal_id }),
      () => client.gitCredentialsGet({ credential_id, principal_id }),
      () => client.gitCredentialsDelete({ credential_id, principal_id }),
    ];

    const outcomes = await Promise.all(
      calls.map((call) =>
        call().then(
          () => 'done',
          (error) => error.code,
        ),
      ),
    );
    expect(outcomes).toEqual(calls.map(() => 'PERMISSION_DENIED'));
  });
});
