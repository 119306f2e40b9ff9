import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CallName, RequestOf } from '../../../packages/server/src/thrift/structs.ts';
import { calls } from '../../../packages/server/src/thrift/structs.ts';
import { readAnswer, writeCall } from '../../../packages/server/src/thrift/testing/calls.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';

const path = '/sql/1.0/warehouses/default';
const thrift = { 'content-type': 'application/x-thrift' };
const direct = { getDirectResults: { maxRows: 1_000, maxBytes: 1e6 } };
const session = { sessionId: { guid: Buffer.alloc(16, 1), secret: Buffer.alloc(16) } };

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ backend: null });
});
afterAll(() => server.dispose());

const bytesOf = <Name extends CallName>(name: Name, request: RequestOf<Name>) =>
  new Uint8Array(writeCall(name, calls[name][0], request as never));

async function call<Name extends CallName>(name: Name, request: RequestOf<Name>) {
  const response = await server.send('POST', path, { headers: thrift, body: bytesOf(name, request) });
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('application/x-thrift');
  return readAnswer(name, [new Uint8Array(await response.arrayBuffer())]);
}

const open = () => bytesOf('OpenSession', { client_protocol_i64: 0xa507 });

test('a token is needed, as a bearer or as the password of the user "token"', async () => {
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
  const statusOf = async (authorization: string | null, target = path) => {
    const headers = { ...thrift, ...(authorization === null ? {} : { authorization }) };
    return (await server.send('POST', target, { token: null, headers, body: open() })).status;
  };

  expect(await statusOf(null)).toBe(401);
  expect(await statusOf(basic('token:hrp_unknown'))).toBe(401);
  expect(await statusOf(basic(`admin:${server.token}`))).toBe(401);
  expect(await statusOf(basic(`token:${server.token}`))).toBe(200);
  expect(await statusOf(`Bearer ${server.token}`, '/sql/1.0/endpoints/default')).toBe(200);
});

test('what is no call is refused where the connector finds the reason', async () => {
  const refuse = (body: Uint8Array<ArrayBuffer>, headers: Record<string, string> = thrift) =>
    server.send('POST', path, { headers, body });
  const large = await refuse(Buffer.alloc(100 * 1024 ** 2));
  const broken = await refuse(open().subarray(0, 30));
  const json = await refuse(Buffer.from('{}'), { 'content-type': 'application/json' });

  expect([large.status, broken.status, json.status]).toEqual([400, 400, 400]);
  expect(large.headers.get('x-thriftserver-error-message')).toMatch(/too large/);
  expect(broken.headers.get('x-thriftserver-error-message')).toMatch(
    /no Thrift call: the message ends early/,
  );
  expect(await json.json()).toMatchObject({ message: expect.stringContaining('application/x-thrift') });
});

test('a method that there is not is told as Thrift tells it', async () => {
  const body = new Uint8Array(writeCall('GetDelegationToken', 'TCloseSessionReq', {}));
  const response = await server.send('POST', path, { headers: thrift, body });

  const answer = Buffer.from(await response.arrayBuffer());
  expect(answer.readUInt8(3)).toBe(3);
  expect(answer.toString('latin1')).toContain('there is no call GetDelegationToken');
});

test('names come from the catalog, by patterns', async () => {
  const at = { catalog_name: 'main', schema_name: 'shop' };
  await server.client.schemasCreate({ name: 'shop', catalog_name: 'main' });
  const columns = [
    { name: 'Id', type_text: 'bigint', type_name: 'LONG', position: 0, nullable: false },
    {
      name: 'paid',
      type_text: 'decimal(10,2)',
      type_name: 'DECIMAL',
      type_precision: 10,
      type_scale: 2,
      position: 1,
    },
  ];
  await server.client.tablesCreate({ ...at, name: 'orders', table_type: 'MANAGED', columns, comment: 'all' });
  await server.client.tablesCreate({
    ...at,
    name: 'orders_v',
    table_type: 'VIEW',
    view_definition: 'select 1',
  });
  const list = async <Name extends 'GetSchemas' | 'GetTables' | 'GetColumns'>(
    name: Name,
    by: RequestOf<Name>,
  ) => {
    // All three answer alike.
    const ask = call as (name: Name, request: RequestOf<Name>) => ReturnType<typeof call<'GetTables'>>;
    const answer = await ask(name, { sessionHandle: session, ...direct, ...by });
    const found = answer.directResults?.resultSet?.results?.columns ?? [];
    return found.map(({ stringVal, i32Val }) => (stringVal?.values ?? i32Val?.values ?? []).join());
  };

  expect(await list('GetSchemas', { catalogName: 'MAIN', schemaName: 'sh%' })).toEqual(['shop', 'main']);
  expect((await list('GetTables', { schemaName: 'shop', tableName: 'orders\\_%' })).slice(2, 4)).toEqual([
    'orders_v',
    'VIEW',
  ]);
  const found = await list('GetColumns', { catalogName: 'main', schemaName: 'shop', tableName: 'orders' });
  expect(found.slice(3, 7)).toEqual(['Id,paid', '-5,3', 'bigint,decimal(10,2)', '19,10']);
  expect((await list('GetColumns', { schemaName: 'shop', columnName: 'PAI_' }))[3]).toBe('paid');
});

test('statements of a session that is not there, and unknown operations, are refused in the answer', async () => {
  const execute = await call('ExecuteStatement', { sessionHandle: session, statement: 'select 1' });
  const fetch = await call('FetchResults', {
    operationHandle: { operationId: { guid: Buffer.alloc(16, 2), secret: Buffer.alloc(16) } },
  });

  expect(execute.status?.statusCode).toBeGreaterThanOrEqual(3);
  expect(fetch.status).toMatchObject({ statusCode: 4, errorMessage: expect.stringContaining('is unknown') });
});

test('sessions and statements stand in the audit, polling does not', async () => {
  await call('OpenSession', { client_protocol_i64: 0xa507 });
  await call('GetInfo', { sessionHandle: session, infoType: 17 });

  await expect
    .poll(
      async () => {
        const { rows } = await server.database.pool.query(
          `select distinct action from audit_events where action like 'sql.%' order by 1`,
        );
        return rows.map(({ action }) => action);
      },
      { timeout: 20_000 },
    )
    .toContain('sql.openSession');
});
