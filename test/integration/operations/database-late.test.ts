/** A server that starts before its PostgreSQL does. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs/promises';
import net, { type AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
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

test('a server that is told to stop while it waits ends at once, and well', async () => {
  const stateDir = await fs.mkdtemp(path.join(os.tmpdir(), 'headrace-late-'));
  await trouble.refuse();
  const server = spawnServer(stateDir, trouble.url);
  await server.says('waiting for it');

  server.child.kill('SIGTERM');

  // The wait itself would go on for a minute.
  expect(await server.ended).toEqual([0, null]);
  expect(server.output()).toContain('stopped while it started');
  await fs.rm(stateDir, { recursive: true });
}, 30_000);

test('a start that hangs in a connection which nobody answers can be stopped, too', async () => {
  const silent = net.createServer(() => undefined).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const stopping = new AbortController();

  const db = connect(`postgres://x@127.0.0.1:${port}/x`);
  const waiting = awaitStore(db, { log, signal: stopping.signal });
  stopping.abort();

  await expect(waiting).rejects.toThrow('it was told to stop before PostgreSQL answered');
  silent.close();
});

function spawnServer(stateDir: string, databaseUrl: string) {
  const main = fileURLToPath(new URL('../../../packages/server/src/main.ts', import.meta.url));
  const child = spawn(
    process.execPath,
    ['--conditions=source', '--disable-warning=ExperimentalWarning', main],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        ...{ PATH: process.env.PATH, HEADRACE_STATE_DIR: stateDir, HEADRACE_DATABASE_URL: databaseUrl },
        ...{ HEADRACE_PORT: '0', HEADRACE_BACKEND: 'none' },
      },
    },
  );
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  return {
    child,
    ended: once(child, 'exit'),
    output: () => said,
    says: (words: string) => expect.poll(() => said).toContain(words),
  };
}
