import { ApiError } from '@headrace/api';
import { beforeEach, expect, test } from 'vitest';
import type {
  NewStatement,
  ResultChunk,
  ResultManifest,
  StatementEngine,
  StatementStatus,
} from '../statements/ports.ts';
import { answerCall } from './answer-call.ts';
import { splitArrowStream } from './arrow-stream.ts';
import type { NameSearch } from './caller.ts';
import { createOperationBook } from './operations.ts';
import type { CallName, RequestOf, ResponseOf, Struct } from './structs.ts';
import { arrowStream, callOf, readAnswer } from './testing/calls.ts';

const sessionId = '01ee1d29-a419-1db6-a9c0-8df1feba42dd';
const statementId = '01ee1d29-a419-1db6-a9c0-8df1feba42de';
const anna = { id: 1, userName: 'anna', isAdmin: false };
const bert = { id: 2, userName: 'bert', isAdmin: false };

const chunksOf = (count: number): ResultChunk[] =>
  Array.from({ length: count }, (_, index) => ({
    index,
    rowOffset: 4 * index,
    rowCount: 4,
    byteCount: 10e6,
  }));
const column = { precision: null, scale: null, intervalType: null, nullable: true };

function manifestOf(chunks: number, format: ResultManifest['format'] = 'ARROW_STREAM'): ResultManifest {
  return {
    format,
    columns: [
      { ...column, name: 'a', position: 0, typeText: 'INT', typeName: 'INT' },
      { ...column, name: 'b', position: 1, typeText: 'STRING', typeName: 'STRING' },
    ],
    arrowSchema: splitArrowStream(arrowStream).schema,
    ...{ totalRows: 4 * chunks, totalBytes: 10e6 * chunks, truncated: false, chunks: chunksOf(chunks) },
  };
}

/** One statement, whose state the test sets. */
const engine = {
  status: { state: 'RUNNING' } as StatementStatus,
  executed: [] as NewStatement[],
  closed: [] as string[],
  canceled: [] as string[],
  failing: null as Error | null,
  chunk: arrowStream as Uint8Array,
};
const port: StatementEngine = {
  openSession: async () => sessionId,
  closeSession: async (id) => void engine.closed.push(id),
  async execute(statement) {
    engine.executed.push(statement);
    return statementId;
  },
  async waitFor(_id, principal) {
    if (engine.failing) throw engine.failing;
    if (principal.id !== anna.id) throw new ApiError('RESOURCE_DOES_NOT_EXIST', 'no such statement');
    return engine.status;
  },
  readChunk: async () => engine.chunk,
  cancel: async (id) => void engine.canceled.push(id),
  close: async (id) => void engine.closed.push(id),
};
const names: NameSearch = {
  catalogs: async () => ['main', 'other'],
  schemas: async (by) => [{ catalog: by.catalog ?? '?', schema: by.schema ?? '?' }],
  tables: async () => [
    { catalog: 'main', schema: 's', table: 't', isView: false, comment: 'of all' },
    { catalog: 'main', schema: 's', table: 'v', isView: true, comment: null },
  ],
  columns: async () => [],
};

let services: Parameters<typeof answerCall>[0];
beforeEach(() => {
  Object.assign(engine, { status: { state: 'RUNNING' }, failing: null, chunk: arrowStream });
  for (const list of [engine.executed, engine.closed, engine.canceled]) list.length = 0;
  const log = { warn: () => {}, error: () => {} };
  services = { engine: port, names, operations: createOperationBook(), log, newId: () => 'list-1' };
});

async function send<Name extends CallName>(
  name: Name,
  request: RequestOf<Name>,
  principal = anna,
): Promise<ResponseOf<Name>> {
  const { parts } = await answerCall(services, callOf(name, request), {
    ...{
      principal,
      warehouseId: 'w1',
      userAgent: 'tool/1',
      attemptId: null,
      signal: new AbortController().signal,
    },
    ...{ requestId: 'r1', bodyBytesMax: 1 },
  });
  return readAnswer(name, parts);
}

const session: Struct<'TSessionHandle'> = {
  sessionId: { guid: Buffer.from(sessionId.replaceAll('-', ''), 'hex'), secret: Buffer.alloc(16) },
};
const operation: Struct<'TOperationHandle'> = {
  operationId: { guid: Buffer.from(statementId.replaceAll('-', ''), 'hex'), secret: Buffer.alloc(16) },
};
const ask = { sessionHandle: session, statement: 'select 1', canReadArrowResult: true };
const direct = { getDirectResults: { maxRows: 100, maxBytes: 100e6 } };

