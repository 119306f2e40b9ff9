/** What the catalog says of a table where its log has gone on without a word: the writer was killed after its commit. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../../support/server.ts';

let server: TestServer;
let log: string;
let tables = 0;

beforeAll(async () => {
  server = await startTestServer();
}, 60_000);

afterAll(() => server?.dispose());

const name = () => `main.default.t${tables}`;

beforeEach(async () => {
  tables += 1;
  const table = {
    ...{ name: `t${tables}`, catalog_name: 'main', schema_name: 'default' },
    ...({ table_type: 'MANAGED', data_source_format: 'DELTA' } as const),
    columns: [{ name: 'a', type_text: 'int' }],
    headrace: { schema_json: schemaOf('a'), metadata_digest: 'of the plug-in' },
  };
  const { storage_location = '' } = await server.client.tablesCreate(table);
  log = path.join(storage_location, '_delta_log');
  await fs.mkdir(log, { recursive: true });
});

function schemaOf(...names: string[]): string {
  const fields = names.map((each) => ({ name: each, type: 'integer', nullable: true, metadata: {} }));
  return JSON.stringify({ type: 'struct', fields });
}

async function commit(version: number, ...actions: object[]): Promise<void> {
  const text = actions.map((action) => JSON.stringify(action)).join('\n');
  await fs.writeFile(path.join(log, `${String(version).padStart(20, '0')}.json`), text);
}

const metadata = (schemaString: string, configuration = {}) => ({
  metaData: { schemaString, partitionColumns: [], configuration },
});
const add = { add: { path: 'a.parquet' } };

test('a table is shown as its last commit has it, and kept so', async () => {
  await commit(0, { commitInfo: {} }, metadata(schemaOf('a')), add);
  await commit(1, metadata(schemaOf('a', 'b'), { purpose: 'told' }));
  await commit(2, add);

  const shown = await server.client.tablesGet({ full_name: name() });

  expect(shown.columns?.map((column) => [column.name, column.type_text])).toEqual([
    ['a', 'int'],
    ['b', 'int'],
  ]);
  expect(shown.properties).toEqual({ purpose: 'told' });
  const { tables: listed } = await server.client.tablesList({ catalog_name: 'main', schema_name: 'default' });
  expect(listed?.find(({ full_name }) => full_name === name())).toEqual(shown);
});

test('where the high-water mark of an identity column moves, nothing has changed', async () => {
  const identity = (mark: number) => {
    const kept = { 'delta.identity.start': 1, 'delta.identity.highWaterMark': mark };
    const fields = [{ name: 'a', type: 'long', nullable: true, metadata: kept }];
    return JSON.stringify({ type: 'struct', fields });
  };
  await commit(0, metadata(identity(3)));
  const before = await server.client.tablesGet({ full_name: name() });
  await commit(1, metadata(identity(8)));

  const after = await server.client.tablesGet({ full_name: name() });

  expect(after).toEqual(before);
  expect(after.headrace?.schema_json).not.toContain('highWaterMark');
});

test.each([
  ['is not there', async () => fs.rm(log, { recursive: true })],
  ['is no JSON', async () => fs.writeFile(path.join(log, `${'0'.repeat(20)}.json`), '{"metaData": oh')],
  [
    'is a link to elsewhere',
    async () => {
      const elsewhere = path.join(server.stateDir, `elsewhere-${tables}`);
      await fs.writeFile(elsewhere, JSON.stringify(metadata(schemaOf('secret'))));
      await fs.symlink(elsewhere, path.join(log, `${'0'.repeat(20)}.json`));
    },
  ],
])('a log that %s changes nothing', async (_, prepare) => {
  await prepare();

  const { columns } = await server.client.tablesGet({ full_name: name() });

  expect(columns?.map((column) => column.name)).toEqual(['a']);
});

test('a pipe in the place of a commit holds nobody up', async () => {
  await commit(0, metadata(schemaOf('a', 'b')));
  execFileSync('mkfifo', [path.join(log, '00000000000000000001.json')]);
  const { columns } = await server.client.tablesGet({ full_name: name() });
  expect(columns?.map((column) => column.name)).toEqual(['a', 'b']);
});
