import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { migrate } from '../../../packages/server/src/db/migrate.ts';
import { createIdSource } from '../../../packages/server/src/ids.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

let db: TestDatabase;
let folder: string;
beforeAll(async () => {
  db = await createTestDatabase({ empty: true });
  folder = await fs.mkdtemp(path.join(os.tmpdir(), 'headrace-migrations-'));
  await fs.writeFile(
    path.join(folder, '0001-first.sql'),
    'create sequence id_blocks as bigint start with 1000 increment by 1000;',
  );
});
afterAll(async () => {
  await db.drop();
  await fs.rm(folder, { recursive: true });
});

test('of two starters at once, each migration is applied by one', async () => {
  const results = await Promise.all([
    migrate(db.pool, folder),
    migrate(db.pool, folder),
    migrate(db.pool, folder),
  ]);

  expect(results.flatMap(({ applied }) => applied)).toEqual(['0001-first']);
  expect(await migrate(db.pool, folder)).toEqual({ applied: [] });
});

test('a migration that fails leaves nothing behind', async () => {
  const file = path.join(folder, '0002-second.sql');
  await fs.writeFile(file, 'create table half (id int); create table half (id int);');

  await expect(migrate(db.pool, folder)).rejects.toThrow('0002-second');

  await fs.writeFile(file, 'create table half (id int);');
  expect(await migrate(db.pool, folder)).toEqual({ applied: ['0002-second'] });
});

test('a store with a newer schema is refused', async () => {
  await db.pool.query(`insert into schema_migrations (number, name) values (99, '0099-future')`);

  await expect(migrate(db.pool, folder)).rejects.toThrow('the store has schema 99, this Headrace knows 2');
});

test('no id is handed out twice, by one source or by several', async () => {
  const sources = await Promise.all([createIdSource(db), createIdSource(db)]);
  const seen = new Set<number>();

  for (let round = 0; round < 10; round += 1) {
    for (const source of sources) {
      await source.reserve(700);
      for (let i = 0; i < 700; i += 1) seen.add(source.newId());
    }
  }

  expect(seen.size).toBe(14_000);
});