test('a session is opened with its namespace, in the protocol that binds parameters', async () => {
  const answer = await send('OpenSession', {
    client_protocol_i64: 0xa507,
    configuration: new Map([['spark.thriftserver.arrowBasedRowSet.timestampAsString', 'false']]),
    initialNamespace: { catalogName: 'main', schemaName: 's' },
  });

  expect(answer).toMatchObject({
    ...{ status: { statusCode: 0 }, serverProtocolVersion: 0xa508, canUseMultipleCatalogs: true },
    initialNamespace: { catalogName: 'main', schemaName: 's' },
  });
  expect(Buffer.from(answer.sessionHandle?.sessionId?.guid ?? []).toString('hex')).toBe(
    sessionId.replaceAll('-', ''),
  );
});

test('a short statement is answered in one call, and closed', async () => {
  engine.status = { state: 'SUCCEEDED', manifest: manifestOf(1) };

  const { directResults } = await send('ExecuteStatement', { ...ask, ...direct });

  expect(directResults?.operationStatus?.operationState).toBe(2);
  expect(directResults?.resultSetMetadata?.schema?.columns?.map((found) => found.columnName)).toEqual([
    'a',
    'b',
  ]);
  expect(directResults?.resultSet).toMatchObject({ hasMoreRows: false, results: { startRowOffset: 0 } });
  expect(directResults?.resultSet?.results?.arrowBatches?.map(({ rowCount }) => rowCount)).toEqual([3, 1]);
  expect(directResults?.closeOperation?.status?.statusCode).toBe(0);
  expect(engine.closed).toEqual([statementId]);
});

test('a large result comes in chunks, each once, and is closed by the client', async () => {
  engine.status = { state: 'SUCCEEDED', manifest: manifestOf(3) };

  const { directResults } = await send('ExecuteStatement', { ...ask, ...direct });
  const fetches = [];
  for (
    let more = directResults?.resultSet?.hasMoreRows;
    more && fetches.length < 9;
    more = fetches.at(-1)?.hasMoreRows
  )
    fetches.push(await send('FetchResults', { operationHandle: operation, includeResultSetMetadata: true }));

  expect(directResults?.closeOperation).toBeUndefined();
  expect(fetches.map(({ results }) => results?.startRowOffset)).toEqual([4, 8]);
  expect(fetches.at(-1)?.resultSetMetadata?.resultFormat).toBe(0);
  expect(engine.closed).toEqual([]);
  await send('CloseOperation', { operationHandle: operation });
  expect(engine.closed).toEqual([statementId]);
  expect((await send('FetchResults', { operationHandle: operation })).status).toMatchObject({
    statusCode: 4,
  });
});

test('a client without Arrow gets columns, with their nulls', async () => {
  engine.status = { state: 'SUCCEEDED', manifest: manifestOf(1, 'JSON_ARRAY') };
  engine.chunk = Buffer.from('[["1","x"],[null,"y"],["3",null]]');

  const { directResults } = await send('ExecuteStatement', { ...ask, ...direct, canReadArrowResult: false });

  expect(engine.executed[0]?.format).toBe('JSON_ARRAY');
  expect(directResults?.resultSetMetadata?.resultFormat).toBe(1);
  expect(directResults?.resultSet?.results?.columns).toEqual([
    { i32Val: { values: [1, 0, 3], nulls: Buffer.from([0b010]) } },
    { stringVal: { values: ['x', 'y', ''], nulls: Buffer.from([0b100]) } },
  ]);
});

test('one that still runs is polled, fails with its state and message, and can be cancelled', async () => {
  const { directResults } = await send('ExecuteStatement', { ...ask, ...direct });
  await send('CancelOperation', { operationHandle: operation });
  const error = {
    code: 'BAD_REQUEST',
    message: 'no such table',
    sqlState: '42P01',
    errorClass: 'T',
    position: null,
  };
  engine.status = { state: 'FAILED', error };

  expect(directResults?.operationStatus).toMatchObject({ operationState: 1 });
  expect(engine.canceled).toEqual([statementId]);
  expect(await send('GetOperationStatus', { operationHandle: operation })).toMatchObject({
    ...{ operationState: 5, sqlState: '42P01', displayMessage: 'no such table' },
  });
});

