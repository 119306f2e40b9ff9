/** What a task has under way in a warehouse when it ends: the test plays the task and the warehouse's endpoint. */
import fs from 'node:fs/promises';
import path from 'node:path';
import { type Client, createClient } from '@headrace/api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitUntil } from '../../support/census.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { becomeEndpoint, type FakeEndpoint } from './fake-endpoint.ts';

let server: TestServer;
let endpoint: FakeEndpoint;
beforeAll(async () => {
  server = await startTestServer();
  const { statement_id } = await send(server.client, 'select 0');
  endpoint = await becomeEndpoint(server);
  await endpoint.poll();
  await endpoint.succeed(statement_id, [['0']]);
}, 60_000);
afterAll(() => server?.dispose());

function send(client: Client, statement: string, more: object = {}) {
  return client.statementsExecute({ statement, wait_timeout: '0s', ...more });
}

/** A task that does so, and a client with its token. */
async function beginTask(fake: object): Promise<{ client: Client; runId: number }> {
  const spark_python_task = { python_file: '/a.py', parameters: [`--fake=${JSON.stringify(fake)}`] };
  const { run_id: runId } = await server.client.runsSubmit({
    tasks: [{ task_key: 'a', spark_python_task }],
  });
  const folder = path.join(server.stateDir, 'data', 'attempts', String(runId));
  let token = '';
  await waitUntil('the task has begun', async () => {
    const [attempt] = await fs.readdir(folder).catch(() => []);
    const file = path.join(folder, attempt ?? '', 'attempt.json');
    const text = await fs.readFile(file, 'utf8').catch(() => '{}');
    token = (JSON.parse(text) as { api?: { token: string } }).api?.token ?? '';
    const { state } = await server.client.runsGet({ run_id: runId });
    return token !== '' && state?.life_cycle_state === 'RUNNING';
  });
  return { client: createClient({ baseUrl: server.url, token }), runId };
}

test('statements and sessions of a task end with it when it is stopped', async () => {
  const { warehouses = [] } = await server.client.warehousesList({});
  const task = await beginTask({ kind: 'hang' });
  const { session_id } = await task.client.sqlSessionsCreate({ warehouse_id: warehouses[0]?.id ?? '' });
  const theirs = await send(task.client, 'insert into t values (1)', { session_id });
  const ours = await send(server.client, 'select 1');
  const held = (await endpoint.poll()).statements.map(({ statement_id }) => statement_id);
  expect(held.sort()).toEqual([theirs.statement_id, ours.statement_id].sort());

  await server.client.runsCancel({ run_id: task.runId });
  let cancelled: string[] = [];
  await waitUntil('the endpoint is told to cancel', async () => {
    cancelled = (await endpoint.poll({ held, waitMs: 1_000 })).cancel;
    return cancelled.length > 0;
  });
  await endpoint.end(theirs.statement_id, 'CANCELED');

  expect(cancelled).toEqual([theirs.statement_id]);
  await waitUntil('the session is closed', async () => {
    const answer = await endpoint.poll({ held: [ours.statement_id], sessions: [session_id], waitMs: 100 });
    return answer.close_sessions.includes(session_id);
  });
  await endpoint.succeed(ours.statement_id, [['1']]);
  const { res = [] } = await server.client.queryHistoryList({});
  expect(res.find(({ query_id }) => query_id === theirs.statement_id)).toMatchObject({
    query_source: { job_info: { job_task_run_id: expect.stringMatching(/^\d+$/) } },
  });
  const shown = await server.client.statementsGet({ statement_id: ours.statement_id });
  expect(shown.status.state).toBe('SUCCEEDED');
});

test('what a task that succeeded has sent goes on', async () => {
  const task = await beginTask({ kind: 'succeed', afterMs: 2_000 });
  const { statement_id } = await send(task.client, 'insert into t values (2)');
  await endpoint.poll();
  await waitUntil('the run has ended', async () => {
    const { state } = await server.client.runsGet({ run_id: task.runId });
    return state?.life_cycle_state === 'TERMINATED';
  });

  // A turn of the loop that would cancel it.
  const { cancel } = await endpoint.poll({ held: [statement_id], waitMs: 2_500 });
  await endpoint.succeed(statement_id, [['2']]);

  expect(cancel).toEqual([]);
  expect((await server.client.statementsGet({ statement_id })).status.state).toBe('SUCCEEDED');
});
