/** Servers of one store share one data root: whoever comes with another is refused, and told what to do. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readConfig } from '../../../packages/server/src/config.ts';
import { type RunningServer, startServer } from '../../../packages/server/src/start-server.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

const mark = '.headrace-data-root';
let folder: string;
let database: TestDatabase;
const servers: RunningServer[] = [];
beforeEach(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'data-root-'));
  database = await createTestDatabase();
});
afterEach(async () => {
  await stopAll();
  await database.drop();
  fs.rmSync(folder, { recursive: true });
});

async function start(name: string): Promise<RunningServer> {
  const stateDir = path.join(folder, name);
  const config = { ...readConfig({}), stateDir, port: 0, databaseUrl: database.url };
  const log = pino({ level: 'silent' });
  const webFolder = path.join(folder, 'none');
  const server = await startServer({ config, log, version: 'test', webFolder, startWorker: null });
  servers.push(server);
  return server;
}

async function stopAll(): Promise<void> {
  for (const server of servers.splice(0)) await server.stop();
}

/** The state folder of another server, whose data root is this one's. */
function link(name: string, to: string): void {
  fs.mkdirSync(path.join(folder, name));
  fs.symlinkSync(path.join(folder, to, 'data'), path.join(folder, name, 'data'));
}

test('a second server with a folder of its own is refused, and comes in with the one that they share', async () => {
  await start('one');

  await expect(start('other')).rejects.toThrow(
    /other\/data is not the data root of the servers that share this database .* link it to the folder/,
  );

  fs.rmSync(path.join(folder, 'other'), { recursive: true });
  link('other', 'one');
  await start('other');
});

test('a folder of another installation is refused', async () => {
  await start('one');
  const other = path.join(folder, 'other/data');
  fs.mkdirSync(other, { recursive: true });
  fs.writeFileSync(path.join(other, mark), 'of another installation\n');

  await expect(start('other')).rejects.toThrow('it has another id in');
});

test('two first starts on one folder both succeed', async () => {
  fs.mkdirSync(path.join(folder, 'shared/data'), { recursive: true });
  link('one', 'shared');
  link('other', 'shared');

  await Promise.all([start('one'), start('other')]);

  expect(fs.readdirSync(path.join(folder, 'shared/data')).filter((name) => name.startsWith(mark))).toEqual([
    mark,
  ]);
});

test('a folder that lost its file is refused, and taken when the file is as the message says', async () => {
  await start('one');
  await stopAll();
  fs.rmSync(path.join(folder, 'one/data', mark));

  const refusal = await start('one').catch((error: Error) => error.message);

  const [, id, file] = /write (\S+) into (\S+)$/.exec(String(refusal)) ?? [];
  fs.writeFileSync(file ?? '', `${id}\n`);
  await start('one');
});
