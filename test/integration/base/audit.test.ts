import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitUntil } from '../../support/census.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ backend: null });
});
afterAll(() => server.dispose());

interface Row {
  readonly action: string;
  readonly user_name: string | null;
  readonly status: number;
  readonly error_code: string | null;
  readonly source_ip: string;
  readonly parameters: Record<string, unknown>;
}

async function readRows(requestId: string): Promise<Row[]> {
  const { rows } = await server.database.pool.query<Row>('select * from audit_events where request_id = $1', [
    requestId,
  ]);
  return rows;
}

async function sendAudited(
  method: string,
  path: string,
  options: Parameters<TestServer['send']>[2] = {},
): Promise<Row> {
  const response = await server.send(method, path, options);
  const requestId = response.headers.get('x-request-id') ?? '';
  await response.arrayBuffer();
  await waitUntil('the audit row is written', async () => (await readRows(requestId)).length > 0);
  const rows = await readRows(requestId);
  expect(rows).toHaveLength(1);
  return rows[0] as Row; // One, as was just checked.
}

test('a request leaves one row: who, what, from where, how it ended', async () => {
  const row = await sendAudited('POST', '/api/2.0/workspace/mkdirs', { body: '{"path": "/Shared/a"}' });

  expect(row).toMatchObject({
    ...{
      action: 'workspace.mkdirs',
      user_name: 'admin',
      status: 200,
      error_code: null,
      source_ip: '127.0.0.1',
    },
    parameters: { path: '/Shared/a' },
  });
});

test('refused requests leave theirs too', async () => {
  expect(await sendAudited('GET', '/api/2.2/jobs/list', { token: 'hrp_stolen' })).toMatchObject({
    ...{ action: 'jobs.list', user_name: null, status: 401, error_code: 'UNAUTHENTICATED', parameters: {} },
  });
  expect(await sendAudited('GET', '/api/2.2/jobs/get?job_id=1')).toMatchObject({
    action: 'jobs.get',
    status: 400,
  });
  expect(await sendAudited('POST', '/api/2.2/jobs/create', { body: '{bad' })).toMatchObject({
    error_code: 'MALFORMED_REQUEST',
  });
});

test('no content, token or parameter of a run is in any row', async () => {
  const secret = 'c2VjcmV0LXRoaW5n';
  await sendAudited('POST', '/api/2.0/workspace/import', {
    body: JSON.stringify({ path: '/Shared/s', format: 'RAW', content: secret }),
  });
  await sendAudited('POST', '/api/2.2/jobs/create', {
    body: JSON.stringify({ name: 'j', parameters: [{ name: 'p', default: secret }], tasks: [] }),
  });
  await sendAudited('POST', '/api/2.2/jobs/run-now', {
    body: JSON.stringify({ job_id: 1, job_parameters: { p: secret }, idempotency_token: secret }),
  });
  await sendAudited('GET', `/api/headrace/sign-in?code=${secret}`, { token: null });

  const { rows } = await server.database.pool.query('select * from audit_events');
  expect(JSON.stringify(rows)).not.toContain(secret);
});

test('an orderly stop loses none', async () => {
  const other = await startTestServer({ backend: null });
  const sent = await Promise.all(
    Array.from({ length: 300 }, () => other.send('GET', '/api/2.0/preview/scim/v2/Me')),
  );
  await Promise.all(sent.map((response) => response.arrayBuffer()));

  await other.stop();

  const { rows } = await other.database.pool.query<{ count: number }>(
    `select count(*) as count from audit_events where action = 'users.me'`,
  );
  expect(rows[0]?.count).toBe(300);
  await other.dispose();
});
