/** What becomes of statements where their endpoint does not come up, is not theirs, or is gone. */
import { idempotencyTokenCharsMax } from '@headrace/api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findEndpointOfAttempt } from '../../../packages/server/src/statements/endpoint-store.ts';
import { retireEndpoints } from '../../../packages/server/src/statements/stop-endpoints.ts';
import { giveStatements } from '../../../packages/server/src/statements/store.ts';
import {
  createWarehouseLoop,
  type WarehouseLoopOptions,
} from '../../../packages/server/src/warehouses/warehouse-loop.ts';
import { waitUntil } from '../../support/census.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { addUser } from '../secrets/support.ts';
import { makeWorkerToken, startRemoteWorker } from '../workers/support.ts';
import { becomeEndpoint } from './fake-endpoint.ts';

let server: TestServer;
let warehouseId: string;

beforeAll(async () => {
  server = await startTestServer();
  const [warehouse] = (await server.client.warehousesList({})).warehouses;
  warehouseId = warehouse?.id ?? '';
}, 60_000);

afterAll(() => server?.dispose());

const query = async <Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> =>
  (await server.services.db.pool.query<Row>(text, values)).rows;

interface EndpointRun {
  readonly run_id: string;
  readonly owner_id: string;
  readonly idempotency_token: string;
}

const findEndpointRun = async (principalId: number) => {
  const text = `
    select r.run_id, r.owner_id, r.idempotency_token from sql_endpoints e join runs r on r.run_id = e.run_id
    where e.principal_id = $1`;
  return (await query<EndpointRun>(text, [principalId]))[0];
};

test('a run that another user has made is never the endpoint of mine', async () => {
  const anna = await addUser(server, 'anna@example.com');
  const bert = await addUser(server, 'bert@example.com');
  const { run_id } = await anna.client.runsSubmit({
    run_name: 'trap',
    idempotency_token: `sql-endpoint-${warehouseId}-${bert.id}-1`,
    tasks: [{ task_key: 'a', spark_python_task: { python_file: '/a.py' } }],
  });

  const { statement_id } = await bert.client.statementsExecute({ statement: 'select 1', wait_timeout: '0s' });

  const made = await findEndpointRun(bert.id);
  expect(Number(made?.owner_id)).toBe(bert.id);
  expect(made?.idempotency_token.length).toBeGreaterThan(idempotencyTokenCharsMax);
  // And where it would be bound to one in any other way, the process is refused.
  await query('update sql_endpoints set run_id = $1 where principal_id = $2', [run_id, bert.id]);
  const attempts = await query<{ attempt_id: string }>('select attempt_id from task_runs where run_id = $1', [
    run_id,
  ]);
  expect(await findEndpointOfAttempt(server.services.db, Number(attempts[0]?.attempt_id))).toBeNull();
  await query('update sql_endpoints set run_id = $1 where principal_id = $2', [made?.run_id, bert.id]);
  await bert.client.statementsCancel({ statement_id });
});

test('a statement that is recorded is answered with its id, even where its endpoint cannot be started', async () => {
  const carl = await addUser(server, 'carl@example.com');
  await query('alter table sql_endpoints rename to sql_endpoints_away');
  const asked = carl.client.statementsExecute({ statement: 'select 2', wait_timeout: '0s' });
  const answer = await asked.finally(() => query('alter table sql_endpoints_away rename to sql_endpoints'));

  expect(answer.status.state).toBe('PENDING');
  await waitUntil('the loop has started it', async () => (await findEndpointRun(carl.id)) !== undefined);
  await carl.client.statementsCancel({ statement_id: answer.statement_id });
});

test('statements of an endpoint that is marked as ended fail, though the server died after the mark', async () => {
  const dora = await addUser(server, 'dora@example.com');
  const { statement_id } = await dora.client.statementsExecute({ statement: 'select 3', wait_timeout: '0s' });
  const endpoint = await becomeEndpoint(server, { principalId: dora.id });
  expect((await endpoint.poll()).statements.map((given) => given.statement_id)).toEqual([statement_id]);
  const runId = Number((await findEndpointRun(dora.id))?.run_id);

  await query('update sql_endpoints set ended_at_ms = 1 where principal_id = $1', [dora.id]);
  const { statement_id: later } = await dora.client.statementsExecute({
    statement: 'select 4',
    wait_timeout: '0s',
  });
  const to = { ...{ warehouseId, principalId: dora.id, runId }, poll: 9, room: 9, runningMax: 9, nowMs: 9 };
  expect(await giveStatements(server.services.db, to)).toEqual([]);
  await server.client.runsCancel({ run_id: runId });

  const get = (id: string) => dora.client.statementsGet({ statement_id: id });
  await waitUntil('it has failed', async () => (await get(statement_id)).status.state === 'FAILED');
  expect((await get(statement_id)).status.error?.message).toMatch(/it is not run again/);
  expect((await get(later)).status.state).toBe('PENDING');
});

