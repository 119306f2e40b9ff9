/** What loops and every DROP ask for is found by index, however many tables there are. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as dropped from '../../../packages/server/src/catalogs/dropped-store.ts';
import type { Querier } from '../../../packages/server/src/db/connect.ts';
import * as dbfs from '../../../packages/server/src/dbfs/store.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { explainQuery } from '../../support/explain-query.ts';

const id = '00000000-0000-4000-8000-000000000001';
const stamp = { by: 'ada', atMs: 1 };

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
  await db.pool.query(`
    insert into catalogs values ('${id}', 'c', null, '{}', '{}', null, 'OPEN', 'ada', 0, 'ada', 0, 'ada')`);
  await db.pool.query(`
    insert into schemas (id, catalog_id, name, properties, owner, created_at_ms, created_by, updated_at_ms, updated_by)
    select gen_random_uuid(), '${id}', 's' || s, '{}', 'ada', 0, 'ada', 0, 'ada' from generate_series(1, 50) s`);
  await db.pool.query(`
    insert into tables (id, schema_id, name, table_type, columns, properties, headrace, owner, created_at_ms, created_by,
      updated_at_ms, updated_by)
    select gen_random_uuid(), s.id, 't' || t, 'MANAGED', '[]', '{}', '{}', 'ada', 0, 'ada', 0, 'ada'
    from schemas s, generate_series(1, 200) t`);
  await db.pool.query(`
    insert into dropped_tables
    select gen_random_uuid(), gen_random_uuid(), 'c', 's', 't' || t, 'MANAGED', '/x/' || t, '{}', t, 'ada'
    from generate_series(1, 10000) t`);
  await db.pool.query(`
    insert into dbfs_handles (principal_id, path, overwrite, size_bytes, used_at_ms)
    select h % 100, '/x', false, 0, h from generate_series(1, 10000) h`);
  await db.pool.query('analyze');
});
afterAll(() => db.drop());

test.each<[string, (db: Querier) => unknown]>([
  ['tables to forget', (q) => dropped.forgetDropped(q, { untilMs: 50, limit: 20 })],
  ['a page of dropped tables', (q) => dropped.listDropped(q, { catalog: null, schema: null }, page)],
  ['a table to drop', (q) => dropped.dropTables(q, { name }, { isKept: true, stamp })],
  ['the tables of a schema to drop', (q) => dropped.dropTables(q, { schemaId: id }, { isKept: true, stamp })],
  ['idle handles', (q) => dbfs.lockIdleHandles(q, 50, 20)],
  ['the handles of somebody', (q) => dbfs.countHandles(q, 7)],
])('%s', async (_, call) => {
  const plan = await planOf(call);

  expect(plan).not.toMatch(/Seq Scan on (tables|dropped_tables|dbfs_handles)/);
});

const name = { catalog: 'c', schema: 's7', table: 't9' };
const page = { afterMs: 9_000, before: null, limit: 20 };

const planOf = (call: (db: Querier) => unknown) => explainQuery(db, call);
