/** Statements against a real store and real HTTP, with an endpoint that the test plays. */
import { ApiError, createClient } from '@headrace/api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createResultFilesLoop } from '../../../packages/server/src/statements/result-files-loop.ts';
import { waitUntil } from '../../support/census.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { addUser } from '../secrets/support.ts';
import { becomeEndpoint, type FakeEndpoint } from './fake-endpoint.ts';

let server: TestServer;
let endpoint: FakeEndpoint;

beforeAll(async () => {
  server = await startTestServer();
  const { statement_id } = await submit('select 0');
  endpoint = await becomeEndpoint(server);
  const { statements } = await endpoint.poll();
  expect(statements.map((given) => given.statement)).toEqual(['select 0']);
  await endpoint.succeed(statement_id, [['0']]);
}, 60_000);

afterAll(() => server?.dispose());

function submit(statement: string, more: object = {}) {
  return server.client.statementsExecute({ statement, wait_timeout: '0s', ...more });
}

const get = (statement_id: string) => server.client.statementsGet({ statement_id });

test('a statement is given out once and its result is shown', async () => {
  const { statement_id, status } = await submit('select 1', { row_limit: '5' });
  expect(status.state).toBe('PENDING');

  const { statements } = await endpoint.poll();
  expect(statements).toMatchObject([
    { statement_id, statement: 'select 1', row_limit: 5, format: 'JSON_ARRAY' },
  ]);
  const again = await endpoint.poll({ held: [statement_id], waitMs: 50 });
  await endpoint.succeed(statement_id, [['1'], [null]]);

  expect(again.statements).toEqual([]);
  const shown = await get(statement_id);
  expect(shown.status.state).toBe('SUCCEEDED');
  expect(shown.result?.data_array).toEqual([['1'], [null]]);
  expect(shown.manifest?.schema.columns).toMatchObject([{ name: 'a', type_name: 'INT' }]);
});

test('a statement whose answer got lost is given to the same endpoint again', async () => {
  const { statement_id } = await submit('select 2');
  await endpoint.poll();

  const { statements } = await endpoint.poll();

  expect(statements.map((given) => given.statement_id)).toEqual([statement_id]);
  await endpoint.succeed(statement_id, []);
});

test('an end that is told twice changes nothing', async () => {
  const { statement_id } = await submit('select 3');
  await endpoint.poll();
  await endpoint.succeed(statement_id, [['3']]);

  await endpoint.end(statement_id, 'FAILED');

  expect((await get(statement_id)).status.state).toBe('SUCCEEDED');
});

test('a cancel reaches the endpoint, and a second one is fine', async () => {
  const { statement_id } = await submit('select 4');
  await endpoint.poll();
  const asked = endpoint.poll({ held: [statement_id] });

  await server.client.statementsCancel({ statement_id });
  expect((await asked).cancel).toEqual([statement_id]);
  await endpoint.end(statement_id, 'CANCELED');
  await server.client.statementsCancel({ statement_id });

  expect((await get(statement_id)).status.state).toBe('CANCELED');
});

test('a statement that waits is cancelled at once', async () => {
  const { statement_id } = await submit('select 5');

  await server.client.statementsCancel({ statement_id });

  expect((await get(statement_id)).status.state).toBe('CANCELED');
  expect((await endpoint.poll({ waitMs: 50 })).statements).toEqual([]);
});

test('a failure shows its SQLSTATE, and a link to nothing is refused', async () => {
  const { statement_id } = await submit('select 6', {
    disposition: 'EXTERNAL_LINKS',
    format: 'ARROW_STREAM',
  });
  await endpoint.poll();
  await endpoint.end(statement_id, 'FAILED', 'it is wrong');

  const { status } = await get(statement_id);

  expect(status).toMatchObject({ state: 'FAILED', sql_state: '42601', error: { message: 'it is wrong' } });
  const asked = server.client.statementsResultChunk({ statement_id, chunk_index: 0 });
  await expect(asked).rejects.toThrow(/has no result/);
});

test('a signed link opens its part without a token, and one that was changed does not', async () => {
  const { statement_id } = await submit('select 7', { disposition: 'EXTERNAL_LINKS' });
  await endpoint.poll();
  await endpoint.succeed(statement_id, [['7']]);

  const [link] = (await get(statement_id)).result?.external_links ?? [];

  const url = link?.external_link ?? '';
  expect(await (await fetch(url)).json()).toEqual([['7']]);
  expect((await fetch(url.replace(/\.0\.(\d+\.[\w-]+)$/, '.1.$1'))).status).toBe(403);
  expect(Date.parse(link?.expiration ?? '')).toBeGreaterThan(Date.now());
});

test('a result that is closed is gone, and its statement stays in the history', async () => {
  const { statement_id } = await submit('select 8');
  await endpoint.poll();
  await endpoint.succeed(statement_id, [['8']]);

  await server.client.statementsClose({ statement_id });

  expect((await get(statement_id)).status.state).toBe('CLOSED');
  const { res } = await server.client.queryHistoryList({ 'filter_by.statement_ids': [statement_id] });
  expect(res).toMatchObject([
    { status: 'FINISHED', query_text: 'select 8', rows_produced: 1, user_name: 'admin' },
  ]);
});