test.each(['here', 'elsewhere'])(
  'SQL comes up beside tasks that have all slots of a worker %s',
  async (place) => {
    const isHere = place === 'here';
    const small = await startTestServer({ config: { slots: 1 }, ...(isHere ? {} : { backend: null }) });
    const far = isHere ? null : await startRemoteWorker(small, await makeWorkerToken(small), { slots: 1 });
    try {
      const eve = await addUser(small, 'eve@example.com');
      const submit = (parameters: string[]) =>
        small.client.runsSubmit({
          tasks: [{ task_key: 'a', spark_python_task: { python_file: '/a.py', parameters } }],
        });
      const lifeOf = async (run_id: number) =>
        (await small.client.runsGet({ run_id })).state.life_cycle_state;
      const { run_id: holder } = await submit(['--fake={"kind":"hang"}']);
      await waitUntil('the slot is taken', async () => (await lifeOf(holder)) === 'RUNNING');

      for (const client of [small.client, eve.client])
        await client.statementsExecute({ statement: 'select 5', wait_timeout: '0s' });

      const { pool } = small.services.db;
      const text = `
      select count(*)::int as count from task_runs t join sql_endpoints e on e.run_id = t.run_id
      where t.state = 'running'`;
      await waitUntil('both endpoints are up', async () => {
        const { rows } = await pool.query<{ count: number }>(text);
        return rows[0]?.count === 2;
      });
      const [worker] = (await small.client.status({})).workers;
      expect(worker).toMatchObject({ slots: 1, running: 1 });
      await small.client.runsCancel({ run_id: holder });
      const { run_id: next } = await submit([]);
      await waitUntil('the slot serves tasks', async () => (await lifeOf(next)) === 'TERMINATED');
    } finally {
      await far?.stop();
      await small.dispose();
    }
  },
  60_000,
);

test('a statement that comes while its idle warehouse is being stopped runs', async () => {
  const own = await startTestServer();
  try {
    const { db } = own.services;
    const [warehouse] = (await own.client.warehousesList({})).warehouses;
    const id = warehouse?.id ?? '';
    const submit = (statement: string) => own.client.statementsExecute({ statement, wait_timeout: '0s' });
    const { statement_id } = await submit('select 6');
    const endpoint = await becomeEndpoint(own);
    await endpoint.poll();
    await endpoint.succeed(statement_id, []);
    const stateOf = async () => (await own.client.warehousesGet({ id })).state;
    await waitUntil('it runs', async () => (await stateOf()) === 'RUNNING');

    let hours = 0;
    let came: string | undefined;
    const statementComes = async () => {
      came = (await submit('select 7')).statement_id;
    };
    const turn = (at: { readonly before?: () => Promise<void>; readonly within?: () => Promise<void> }) => {
      hours += 1;
      const nowMs = Date.now() + hours * 3_600_000;
      const transaction: typeof db.transaction = async (work) => {
        await at.before?.();
        return db.transaction(work);
      };
      const onStopped: WarehouseLoopOptions['onStopped'] = async (_, runIds) => {
        for (const run_id of runIds) await own.client.runsCancel({ run_id });
      };
      const retire: WarehouseLoopOptions['retireEndpoints'] = async (client, warehouseId) => {
        const retired = await retireEndpoints(client, { warehouseId, nowMs });
        await at.within?.();
        return retired;
      };
      const options = { retireEndpoints: retire, onStopped };
      return createWarehouseLoop(
        { db: { ...db, transaction }, clock: { nowMs: () => nowMs } },
        options,
      ).turn();
    };
    await turn({});
    await turn({ before: statementComes });
    expect(await stateOf()).toBe('RUNNING');
    const { statements } = await endpoint.poll();
    expect(statements.map((given) => given.statement_id)).toEqual([came]);
    await endpoint.succeed(came ?? '', []);

    await turn({ within: statementComes });

    await expect(endpoint.poll()).rejects.toThrow(/no longer one/);
    const next = await becomeEndpoint(own, { after: endpoint.token });
    expect((await next.poll()).statements.map((given) => given.statement_id)).toEqual([came]);
  } finally {
    await own.dispose();
  }
}, 60_000);
