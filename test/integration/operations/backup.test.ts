/** A backup is made while runs are made, end and are purged, and is restored beside the server that goes on. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import type { Client } from '@headrace/api';
import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { backupLockKey } from '../../../packages/server/src/backup/manifest.ts';
import { findProcessesOf, waitUntil } from '../../support/census.ts';
import { createTestDatabase } from '../../support/database.ts';
import { type ServerProcess, startServerProcess } from '../../support/server-process.ts';
import { fakeTask } from '../runs/engine.ts';

const cli = fileURLToPath(new URL('../../../packages/cli/src/main.ts', import.meta.url));
const main = fileURLToPath(new URL('../../../packages/server/src/main.ts', import.meta.url));
const run = promisify(execFile);

let folder: string;
let running: ServerProcess[];
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'headrace-backup-'));
  fs.chmodSync(folder, 0o711);
  running = [];
});
afterEach(async () => {
  for (const server of running) await server.kill('SIGTERM');
  expect(await findProcessesOf(folder)).toEqual([]);
  fs.rmSync(folder, { recursive: true, force: true });
});

const below = (name: string) => path.join(folder, name);

const headrace = (...args: string[]) => headraceWith({}, ...args);

async function headraceWith(environment: Record<string, string>, ...args: string[]): Promise<string> {
  const { stdout } = await run(process.execPath, ['--conditions=source', cli, ...args], {
    env: { PATH: process.env.PATH, ...environment },
    cwd: folder,
  });
  return stdout;
}

async function start(name: string): Promise<ServerProcess> {
  const server = await startServerProcess(below(name));
  running.push(server);
  return server;
}

async function connectTo(name: string): Promise<pg.Client> {
  const read = (file: string) => fs.readFileSync(path.join(below(name), 'postgres', file), 'utf8');
  const client = new pg.Client({
    host: '127.0.0.1',
    port: Number(read('port')),
    user: 'headrace',
    password: read('password'),
    database: 'postgres',
  });
  await client.connect();
  return client;
}

async function sql<Row>(name: string, text: string): Promise<Row[]> {
  const client = await connectTo(name);
  try {
    return (await client.query(text)).rows as Row[];
  } finally {
    await client.end();
  }
}

/** Runs one after the other, on several tracks, until it is told to stop. */
function makeLoad(client: Client, jobId: number): { stop(): Promise<number[]> } {
  const runIds: number[] = [];
  let isOver = false;
  const tracks = Array.from({ length: 4 }, async () => {
    while (!isOver) {
      const { run_id } = await client.jobsRunNow({ job_id: jobId });
      runIds.push(run_id);
      await waitForEnd(client, run_id);
    }
  });
  return {
    async stop() {
      isOver = true;
      await Promise.all(tracks);
      return runIds;
    },
  };
}

const waitForEnd = (client: Client, runId: number) =>
  waitUntil(`run ${runId} has ended`, async () => {
    const { status } = await client.runsGet({ run_id: runId });
    return status.state === 'TERMINATED';
  });

const output = 'a line that the task wrote\n';
const tasks = [
  fakeTask('a', { fake: { kind: 'succeed', afterMs: 5, output, taskValues: { none: null, text: 'ä\\"' } } }),
  fakeTask('b', { after: ['a'] }),
];

/** Of these runs, which have ended: nothing of theirs changes any more. */
const rowsOf = (table: string, runIds: readonly number[]) => `
  select md5(t::text) as hash from ${table} t where run_id in (${runIds.join(', ')}) order by hash`;