test('parts of a result go when their statement has none, and stay while it may have one', async () => {
  const { blobs, db } = server.services;
  const ids: string[] = [];
  for (const end of ['fails', 'is cancelled', 'succeeds', 'goes on'])
    ids.push((await submit(`-- ${end}`)).statement_id);
  await endpoint.poll();
  const content = Buffer.from('[["9"]]').toString('base64');
  for (const statement_id of ids) await endpoint.client.sqlEndpointChunk({ statement_id, index: 0, content });
  const [failed = '', cancelled = '', succeeded = '', running = ''] = ids;
  await endpoint.end(failed, 'FAILED');
  await endpoint.end(cancelled, 'CANCELED');
  await endpoint.succeed(succeeded, [['9']]);
  const remains = async (id: string) => (await blobs.get(`statements/${id}/0`)) !== null;

  const loop = createResultFilesLoop({ db, blobs });
  while ((await loop.turn()) === 'again');

  expect(await Promise.all(ids.map(remains))).toEqual([false, false, true, true]);
  await endpoint.end(running, 'CANCELED');
});

test('a session is made known with its first statement, and is over when it is closed', async () => {
  const { session_id } = await server.client.sqlSessionsCreate({
    schema: 's',
    session_confs: { TIMEZONE: 'CET' },
  });
  const { statement_id } = await submit('select 9', { session_id });

  const { statements } = await endpoint.poll();
  expect(statements[0]?.session).toEqual({
    session_id,
    catalog: null,
    schema: 's',
    conf: { TIMEZONE: 'CET' },
  });
  await endpoint.succeed(statement_id, []);
  await server.client.sqlSessionsDelete({ session_id });

  expect((await endpoint.poll({ sessions: [session_id], waitMs: 50 })).close_sessions).toEqual([session_id]);
  await expect(submit('select 9', { session_id })).rejects.toThrow(/does not exist/);
});

test('another user neither sees a statement nor runs it', async () => {
  const { client: bob } = await addUser(server, 'bob@example.com');
  const { statement_id } = await submit('select 10');
  const { statement_id: his } = await bob.statementsExecute({ statement: 'select 11', wait_timeout: '0s' });

  const { statements } = await endpoint.poll();
  await endpoint.succeed(statement_id, [['10']]);

  // The endpoint acts for one principal: his statement waits for one of his own.
  expect(statements.map((given) => given.statement_id)).toEqual([statement_id]);
  await expect(bob.statementsGet({ statement_id })).rejects.toThrow(/does not exist/);
  await expect(bob.statementsCancel({ statement_id })).rejects.toThrow(/does not exist/);
  const ofBob = await bob.queryHistoryList({});
  expect(ofBob.res.map(({ query_id }) => query_id)).toEqual([his]);
  expect((await get(his)).status.state).toBe('PENDING');
  await server.client.statementsCancel({ statement_id: his });
});

test('whoever is no endpoint is refused', async () => {
  const asked = server.client.sqlEndpointPoll({ poll: 1, held: [], cancelling: [], room: 1, wait_ms: 0 });

  await expect(asked).rejects.toThrow(/only processes that the server has started/);
});

test.each([
  ['', /text is empty/],
  ['x'.repeat(17 * 1024 ** 2), /larger than the limit/],
])('a text that no statement can be is refused (%#)', async (statement, message) => {
  await expect(submit(statement)).rejects.toThrow(message);
});

test.each([
  [{ wait_timeout: '3s' }, /neither 0s nor between/],
  [{ format: 'CSV' }, /EXTERNAL_LINKS alone/],
  [{ parameters: [{ name: 'a', type: 'INT) --', value: '1' }] }, /takes a type of one value/],
  [{ parameters: [{ name: 'a', value: '1' }, { value: '2' }] }, /name all of them/],
])('a request that cannot be meant is refused (%#)', async (more, message) => {
  await expect(submit('select 1', more)).rejects.toThrow(message);
});

test('hidden runs and clusters stand in no list', async () => {
  expect((await server.client.runsList({})).runs).toBeUndefined();
  expect((await server.client.clustersList({})).clusters.map(({ cluster_id }) => cluster_id)).toEqual([
    'default',
  ]);
  const [warehouse] = (await server.client.warehousesList({})).warehouses;
  const clusterId = warehouse?.headrace?.cluster_id ?? '';
  await expect(server.client.clustersDelete({ cluster_id: clusterId })).rejects.toThrow(/SQL warehouse/);
});

test('statements go on over a restart of the server', async () => {
  const { statement_id } = await submit('select 11');
  await endpoint.poll();

  server = await server.restart();
  const client = createClient({ baseUrl: server.url, token: endpoint.token });
  const held = { poll: 10_000, held: [statement_id], cancelling: [], room: 10, wait_ms: 0 };
  await waitUntil('the endpoint is taken back', async () => {
    const asked = client.sqlEndpointPoll(held).then(() => true);
    return asked.catch((error: unknown) => {
      if (error instanceof ApiError) return false;
      throw error;
    });
  });
  await client.sqlEndpointDeliver({ statement_id, state: 'CANCELED', timings: {} });

  expect((await get(statement_id)).status.state).toBe('CANCELED');
});

test('statements of a warehouse that stops fail with the reason, and it does not start again for them', async () => {
  const endpointNow = await becomeEndpoint(server, { token: endpoint.token, poll: 20_000 });
  const { statement_id } = await submit('select 12');
  await endpointNow.poll();
  const { statement_id: waiting } = await submit('select 13');
  const [warehouse] = (await server.client.warehousesList({})).warehouses;

  await server.client.warehousesStop({ id: warehouse?.id ?? '' });

  await waitUntil(
    'the statement has failed',
    async () => (await get(statement_id)).status.state === 'FAILED',
  );
  expect((await get(statement_id)).status.error?.message).toMatch(
    /endpoint .* ended while the statement was under way/,
  );
  expect((await get(waiting)).status.error?.message).toMatch(/was stopped before/);
  await waitUntil('it is down', async () => {
    const { state } = await server.client.warehousesGet({ id: warehouse?.id ?? '' });
    return state === 'STOPPED';
  });
});
