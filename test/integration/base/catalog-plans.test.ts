/** A table is found by its name and by its place however many there are, and a schema's list begins where its page does. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as store from '../../../packages/server/src/catalogs/table-store.ts';
import type { NamedQuery, Querier } from '../../../packages/server/src/db/connect.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { explainQuery } from '../../support/explain-query.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
  await db.pool.query(`
    insert into catalogs (id, name, properties, options, isolation_mode, owner, created_at_ms, created_by, updated_at_ms, updated_by)
    select gen_random_uuid(), 'c' || n, '{}', '{}', 'OPEN', 'ada', 1, 'ada', 1, 'ada' from generate_series(1, 10) n`);
  await db.pool.query(`
    insert into schemas (id, catalog_id, name, properties, owner, created_at_ms, created_by, updated_at_ms, updated_by)
    select gen_random_uuid(), c.id, 's' || n, '{}', 'ada', 1, 'ada', 1, 'ada' from catalogs c, generate_series(1, 10) n`);
  await db.pool.query(`
    insert into tables (id, schema_id, name, table_type, columns, storage_location, properties, headrace, owner, created_at_ms,
      created_by, updated_at_ms, updated_by)
    select gen_random_uuid(), s.id, 't' || n, 'EXTERNAL', '[]', 'file:/x/' || c.name || s.name || n, '{}', '{}', 'ada', 1,
      'ada', 1, 'ada'
    from schemas s join catalogs c on c.id = s.catalog_id,
      generate_series(1, case when c.name = 'c1' and s.name = 's1' then 10000 else 50 end) n`);
  await db.pool.query('analyze');
});
afterAll(() => db.drop());

const planOf = (call: (db: Querier) => unknown) => explainQuery(db, call);

const named = { catalog: 'c1', schema: 's1' };
const page = { after: 't5', limit: 100, omitColumns: true, omitProperties: true };
const schema = { ...named, id: '00000000-0000-0000-0000-000000000000' };

test.each<[string, (q: Querier) => unknown]>([
  ['one by its name', (q) => store.findTable(q, { ...named, table: 't77' })],
  ['a page of a large schema', (q) => store.listTables(q, schema, page)],
  ['one by its place', (q) => store.isLocationTaken(q, ['/x/c1s177', 'file:/x/c1s177'])],
])('%s takes no scan of all tables', async (_, call) => {
  expect(await planOf(call)).not.toMatch(/Seq Scan on tables/);
});

test('a location may be as long as the API lets it be', async () => {
  const location = Array.from({ length: 600 }, (_, index) => `${index * 7919}`).join('/');
  const { rows } = await db.pool.query(
    `
    update tables set storage_location = $1 where name = 't1' and schema_id = (select min(id::text)::uuid from schemas)
    returning storage_location`,
    [location],
  );

  expect(rows).toHaveLength(1);
  expect(await store.isLocationTaken(toQuerier(db), [location])).toBe(true);
});

const toQuerier = ({ pool }: TestDatabase) =>
  ({
    query: async ({ text, values }: NamedQuery) => (await pool.query(text, [...values])).rows,
  }) as unknown as Querier;
