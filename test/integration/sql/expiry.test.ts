/** What is kept for its time goes when that is over, by the clock; with an endpoint that the test plays. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Bell } from '../../../packages/server/src/statements/bell.ts';
import { EndpointWatch } from '../../../packages/server/src/statements/endpoint-watch.ts';
import { createStatementLoop } from '../../../packages/server/src/statements/statement-loop.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { becomeEndpoint, type FakeEndpoint } from './fake-endpoint.ts';

let server: TestServer;
let endpoint: FakeEndpoint;

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

beforeAll(async () => {
  server = await startTestServer();
  await run('select 0', async () => {
    endpoint = await becomeEndpoint(server);
    await endpoint.poll();
  });
}, 60_000);

afterAll(() => server?.dispose());

async function submit(statement: string, more: object = {}): Promise<string> {
  const request = { statement, wait_timeout: '0s', ...more };
  return (await server.client.statementsExecute(request)).statement_id;
}

/** To its end. */
async function run(statement: string, give: () => Promise<unknown> = () => endpoint.poll()): Promise<string> {
  const id = await submit(statement);
  await give();
  await endpoint.succeed(id, [['1']]);
  return id;
}

const stateOf = async (statement_id: string) =>
  (await server.client.statementsGet({ statement_id })).status.state;

/** What the server's own loop does once a minute, at another time. */
async function cleanUpAt(nowMs: number): Promise<void> {
  const { services } = server;
  const watch = new EndpointWatch(services.events, () => {});
  const runServices = { ...services, advancer: undefined as never, bell: new Bell(), watch };
  const loop = createStatementLoop({ ...runServices, clock: { nowMs: () => nowMs } });
  while ((await loop.turn()) === 'again');
}

test('a result is forgotten an hour after its end, and stays in the history', async () => {
  const id = await run('select 1');

  await cleanUpAt(Date.now() + 59 * minuteMs);
  const before = await stateOf(id);
  await cleanUpAt(Date.now() + 61 * minuteMs);

  expect([before, await stateOf(id)]).toEqual(['SUCCEEDED', 'CLOSED']);
  const { res } = await server.client.queryHistoryList({ 'filter_by.statement_ids': [id] });
  expect(res).toMatchObject([{ status: 'FINISHED', rows_produced: 1 }]);
  const { pool } = server.services.db;
  const left = await pool.query('select 1 from statement_chunks where statement_id = $1', [id]);
  expect(left.rows).toEqual([]);
});

test('a result that has less than half of its time left has all of it again once it is read', async () => {
  const id = await run('select 2');
  const { pool } = server.services.db;
  await pool.query('update statements set result_until_ms = $2 where statement_id = $1', [
    id,
    Date.now() + minuteMs,
  ]);

  expect(await stateOf(id)).toBe('SUCCEEDED');
  await cleanUpAt(Date.now() + 50 * minuteMs);

  expect(await stateOf(id)).toBe('SUCCEEDED');
});

test('a session that nobody uses for eight hours is closed, and none in which a statement runs', async () => {
  const open = async () => (await server.client.sqlSessionsCreate({})).session_id;
  const [idle, busy] = [await open(), await open()];
  const id = await submit('select 3', { session_id: busy });
  await endpoint.poll();

  await cleanUpAt(Date.now() + 7 * hourMs);
  const before = await submit('select 4', { session_id: idle });
  await endpoint.poll({ held: [id] });
  await endpoint.succeed(before, []);
  await cleanUpAt(Date.now() + 9 * hourMs);

  await expect(submit('select 5', { session_id: idle })).rejects.toThrow(/idle for too long/);
  const { close_sessions } = await endpoint.poll({ held: [id], sessions: [idle, busy], waitMs: 50 });
  expect(close_sessions).toEqual([idle]);
  await endpoint.succeed(id, []);
});

test('the history forgets a statement after thirty days', async () => {
  const id = await run('select 6');

  await cleanUpAt(Date.now() + 31 * 24 * hourMs);

  await expect(stateOf(id)).rejects.toThrow(/does not exist/);
});
