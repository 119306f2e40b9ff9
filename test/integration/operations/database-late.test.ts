/** A server that starts before its PostgreSQL does. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectDatabase, type Database } from '../../../packages/server/src/db/connect.ts';
import { awaitStore } from '../../../packages/server/src/db/store-away.ts';
import { StartError } from '../../../packages/server/src/start-error.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { putProxyBefore, type TroubledDatabase } from './trouble.ts';

let database: TestDatabase;
let trouble: TroubledDatabase;
const connections: Database[] = [];
const warnings: unknown[] = [];
const log = { warn: (...told: unknown[]) => warnings.push(told) } as never;
beforeAll(async () => {
  database = await createTestDatabase();
  trouble = await putProxyBefore(database.url);
});
afterAll(async () => {
  for (const { close } of connections) await close();
  await trouble.heal();
  await trouble.close();
  await database.drop();
});

function connect(url: string): Database {
  const db = connectDatabase({ connection: url, log });
  connections.push(db);
  return db;
}

test('it is waited for, and the log says so', async () => {
  await trouble.refuse();
  const waiting = awaitStore(connect(trouble.url), { log });
  await expect.poll(() => warnings.length).toBeGreaterThan(1);

  await trouble.heal();

  await expect(waiting).resolves.toBeUndefined();
});

test('one that stays away is told in a sentence', async () => {
  await trouble.refuse();

  const waiting = awaitStore(connect(trouble.url), { log, waitMs: 200 });

  await expect(waiting).rejects.toThrow(StartError);
  await expect(waiting).rejects.toThrow(/PostgreSQL cannot be used: .*ECONNREFUSED.*HEADRACE_DATABASE_URL/);
});

test('what does not pass by itself is told at once', async () => {
  const url = new URL(database.url);
  url.pathname = '/no_such_database';
  warnings.length = 0;

  const waiting = awaitStore(connect(url.href), { log });

  await expect(waiting).rejects.toThrow('database "no_such_database" does not exist');
  expect(warnings).toEqual([]);
});
