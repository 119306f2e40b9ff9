/** A database of its own for each test file, cloned from a migrated template in 0.1 to 0.3 s. */
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { pino } from 'pino';
import { inject } from 'vitest';
import { connectDatabase, type Database } from '../../packages/server/src/db/connect.ts';
import { migrate } from '../../packages/server/src/db/migrate.ts';
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
} from '../../packages/server/src/store/embedded-postgres.ts';

export interface TestDatabase extends Database {
  readonly connection: pg.ConnectionConfig;
  readonly url: string;
  /** Closes the pool and drops the database. */
  drop(): Promise<void>;
}

type Connection = EmbeddedPostgres['connection'];
const template = 'headrace_template';
const startDeadlineMs = 60_000;

export async function createTestDatabase({ empty = false }: { empty?: boolean } = {}): Promise<TestDatabase> {
  const shared = await findOrStartPostgres(inject('headraceTestFolder'));
  const name = `test_${crypto.randomBytes(6).toString('hex')}`;
  await runAdmin(shared, `create database ${name} ${empty ? '' : `template ${template} strategy file_copy`}`);
  const connection = { ...shared, database: name };
  const database = connectDatabase({ connection, log: pino({ level: 'warn' }) });
  const { user, password, host, port } = shared;
  return {
    ...database,
    connection,
    url: `postgres://${user}:${password}@${host}:${port}/${name}`,
    async drop() {
      await database.close();
      await runAdmin(shared, `drop database ${name} with (force)`);
    },
  };
}

/** Test files run in several processes: the one that makes the lock starts PostgreSQL, the others wait for it. */
async function findOrStartPostgres(folder: string): Promise<Connection> {
  const ready = path.join(folder, 'connection.json');
  try {
    fs.mkdirSync(path.join(folder, 'starting'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return readWhenThere(ready);
  }
  const postgres = await startEmbeddedPostgres({
    folder: path.join(folder, 'postgres'),
    log: pino({ level: 'warn' }),
    // These databases live for one run: durability would only cost time.
    settings: {
      fsync: 'off',
      synchronous_commit: 'off',
      full_page_writes: 'off',
      autovacuum: 'off',
      max_connections: '200',
    },
  });
  await runAdmin(postgres.connection, `create database ${template}`);
  const database = connectDatabase({
    connection: { ...postgres.connection, database: template },
    log: pino({ level: 'warn' }),
  });
  await migrate(database.pool);
  await database.close();
  fs.writeFileSync(`${ready}.new`, JSON.stringify(postgres.connection), { mode: 0o600 });
  fs.renameSync(`${ready}.new`, ready);
  return postgres.connection;
}

async function readWhenThere(file: string): Promise<Connection> {
  const deadline = performance.now() + startDeadlineMs;
  while (!fs.existsSync(file)) {
    if (performance.now() > deadline)
      throw new Error(`no PostgreSQL for the tests after ${startDeadlineMs} ms`);
    await delay(20);
  }
  return JSON.parse(fs.readFileSync(file, 'utf8')) as Connection; // Written above, whole.
}

async function runAdmin(connection: Connection, statement: string): Promise<void> {
  const client = new pg.Client(connection);
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
