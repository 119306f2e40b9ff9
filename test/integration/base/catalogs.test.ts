import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../../support/server.ts';

let server: TestServer;
let allowed: string;
beforeAll(async () => {
  allowed = await fs.realpath(await fs.mkdtemp(path.join(os.tmpdir(), 'headrace-external-')));
  // Dropped tables go at once here; test/integration/volumes/undrop.test.ts tells of those that are kept.
  server = await startTestServer({
    backend: null,
    config: { droppedTablesKeptHours: 0, externalLocations: [allowed] },
  });
});
afterAll(async () => {
  await server.dispose();
  await fs.rm(allowed, { recursive: true, force: true });
});

const missing = { code: 'RESOURCE_DOES_NOT_EXIST', status: 404 };
const taken = { code: 'RESOURCE_ALREADY_EXISTS', status: 409 };

async function makeSchema(name: string): Promise<void> {
  await server.client.schemasCreate({ catalog_name: 'dev', name });
}

function makeTable(schema: string, name: string, more: object = {}) {
  return server.client.tablesCreate({
    ...{ catalog_name: 'dev', schema_name: schema, name, table_type: 'MANAGED' },
    ...{ columns: [{ name: 'id', type_text: 'bigint', type_name: 'LONG', position: 0 }] },
    ...more,
  });
}

describe('catalogs', () => {
  test('the first start makes main and dev, each with a schema default', async () => {
    const { catalogs } = await server.client.catalogsList({});

    expect(catalogs?.map(({ name }) => name)).toEqual(['dev', 'main']);
    for (const name of ['dev', 'main']) {
      expect(await server.client.schemasGet({ full_name: `${name}.default` })).toMatchObject({
        catalog_name: name,
      });
    }
  });

  test('case does not count in names', async () => {
    await server.client.catalogsCreate({ name: 'Sales', comment: 'x' });

    expect(await server.client.catalogsGet({ name: 'SALES' })).toMatchObject({ name: 'sales', comment: 'x' });
    await expect(server.client.catalogsCreate({ name: 'sALES' })).rejects.toMatchObject(taken);
  });

  test('a change touches what it names, a new name takes all content along', async () => {
    await server.client.catalogsCreate({ name: 'old', comment: 'stays', properties: { a: '1' } });
    await server.client.schemasCreate({ catalog_name: 'old', name: 's' });

    const changed = await server.client.catalogsUpdate({
      name: 'old',
      new_name: 'new',
      properties: { b: '2' },
    });

    expect(changed).toMatchObject({ name: 'new', comment: 'stays', properties: { b: '2' } });
    expect(await server.client.schemasGet({ full_name: 'new.s' })).toMatchObject({ catalog_name: 'new' });
    await expect(server.client.catalogsUpdate({ name: 'new', new_name: 'main' })).rejects.toMatchObject(
      taken,
    );
    await expect(server.client.catalogsGet({ name: 'old' })).rejects.toMatchObject(missing);
  });

  test('an empty one is deleted, one with content only by force', async () => {
    await server.client.catalogsCreate({ name: 'empty' });
    await server.client.catalogsCreate({ name: 'full' });
    await server.client.schemasCreate({ catalog_name: 'full', name: 's' });

    await server.client.catalogsDelete({ name: 'empty' });
    await expect(server.client.catalogsDelete({ name: 'full' })).rejects.toMatchObject({
      code: 'INVALID_STATE',
    });
    await server.client.catalogsDelete({ name: 'full', force: true });

    await expect(server.client.schemasGet({ full_name: 'full.s' })).rejects.toMatchObject(missing);
  });
});

describe('schemas', () => {
  test('lists come in pages that neither repeat nor leave out', async () => {
    for (let index = 0; index < 7; index += 1) await makeSchema(`page_${index}`);
    const seen: string[] = [];

    let token = '';
    do {
      const page = await server.client.schemasList({
        catalog_name: 'dev',
        max_results: 2,
        page_token: token,
      });
      seen.push(...(page.schemas ?? []).map(({ name }) => name));
      token = page.next_page_token ?? '';
    } while (token !== '');

    expect(seen).toEqual([...new Set(seen)].sort());
    expect(seen.filter((name) => name.startsWith('page_'))).toHaveLength(7);
    await expect(
      server.client.schemasList({ catalog_name: 'dev', page_token: 'rubbish' }),
    ).rejects.toMatchObject({ status: 400 });
  });

  test('an unknown catalog is named in the error', async () => {
    await expect(server.client.schemasCreate({ catalog_name: 'nope', name: 's' })).rejects.toThrow(
      "Catalog 'nope' does not exist.",
    );
  });
});

