import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
} from '../../../packages/server/src/store/embedded-postgres.ts';
import { findProcessesOf, waitUntil } from '../../support/census.ts';

const log = pino({ level: 'silent' });
let folder: string;
let started: EmbeddedPostgres[];
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'headrace-postgres-'));
  started = [];
});
afterEach(async () => {
  for (const postgres of started) await postgres.stop();
  expect(await findProcessesOf(folder)).toEqual([]);
  fs.rmSync(folder, { recursive: true, force: true });
});

async function start(name = 'postgres'): Promise<EmbeddedPostgres> {
  const postgres = await startEmbeddedPostgres({ folder: path.join(folder, name), log });
  started.push(postgres);
  return postgres;
}

async function ask(postgres: EmbeddedPostgres, sql: string): Promise<unknown[]> {
  const client = new pg.Client(postgres.connection);
  client.on('error', () => {}); // Its server is killed under it.
  await client.connect();
  try {
    return (await client.query({ text: sql, rowMode: 'array' })).rows.flat();
  } finally {
    await client.end();
  }
}

test('a folder below a private home works as one that all may enter does', async () => {
  for (const mode of [0o700, 0o711]) {
    fs.chmodSync(folder, mode);
    const postgres = await start(`postgres-${mode.toString(8)}`);

    expect(await ask(postgres, 'select 1')).toEqual([1]);
    await postgres.stop();
  }
});

test('what was committed is there after a stop, on the same port, and only the password opens it', async () => {
  const first = await start();
  await ask(first, 'create table t as select 7 as x');
  await first.stop();

  const second = await start();

  expect(second.adopted).toBe(false);
  expect(second.connection.port).toBe(first.connection.port);
  expect(await ask(second, 'select x from t')).toEqual([7]);
  expect(fs.statSync(path.join(folder, 'postgres/password')).mode & 0o777).toBe(0o600);
  const stranger = { ...second, connection: { ...second.connection, password: 'guess' } };
  await expect(ask(stranger, 'select 1')).rejects.toThrow('password authentication failed');
});

test('one that still runs is adopted, not started again', async () => {
  const first = await start();

  const second = await start();

  expect([second.adopted, second.pid()]).toEqual([true, first.pid()]);
});

test('when it is killed it comes back on the same port with what was committed', async () => {
  const postgres = await start();
  await ask(postgres, 'create table t as select 7 as x');
  const before = postgres.pid() ?? 0;

  process.kill(before, 'SIGKILL');

  await waitUntil('another PostgreSQL runs', () => ![before, null].includes(postgres.pid()));
  expect(await ask(postgres, 'select x from t')).toEqual([7]);
});

test('an initdb that was cut short is begun anew', async () => {
  fs.mkdirSync(path.join(folder, 'postgres/data.new'), { recursive: true });
  fs.writeFileSync(path.join(folder, 'postgres/data.new/PG_VERSION'), '18\n');

  expect(await ask(await start(), 'select 1')).toEqual([1]);
});

test('a pid file that names another program is no reason not to start', async () => {
  const first = await start();
  const file = path.join(folder, 'postgres/data/postmaster.pid');
  const lines = fs.readFileSync(file, 'utf8').split('\n');
  await first.stop();
  fs.writeFileSync(file, [String(process.pid), ...lines.slice(1)].join('\n'));

  expect(await ask(await start(), 'select 1')).toEqual([1]);
});

test('a cluster of another version of PostgreSQL is refused', async () => {
  await (await start()).stop();
  fs.writeFileSync(path.join(folder, 'postgres/data/PG_VERSION'), '17\n');

  await expect(start()).rejects.toThrow('belongs to PostgreSQL 17');
  fs.writeFileSync(path.join(folder, 'postgres/data/PG_VERSION'), '18\n');
});