test('once a statement is on its way no error makes the client send it again', async () => {
  engine.failing = new ApiError('TEMPORARILY_UNAVAILABLE', 'the database is away');

  const answer = await send('ExecuteStatement', { ...ask, ...direct });

  expect(answer).toMatchObject({ status: { statusCode: 0 } });
  expect(answer.directResults).toBeUndefined();
  await expect(send('GetOperationStatus', { operationHandle: operation })).rejects.toThrow(/away/);
  engine.failing = null;
  engine.status = { state: 'SUCCEEDED', manifest: manifestOf(1) };
  expect((await send('FetchResults', { operationHandle: operation })).results?.startRowOffset).toBe(0);
});

test('parameters, tags and types as texts reach the engine', async () => {
  const bound = (name: string | null, type: string, stringValue?: string) => ({
    ...{ name, type, value: stringValue === undefined ? null : { stringValue } },
  });
  await send('ExecuteStatement', {
    ...ask,
    confOverlay: new Map([['query_tags', 'team:a\\:b,plain']]),
    useArrowNativeTypes: { complexTypesAsArrow: false },
    parameters: [bound('n', 'int', '5'), bound('v', 'VOID'), bound('s', '', 'x')],
  });
  const mixed = await send('ExecuteStatement', {
    ...ask,
    parameters: [bound('n', 'INT', '5'), bound(null, 'INT', '5')],
  });

  expect(engine.executed).toEqual([
    expect.objectContaining({
      ...{ warehouseId: 'w1', sessionId, complexAsText: true },
      parameters: [
        { name: 'n', type: 'INT', value: '5' },
        { name: 'v', type: 'VOID', value: null },
        { name: 's', type: 'STRING', value: 'x' },
      ],
      source: {
        ...{ application: 'tool/1', protocol: 'thrift' },
        tags: [{ key: 'team', value: 'a:b' }, { key: 'plain' }],
      },
    }),
  ]);
  expect(mixed.status).toMatchObject({ statusCode: 3, sqlState: '22023' });
});

test('nothing but a type stands where a parameter has one', async () => {
  const parameters = [{ name: 'n', type: 'INT) as b, (select 1', value: { stringValue: '5' } }];

  const { status } = await send('ExecuteStatement', { ...ask, parameters });

  expect(status).toMatchObject({ statusCode: 3, sqlState: '22023' });
  expect(status?.errorMessage).toContain('takes a type of one value');
  expect(engine.executed).toEqual([]);
});

test("another user's statement is unknown", async () => {
  engine.status = { state: 'SUCCEEDED', manifest: manifestOf(2) };
  await send('ExecuteStatement', ask);

  for (const call of ['FetchResults', 'GetOperationStatus', 'GetResultSetMetadata'] as const)
    expect((await send(call, { operationHandle: operation }, bert)).status).toMatchObject({ statusCode: 4 });
});

test('names are listed as JDBC has them', async () => {
  const catalogs = await send('GetCatalogs', { sessionHandle: session, ...direct });
  const schemas = await send('GetSchemas', {
    sessionHandle: session,
    ...direct,
    catalogName: 'MAIN',
    schemaName: '*',
  });
  const tables = await send('GetTables', { sessionHandle: session, ...direct, tableTypes: ['VIEW'] });
  const textsOf = ({ directResults }: ResponseOf<'GetTables'>) =>
    directResults?.resultSet?.results?.columns?.map(({ stringVal }) => stringVal?.values?.join());

  expect(textsOf(catalogs)).toEqual(['main,other']);
  expect(textsOf(schemas)).toEqual(['%', 'main']);
  expect(textsOf(tables)?.slice(0, 4)).toEqual(['main', 's', 'v', 'VIEW']);
});

test('a list that was not answered directly is fetched, once', async () => {
  const { operationHandle } = await send('GetCatalogs', { sessionHandle: session });
  const fetch = () => send('FetchResults', { operationHandle: operationHandle ?? null });
  const lengths = [await fetch(), await fetch()].map(
    ({ results }) => results?.columns?.[0]?.stringVal?.values?.length,
  );

  expect(lengths).toEqual([2, 0]);
  expect(
    (await send('FetchResults', { operationHandle: operationHandle ?? null }, bert)).status,
  ).toMatchObject({
    statusCode: 4,
  });
});