function listFiles(root: string): string[] {
  return fs
    .readdirSync(root, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
}

test.each(['backup', 'backup.tar.gz'])(
  '%s under load, restored beside it: all rows, all files, and it works',
  async (place) => {
    const server = await start('state');
    const { client } = server;
    const { job_id } = await client.jobsCreate({ name: 'load', tasks, max_concurrent_runs: 10 });
    const content = Buffer.from('print(1)').toString('base64');
    await client.workspaceImport({ path: '/Shared/kept.py', format: 'AUTO', content, overwrite: true });
    const hanging = await client.runsSubmit({
      run_name: 'under way',
      tasks: [fakeTask('wait', { fake: { kind: 'hang' } })],
    });
    const load = makeLoad(client, job_id);
    await new Promise((resolve) => setTimeout(resolve, 700)); // Some load before; there is no end to wait for.

    const said = await headrace('backup', '--state-dir', below('state'), '--to', below(place));
    await load.stop();
    await headrace('restore', '--state-dir', below('restored'), '--from', below(place));
    const restored = await start('restored');

    expect(said).toMatch(/^backed up to .*: \d+ rows of \d+ tables, \d+ files/);
    expect(said).not.toContain('went away');
    const madeAtMs = Date.parse(/as of (\S+)/.exec(said)?.[1] ?? '');
    // Whether one that ended in the same moment was saved before the snapshot, only the copy knows.
    const ended = await sql<{ run_id: number }>(
      'restored',
      `select run_id from runs where phase = 'ended' and ended_at_ms < ${madeAtMs}`,
    );
    const runIds = ended.map(({ run_id }) => run_id);
    expect(runIds.length).toBeGreaterThan(5);
    for (const table of ['runs', 'run_generations', 'task_runs', 'task_values', 'run_events']) {
      const query = rowsOf(table, runIds);
      const [original, copy] = await Promise.all([sql('state', query), sql('restored', query)]);
      expect([table, original.length > 5]).toEqual([table, true]);
      expect(copy).toEqual(original);
    }
    await expectSameFiles(restored.client);
    expect(await restored.client.workspaceExport({ path: '/Shared/kept.py' })).toMatchObject({ content });
    // The worker of the copy finds no host of its own for it: proven dead, ended by policy.
    await waitForEnd(restored.client, hanging.run_id);
    const { run_id } = await restored.client.jobsRunNow({ job_id });
    await waitForEnd(restored.client, run_id);
    expect((await restored.client.runsGet({ run_id })).state.result_state).toBe('SUCCESS');
    expect((await client.runsGet({ run_id: hanging.run_id })).status.state).toBe('RUNNING');
    const report = await restored.client.doctor({ deep: true });
    expect(report.findings.filter(({ severity }) => severity === 'error')).toEqual([]);
    await client.runsCancel({ run_id: hanging.run_id });
  },
);

/** Every attempt that had succeeded when the backup was made shows what it wrote. */
async function expectSameFiles(client: Client): Promise<void> {
  const rows = await sql<{ run_id: string; attempt_id: string }>(
    'restored',
    `select run_id, attempt_id from task_runs
     where state = 'ended' and result = 'succeeded' and task_key = 'a'`,
  );
  expect(rows.length).toBeGreaterThan(5);
  for (const { run_id, attempt_id } of rows) {
    const file = path.join('data/attempts', run_id, attempt_id, 'output.log');
    expect(fs.readFileSync(path.join(below('restored'), file), 'utf8')).toBe(output);
  }
  const { run_id, attempt_id } = rows[0] ?? { run_id: '0', attempt_id: '0' };
  const { logs } = await client.runsGetOutput({ run_id: Number(attempt_id) });
  expect([run_id, logs]).toEqual([run_id, output]);
}

test('a backup is for its owner only, and is made of a stopped server as well', async () => {
  const server = await start('state');
  const { job_id } = await server.client.jobsCreate({ name: 'kept', tasks });
  await server.kill('SIGTERM');
  running.pop();

  await headrace('backup', '--state-dir', below('state'), '--to', below('backup'));
  expect(await findProcessesOf(folder)).toEqual([]);
  await headrace('restore', '--state-dir', below('restored'), '--from', below('backup'));
  const restored = await start('restored');

  expect(fs.statSync(below('backup')).mode & 0o777).toBe(0o700);
  for (const file of listFiles(below('backup')))
    expect([file, fs.statSync(file).mode & 0o077]).toEqual([file, 0]);
  expect((await restored.client.jobsGet({ job_id })).settings?.name).toBe('kept');
});

test('locations of managed tables move with the folder', async () => {
  const server = await start('state');
  const created = await server.client.tablesCreate({
    name: 't',
    catalog_name: 'main',
    schema_name: 'default',
    table_type: 'MANAGED',
    data_source_format: 'DELTA',
    columns: [],
  } as Parameters<Client['tablesCreate']>[0]);
  expect(created.storage_location).toContain(`${below('state')}/data/`);

  await headrace('backup', '--state-dir', below('state'), '--to', below('backup'));
  await headrace('restore', '--state-dir', below('restored'), '--from', below('backup'));
  const restored = await start('restored');

  const { storage_location } = await restored.client.tablesGet({ full_name: 'main.default.t' });
  expect(storage_location).toContain(`${below('restored')}/data/`);
});

test('what cannot work is refused with the reason, and leaves nothing behind', async () => {
  const server = await start('state');
  fs.mkdirSync(below('full'));
  fs.writeFileSync(path.join(below('full'), 'x'), '');
  await headrace('backup', '--state-dir', below('state'), '--to', below('good'));
  fs.cpSync(below('good'), below('cut'), { recursive: true });
  fs.rmSync(path.join(below('cut'), 'backup.json'));
  fs.cpSync(below('good'), below('newer'), { recursive: true });
  const manifest = path.join(below('newer'), 'backup.json');
  fs.writeFileSync(manifest, fs.readFileSync(manifest, 'utf8').replace(/"schema": \d+/, '"schema": 9999'));
  fs.cpSync(below('good'), below('short'), { recursive: true });
  const rows = path.join(below('short'), 'tables/principals.gz');
  fs.writeFileSync(rows, zlib.gzipSync(''));

  const refusals = await Promise.all(
    [
      ['backup', '--state-dir', below('state'), '--to', below('full')],
      ['backup', '--state-dir', below('nowhere'), '--to', below('new')],
      ['restore', '--state-dir', below('state'), '--from', below('good')],
      ['restore', '--state-dir', below('r1'), '--from', below('cut')],
      ['restore', '--state-dir', below('r2'), '--from', below('newer')],
      ['restore', '--state-dir', below('r3'), '--from', below('short')],
    ].map((args) => headrace(...args).then(String, (error: { stderr: string }) => error.stderr)),
  );

  const reasons = ['exists', 'is no state folder', 'is not empty', 'cut short', 'newer version', 'rows of'];
  for (const [index, reason] of reasons.entries()) expect(refusals[index]).toContain(reason);
  expect(fs.readdirSync(folder).toSorted()).toEqual(['cut', 'full', 'good', 'newer', 'short', 'state']);
  expect((await server.client.currentUserMe({})).userName).toBe('admin');
});

test('a backup that is killed leaves no backup and harms nothing, and the next one works', async () => {
  const server = await start('state');
  const release = await holdUpBackups('state');
  const child = spawn(process.execPath, ['--conditions=source', main, 'backup', below('backup')], {
    env: { PATH: process.env.PATH, HEADRACE_STATE_DIR: below('state') },
    stdio: 'ignore',
  });
  await waitUntil('the backup has begun', () => fs.existsSync(below('backup.partial')));
  child.kill('SIGKILL');
  await once(child, 'exit');
  await release();

  expect(fs.existsSync(below('backup'))).toBe(false);
  await headrace('backup', '--state-dir', below('state'), '--to', below('backup'));
  expect(fs.readdirSync(folder).toSorted()).toEqual(['backup', 'state']);
  expect((await server.client.doctor({})).findings.filter(({ severity }) => severity === 'error')).toEqual(
    [],
  );
});

/** A backup waits for this lock after it has begun. */
async function holdUpBackups(name: string): Promise<() => Promise<void>> {
  const client = await connectTo(name);
  await client.query('select pg_advisory_lock($1)', [backupLockKey]);
  return () => client.end();
}

test('a backup of an embedded store goes into a database of its own, once', async () => {
  const server = await start('state');
  const { job_id } = await server.client.jobsCreate({ name: 'moves', tasks });
  await headrace('backup', '--state-dir', below('state'), '--to', below('backup'));
  const database = await createTestDatabase({ empty: true });
  const environment = { HEADRACE_DATABASE_URL: database.url };
  const restore = (name: string) =>
    headraceWith(environment, 'restore', '--state-dir', below(name), '--from', below('backup'));
  try {
    await restore('restored');
    const refused = await restore('again').then(String, (error: { stderr: string }) => error.stderr);
    const restored = await startServerProcess(below('restored'), environment);
    const job = await restored.client.jobsGet({ job_id });
    const said = await headraceWith(
      environment,
      'backup',
      '--state-dir',
      below('restored'),
      '--to',
      below('second.tar'),
    );
    await restored.kill('SIGTERM');

    expect(job.settings?.name).toBe('moves');
    expect(refused).toContain('the database is in use');
    expect(said).toContain('backed up to');
    expect(fs.existsSync(path.join(below('restored'), 'postgres'))).toBe(false);
    expect(fs.statSync(below('second.tar')).mode & 0o777).toBe(0o600);
  } finally {
    await database.drop();
  }
});
