import { routes } from '@headrace/api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ config: { bodyBytesMax: 2 * 1024 ** 2 }, backend: null });
});
afterAll(() => server.dispose());

const json = { 'content-type': 'application/json' };
const readError = async (response: Response) => {
  const body = (await response.json()) as { error_code: string; message: string; details: unknown[] };
  expect(Object.keys(body)).toEqual(['error_code', 'message', 'details']);
  return { status: response.status, ...body };
};

/** Bodies and values that no route takes. */
const oddities: [string, string][] = [
  ['malformed JSON', '{"path": '],
  ['a list', '[]'],
  ['a text', '"x"'],
  [
    'wrong types',
    '{"job_id": {}, "path": 7, "name": [], "full_name": false, "run_id": "x", "cluster_id": {}, "token_id": 3, "settings": 1}',
  ],
  [
    'NUL',
    JSON.stringify({
      path: '/a\0b',
      name: '\0',
      full_name: 'a.b.\0',
      token_id: '\0',
      settings: { name: '\0' },
      job_id: 1,
    }),
  ],
  [
    'half a character',
    '{"path": "/\\ud800", "name": "\\ud800", "full_name": "a.b.\\ud800", "job_id": 1, "new_settings": {"name": "\\ud800"}}',
  ],
  ['a prototype', '{"__proto__": {"isAdmin": true}, "path": "/x"}'],
  ['deep nesting', `{"settings": ${'['.repeat(5_000)}${']'.repeat(5_000)}}`],
  ['huge numbers', '{"job_id": 1e400, "run_id": 99999999999999999999, "page_size": -1, "limit": 1e9}'],
];

test('bad input never gives a 5xx, on any route', async () => {
  for (const [name, route] of Object.entries(routes)) {
    if (route.kind === 'events') continue;
    for (const [what, body] of oddities) {
      const path = route.path.replaceAll(/\{\w+\+?\}/g, '%22x%22');
      const hasBody = route.method !== 'GET' && route.method !== 'HEAD';
      const response = await server.send(route.method, path, hasBody ? { headers: json, body } : {});

      expect([name, what, response.status < 500]).toEqual([name, what, true]);
    }
  }
});

test('queries of odd values never give a 5xx, on any route', async () => {
  const query =
    '?job_id=x&run_id=%00&path=%00&full_name=..&catalog_name=%ED%A0%80&schema_name=%00&page_token=%F0&limit=-1&max_results=1e9&cluster_id=&offset=9e99&expand_tasks=maybe&code=%00';
  for (const [name, route] of Object.entries(routes)) {
    if (route.method !== 'GET') continue;
    const path = route.path.replaceAll(/\{\w+\+?\}/g, '%00');
    const response = await server.send('GET', path + query);

    expect([name, response.status < 500]).toEqual([name, true]);
  }
});

test('malformed JSON and bodies that are no object are told apart from wrong fields', async () => {
  const post = async (body: string) =>
    readError(await server.send('POST', '/api/2.2/jobs/create', { headers: json, body }));

  expect(await post('{bad')).toMatchObject({ status: 400, error_code: 'MALFORMED_REQUEST' });
  expect(await post('[]')).toMatchObject({ status: 400, error_code: 'MALFORMED_REQUEST' });
  expect(await post('{"tasks":[{"task_key":"a","notebook_task":{"notebook_path":5}}]}')).toMatchObject({
    status: 400,
    error_code: 'INVALID_PARAMETER_VALUE',
    message: expect.stringContaining('tasks[0].notebook_task.notebook_path'),
  });
});

test('unknown paths are not found; known endpoints of the hosted product say that they are missing', async () => {
  const get = async (path: string) => readError(await server.send('GET', path));

  expect(await get('/nothing')).toMatchObject({ status: 404, error_code: 'ENDPOINT_NOT_FOUND' });
  expect(await get('/api/2.0/pipelines/x')).toMatchObject({ status: 501, error_code: 'NOT_IMPLEMENTED' });
  expect(await get('/api/2.1/unity-catalog/catalogs/%zz')).toMatchObject({
    status: 400,
    error_code: 'MALFORMED_REQUEST',
  });
});

test('a body beyond the limit is refused and names the limit', async () => {
  const body = JSON.stringify({ path: '/Shared/big', content: 'A'.repeat(3 * 1024 ** 2), format: 'RAW' });

  const error = await readError(
    await server.send('POST', '/api/2.0/workspace/import', { headers: json, body }),
  );

  expect(error).toMatchObject({ status: 400, error_code: 'INVALID_PARAMETER_VALUE' });
  expect(error.message).toContain(String(2 * 1024 ** 2));
});

test('too many requests in a minute are refused with the time to wait', async () => {
  const small = await startTestServer({ config: { requestsPerMinute: 5 }, backend: null });

  const statuses: number[] = [];
  let last: Response | undefined;
  for (let i = 0; i < 8; i += 1) {
    last = await small.send('GET', '/api/2.0/preview/scim/v2/Me');
    statuses.push(last.status);
  }

  expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(5);
  if (last?.status === 429) expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(statuses).toContain(429);
  await small.dispose();
});

test('every answer carries a request id, and none invites to sniff its type', async () => {
  const response = await server.send('GET', '/healthz', { token: null });

  expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  expect(response.headers.get('x-content-type-options')).toBe('nosniff');
});

test.each(['multipart/form-data; boundary=z', 'multipart/form-data'])(
  'a body that is not the form of its content type %s is malformed',
  async (contentType) => {
    const response = await server.send('POST', '/api/2.0/workspace/import', {
      headers: { 'content-type': contentType },
      body: 'xx',
    });

    expect(await readError(response)).toMatchObject({ status: 400, error_code: 'MALFORMED_REQUEST' });
  },
);
