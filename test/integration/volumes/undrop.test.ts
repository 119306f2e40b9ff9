import fs from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDroppedTablesLoop } from '../../../packages/server/src/catalogs/undrop-table.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ backend: null, config: { droppedTablesKeptHours: 2 } });
});
afterAll(() => server.dispose());

const missing = { code: 'RESOURCE_DOES_NOT_EXIST', status: 404 };
const taken = { code: 'RESOURCE_ALREADY_EXISTS', status: 409 };

async function makeTable(schema: string, name: string, more: object = {}) {
  await server.client.schemasCreate({ catalog_name: 'dev', name: schema }).catch(() => undefined);
  const table = await server.client.tablesCreate({
    ...{ catalog_name: 'dev', schema_name: schema, name, table_type: 'MANAGED' },
    ...{ columns: [{ name: 'id', type_text: 'bigint' }], properties: { a: '1' }, headrace: { n: [1, null] } },
    ...more,
  });
  const folder = String(table.storage_location);
  await fs.mkdir(folder, { recursive: true });
  await fs.writeFile(path.join(folder, 'part'), name);
  return { ...table, folder };
}

const exists = (file: string) =>
  fs.access(file).then(
    () => true,
    () => false,
  );

test('a dropped table comes back as it was, with its files', async () => {
  const { folder, ...table } = await makeTable('u1', 't');
  await server.client.tablesDelete({ full_name: 'dev.u1.t' });
  expect(await fs.readFile(path.join(folder, 'part'), 'utf8')).toBe('t');
  await expect(server.client.tablesGet({ full_name: 'dev.u1.t' })).rejects.toMatchObject(missing);
  const { tables } = await server.client.droppedTablesList({ catalog_name: 'DEV', schema_name: 'u1' });
  expect(tables).toMatchObject([{ full_name: 'dev.u1.t', table_id: table.table_id, table_type: 'MANAGED' }]);

  const restored = await server.client.droppedTablesUndrop({ full_name: 'dev.u1.T' });

  expect(restored).toEqual({ ...table, updated_at: restored.updated_at });
  expect(await server.client.tablesGet({ full_name: 'dev.u1.t' })).toEqual(restored);
  await expect(server.client.droppedTablesUndrop({ full_name: 'dev.u1.t' })).rejects.toMatchObject(missing);
});

test('of several with one name the last comes back, and any by its id and another name', async () => {
  const first = await makeTable('u2', 't');
  await server.client.tablesDelete({ full_name: 'dev.u2.t' });
  const second = await makeTable('u2', 't');
  expect(second.folder).not.toBe(first.folder);
  await expect(server.client.droppedTablesUndrop({ full_name: 'dev.u2.t' })).rejects.toMatchObject(taken);
  await server.client.tablesDelete({ full_name: 'dev.u2.t' });

  const last = await server.client.droppedTablesUndrop({ full_name: 'dev.u2.t' });
  const earlier = await server.client.droppedTablesUndrop({ table_id: first.table_id, new_name: 'Old' });

  expect(last.table_id).toBe(second.table_id);
  expect(earlier).toMatchObject({ table_id: first.table_id, name: 'old', storage_location: first.folder });
});

test('tables outlive their schema: a new one of the name takes them, and a renamed one keeps them', async () => {
  await makeTable('u3', 't');
  await server.client.schemasDelete({ full_name: 'dev.u3', force: true });
  await expect(server.client.droppedTablesUndrop({ full_name: 'dev.u3.t' })).rejects.toThrow(
    "Schema 'dev.u3'",
  );
  await server.client.schemasCreate({ catalog_name: 'dev', name: 'u3' });
  await server.client.droppedTablesUndrop({ full_name: 'dev.u3.t' });
  await server.client.tablesDelete({ full_name: 'dev.u3.t' });

  await server.client.schemasUpdate({ full_name: 'dev.u3', new_name: 'u4' });

  await server.client.schemasCreate({ catalog_name: 'dev', name: 'u3' });
  await expect(server.client.droppedTablesUndrop({ full_name: 'dev.u3.t' })).rejects.toMatchObject(missing);
  expect(await server.client.droppedTablesUndrop({ full_name: 'dev.u4.t' })).toMatchObject({
    schema_name: 'u4',
  });
});

test('nobody claims the folder of a table that may come back', async () => {
  const { folder } = await makeTable('u5', 't');
  await server.client.tablesDelete({ full_name: 'dev.u5.t' });

  await expect(makeTable('u5', 'other', { storage_location: folder })).rejects.toMatchObject(taken);
});

test('a purged table and a view are gone for good', async () => {
  const { folder } = await makeTable('u6', 't');
  const view = { table_type: 'VIEW' as const, view_definition: 'select 1' };
  await server.client.tablesCreate({ catalog_name: 'dev', schema_name: 'u6', name: 'v', ...view });

  await server.client.tablesDelete({ full_name: 'dev.u6.t', purge: true });
  await server.client.tablesDelete({ full_name: 'dev.u6.v' });

  expect(await exists(folder)).toBe(false);
  expect((await server.client.droppedTablesList({ schema_name: 'u6' })).tables).toEqual([]);
});

test('when its time is over a table is no more restored, and its files go after its row', async () => {
  const old = await makeTable('u7', 'old');
  const young = await makeTable('u7', 'young');
  await server.client.tablesDelete({ full_name: 'dev.u7.old' });
  await server.client.tablesDelete({ full_name: 'dev.u7.young' });
  const { pool } = server.database;
  await pool.query(`update dropped_tables set dropped_at_ms = dropped_at_ms - 7200000 where name = 'old'`);

  await expect(server.client.droppedTablesUndrop({ full_name: 'dev.u7.old' })).rejects.toThrow('for 2 hours');
  await expect(server.client.droppedTablesUndrop({ table_id: old.table_id })).rejects.toMatchObject(missing);
  expect(await exists(old.folder)).toBe(true);
  await createDroppedTablesLoop(server.services).turn();

  expect([await exists(old.folder), await exists(young.folder)]).toEqual([false, true]);
  const { rows } = await pool.query(`select name from dropped_tables where schema = 'u7'`);
  expect(rows).toEqual([{ name: 'young' }]);
});

test('lists come in pages, the newest first', async () => {
  for (const name of ['a', 'b', 'c']) {
    await makeTable('u8', name);
    await server.client.tablesDelete({ full_name: `dev.u8.${name}` });
    // In one millisecond of each other they would have no order.
    const later = `update dropped_tables set dropped_at_ms = dropped_at_ms - 1000 where schema = 'u8'`;
    await server.database.pool.query(later);
  }
  const names: string[] = [];
  let token = '';
  do {
    const asked = { schema_name: 'u8', max_results: 2, page_token: token };
    const page = await server.client.droppedTablesList(asked);
    names.push(...(page.tables ?? []).map(({ name }) => name));
    token = page.next_page_token ?? '';
  } while (token !== '');

  expect(names).toEqual(['c', 'b', 'a']);
  await expect(server.client.droppedTablesUndrop({})).rejects.toMatchObject({ status: 400 });
  const both = { full_name: 'dev.u8.a', table_id: '00000000-0000-4000-8000-000000000000' };
  await expect(server.client.droppedTablesUndrop(both)).rejects.toMatchObject({ status: 400 });
});