describe('tables', () => {
  test('what the Spark plug-in keeps comes back as it was', async () => {
    await makeSchema('t1');
    const headrace = {
      schema_json: '{"type":"struct","fields":[]}',
      metadata_digest: 'ab',
      view: { sql_configs: { x: '1' }, n: [1, null] },
    };

    const made = await makeTable('t1', 'T', { headrace, properties: { p: 'q' }, comment: '' });

    expect(made).toMatchObject({
      full_name: 'dev.t1.t',
      table_type: 'MANAGED',
      data_source_format: 'DELTA',
      headrace,
      comment: '',
    });
    expect(await server.client.tablesGet({ full_name: 'DEV.T1.T' })).toEqual(made);
    expect(await server.client.tablesExists({ full_name: 'dev.t1.t' })).toEqual({ table_exists: true });
    expect(await server.client.tablesExists({ full_name: 'dev.t1.u' })).toEqual({ table_exists: false });
    await expect(makeTable('t1', 't')).rejects.toMatchObject(taken);
  });

  test('a managed table goes with its files, an external one leaves them', async () => {
    await makeSchema('t2');
    const { location } = await server.client.tableLocationsCreate({ full_name: 'dev.t2.m' });
    expect(location).toMatch(/\/data\/managed\/dev\/t2\/m-[0-9a-f]{8}$/);
    const outside = path.join(allowed, 'external');
    for (const folder of [location, outside]) {
      await fs.mkdir(folder, { recursive: true });
      await fs.writeFile(path.join(folder, 'part'), 'x');
    }
    await makeTable('t2', 'm', { storage_location: `file:${location}` });
    await makeTable('t2', 'e', { table_type: 'EXTERNAL', storage_location: outside });

    await server.client.tablesDelete({ full_name: 'dev.t2.m' });
    await server.client.tablesDelete({ full_name: 'dev.t2.e' });

    await expect(fs.stat(location)).rejects.toThrow('ENOENT');
    expect(await fs.readFile(path.join(outside, 'part'), 'utf8')).toBe('x');
    await expect(server.client.tablesGet({ full_name: 'dev.t2.m' })).rejects.toMatchObject(missing);
  });

  test('a schema with tables is deleted only by force, and their files go too', async () => {
    await makeSchema('t3');
    const table = await makeTable('t3', 'm');
    await fs.mkdir(String(table.storage_location), { recursive: true });

    await expect(server.client.schemasDelete({ full_name: 'dev.t3' })).rejects.toMatchObject({
      code: 'INVALID_STATE',
    });
    await server.client.schemasDelete({ full_name: 'dev.t3', force: true });

    await expect(fs.stat(String(table.storage_location))).rejects.toThrow('ENOENT');
  });

  test('no managed table may claim a folder that is not its own', async () => {
    await makeSchema('t4');
    const table = await makeTable('t4', 'a');

    for (const storage_location of [
      '/etc',
      `${server.stateDir}/data/managed`,
      `${server.stateDir}/data/managed/dev/t4/../../../workspace`,
    ]) {
      await expect(makeTable('t4', 'b', { storage_location })).rejects.toMatchObject({ status: 400 });
    }
    await expect(
      makeTable('t4', 'b', { storage_location: `file:${table.storage_location}` }),
    ).rejects.toMatchObject(taken);
  });

  test('a view has a definition and no place', async () => {
    await makeSchema('t5');
    const view = await makeTable('t5', 'v', { table_type: 'VIEW', view_definition: 'select 1' });

    expect(view).toMatchObject({ table_type: 'VIEW', view_definition: 'select 1' });
    expect(view.storage_location).toBeUndefined();
    expect(
      await server.client.tablesUpdate({ full_name: 'dev.t5.v', view_definition: 'select 2' }),
    ).toMatchObject({ view_definition: 'select 2' });
    await expect(makeTable('t5', 'w', { table_type: 'VIEW' })).rejects.toMatchObject({ status: 400 });
  });

  test('a rename keeps everything else, within a schema and into another', async () => {
    await makeSchema('t6');
    await makeSchema('t7');
    const before = await makeTable('t6', 'a', { comment: 'c' });

    const renamed = await server.client.tablesUpdate({ full_name: 'dev.t6.a', new_name: 'b' });
    const moved = await server.client.tablesUpdate({
      full_name: 'dev.t6.b',
      new_schema_name: 't7',
      new_name: 'c',
    });

    expect(renamed).toMatchObject({ full_name: 'dev.t6.b', table_id: before.table_id, comment: 'c' });
    expect(moved).toMatchObject({ full_name: 'dev.t7.c', storage_location: before.storage_location });
    await makeTable('t7', 'd');
    await expect(server.client.tablesUpdate({ full_name: 'dev.t7.d', new_name: 'c' })).rejects.toMatchObject(
      taken,
    );
    await expect(server.client.tablesUpdate({ full_name: 'dev.t6.a', comment: 'x' })).rejects.toMatchObject(
      missing,
    );
  });

  test('a list may leave out columns and properties', async () => {
    await makeSchema('t8');
    await makeTable('t8', 'a', { properties: { p: 'q' } });

    const { tables } = await server.client.tablesList({
      catalog_name: 'dev',
      schema_name: 't8',
      omit_columns: true,
      omit_properties: true,
    });

    expect(tables).toMatchObject([{ name: 'a', columns: [], properties: {} }]);
    await expect(server.client.tablesList({ catalog_name: 'dev', schema_name: 'nope' })).rejects.toThrow(
      "Schema 'dev.nope' does not exist.",
    );
  });

  test('tables that are made while their schema is deleted are refused or go with it', async () => {
    for (let round = 0; round < 5; round += 1) {
      await makeSchema(`race${round}`);
      const made = Promise.allSettled([1, 2, 3, 4].map((index) => makeTable(`race${round}`, `t${index}`)));
      await server.client.schemasDelete({ full_name: `dev.race${round}`, force: true }).catch(() => {});
      for (const result of await made) {
        if (result.status === 'rejected') expect(result.reason).toMatchObject(missing);
      }
    }

    const { rows } = await server.database.pool.query(
      'select 1 from tables t where not exists (select from schemas s where s.id = t.schema_id)',
    );
    expect(rows).toEqual([]);
  });
});
