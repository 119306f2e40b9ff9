/** Whole servers with a bucket, a real S3 server, and machines that are lost: their data roots are deleted. */
import fs from 'node:fs/promises';
import path from 'node:path';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { S3Settings } from '../../../packages/server/src/blobs/s3-settings.ts';
import { readConfig } from '../../../packages/server/src/config.ts';
import { startServer } from '../../../packages/server/src/start-server.ts';
import { waitUntil } from '../../support/census.ts';
import {
  type FaultProxy,
  type S3Server,
  startFaultProxy,
  startS3Server,
  testCredentials,
} from '../../support/s3-server.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';

let s3: S3Server;
let proxy: FaultProxy;
let prefixes = 0;
let opened: TestServer[] = [];

beforeAll(async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', testCredentials.accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', testCredentials.secretAccessKey);
  s3 = await startS3Server();
  proxy = await startFaultProxy(s3.endpoint);
  await s3.makeBucket('headrace');
});
beforeEach(() => {
  prefixes += 1;
});
afterEach(async () => {
  proxy.breakWith(() => null);
  for (const server of opened) await server.dispose();
  opened = [];
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await proxy.stop();
  await s3.stop();
});

const hereNow = () => ({
  ...{ bucket: 'headrace', prefix: `place-${prefixes}/`, endpoint: proxy.endpoint },
  ...{ region: null, isPathStyle: true },
});

async function startWithBucket(): Promise<TestServer> {
  const server = await startTestServer({ config: { blobUrl: hereNow() } });
  opened.push(server);
  return server;
}

async function restart(server: TestServer): Promise<TestServer> {
  opened = opened.filter((other) => other !== server);
  const again = await server.restart();
  opened.push(again);
  return again;
}

async function namesInBucket(): Promise<string[]> {
  const prefix = `place-${prefixes}/`;
  const keys = await s3.listKeys('headrace', 'list-type=2');
  return keys.filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length));
}

const base64 = (text: string) => Buffer.from(text).toString('base64');
const importText = (server: TestServer, target: string, text: string) =>
  server.client.workspaceImport({ path: target, content: base64(text), format: 'RAW', overwrite: true });

async function submit(server: TestServer, fake: object): Promise<number> {
  const { run_id } = await server.client.runsSubmit({
    run_name: 'one',
    tasks: [
      {
        task_key: 'only',
        spark_python_task: { python_file: '/task.py', parameters: [`--fake=${JSON.stringify(fake)}`] },
      },
    ],
  });
  return run_id;
}

async function taskRunOf(server: TestServer, runId: number) {
  const run = await server.client.runsGet({ run_id: runId });
  const [task] = run.tasks ?? [];
  if (!task) throw new Error('the run has no task');
  return { taskRunId: task.run_id, state: run.state?.life_cycle_state };
}

async function runToEnd(server: TestServer, fake: object): Promise<number> {
  const runId = await submit(server, fake);
  await waitUntil(
    'the run has ended',
    async () => ['TERMINATED', 'INTERNAL_ERROR'].includes((await taskRunOf(server, runId)).state ?? ''),
    20_000,
  );
  return (await taskRunOf(server, runId)).taskRunId;
}

const logOf = async (server: TestServer, taskRunId: number) =>
  (await server.client.runsGetOutput({ run_id: taskRunId })).logs;

test('workspace files are in the bucket, and on the worker’s disk before an attempt starts', async () => {
  const server = await startWithBucket();
  await importText(server, '/Shared/lib.py', 'version = 1\n');
  const onDisk = path.join(server.stateDir, 'data/workspace/Shared/lib.py');

  await runToEnd(server, { kind: 'succeed' });

  expect(await namesInBucket()).toContain('workspace/Shared/lib.py');
  expect(await fs.readFile(onDisk, 'utf8')).toBe('version = 1\n');
  await fs.writeFile(path.join(path.dirname(onDisk), 'made-by-a-task'), 'x');
  await importText(server, '/Shared/lib.py', 'version = 2\n');
  await importText(server, '/Shared/other.py', '');
  await runToEnd(server, { kind: 'succeed' });
  expect(await fs.readFile(onDisk, 'utf8')).toBe('version = 2\n');
  await server.client.workspaceDelete({ path: '/Shared/lib.py', recursive: false });
  await runToEnd(server, { kind: 'succeed' });
  expect((await fs.readdir(path.dirname(onDisk))).sort()).toEqual(['made-by-a-task', 'other.py']);
});

test('logs and workspace files survive the machine', async () => {
  let server = await startWithBucket();
  await importText(server, '/Shared/lib.py', 'version = 1\n');
  const taskRunId = await runToEnd(server, { kind: 'fail', output: 'about to fail\n' });
  await server.stop();
  await fs.rm(path.join(server.stateDir, 'data'), { recursive: true });

  server = await restart(server);

  expect(await logOf(server, taskRunId)).toContain('about to fail');
  const { bytes } = await server.client.workspaceExport({ path: '/Shared/lib.py', direct_download: true });
  expect(Buffer.from(bytes).toString()).toBe('version = 1\n');
  await runToEnd(server, { kind: 'succeed' });
  const onDisk = path.join(server.stateDir, 'data/workspace/Shared/lib.py');
  expect(await fs.readFile(onDisk, 'utf8')).toBe('version = 1\n');
});

test('what a task has printed is in the bucket while it runs, and no token is', async () => {
  const server = await startWithBucket();
  const runId = await submit(server, { kind: 'hang', output: 'first\n' });
  await waitUntil('a part is shipped', async () =>
    (await namesInBucket()).some((name) => /output\.log\.parts\/0{16}$/.test(name)),
  );
  const [part = ''] = (await namesInBucket()).filter((name) => name.includes('.parts/'));
  const log = path.join(server.stateDir, 'data', part.replace(/\.parts\/.*/, ''));
  await fs.appendFile(log, 'second\n');
  await waitUntil('the next part is shipped', async () =>
    (await namesInBucket()).some((name) => name.endsWith('/0000000000000006')),
  );

  await fs.rename(log, `${log}.away`);
  const { taskRunId } = await taskRunOf(server, runId);
  expect(await logOf(server, taskRunId)).toContain('first\nsecond\n');
  await fs.rename(`${log}.away`, log);
  await server.client.runsCancel({ run_id: runId });

  await waitUntil('the whole log is shipped', async () => {
    const names = await namesInBucket();
    return (
      names.some((name) => name.endsWith('/output.log')) && !names.some((name) => name.includes('.parts/'))
    );
  });
  expect((await namesInBucket()).filter((name) => name.endsWith('attempt.json'))).toEqual([]);
});

test('a bucket that is away holds up no run that goes on, and is given the logs later', async () => {
  const server = await startWithBucket();
  await importText(server, '/Shared/lib.py', 'version = 1\n');
  const runId = await submit(server, { kind: 'succeed', afterMs: 1_000, output: 'while away\n' });
  const attempts = path.join(server.stateDir, 'data/attempts');
  await waitUntil('its own code runs', async () =>
    (await fs.readdir(attempts, { recursive: true }).catch(() => [])).some((name) =>
      name.endsWith('output.log'),
    ),
  );

  proxy.breakWith(() => 'slow_down');
  await waitUntil(
    'it has ended',
    async () => (await taskRunOf(server, runId)).state === 'TERMINATED',
    20_000,
  );
  const away = await server.send('GET', '/api/2.0/workspace/export?path=/Shared/lib.py&direct_download=true');
  expect(away.status).toBe(503);
  expect(await away.json()).toMatchObject({ error_code: 'TEMPORARILY_UNAVAILABLE' });

  proxy.breakWith(() => null);
  await waitUntil('the log is shipped', async () =>
    (await namesInBucket()).some((name) => name.endsWith('/output.log')),
  );
});

test('an attempt waits for the files it needs while the bucket is away', async () => {
  const server = await startWithBucket();
  await importText(server, '/Shared/lib.py', 'version = 1\n');
  const before = proxy.seen.length;
  proxy.breakWith(() => 'hang');
  const runId = await submit(server, { kind: 'succeed' });
  await waitUntil('its files are asked for', () =>
    proxy.seen.slice(before).some(({ url }) => url.includes('prefix=') && url.includes('workspace')),
  );
  const { state } = await taskRunOf(server, runId);

  proxy.breakWith(() => null);
  proxy.cutAll();

  expect(state).not.toBe('TERMINATED');
  await waitUntil('it has ended', async () => (await taskRunOf(server, runId)).state === 'TERMINATED');
});

test('a start without the bucket first, then with it, brings the workspace along', async () => {
  const config: { blobUrl: S3Settings | null } = { blobUrl: null };
  let server = await startTestServer({ config });
  opened.push(server);
  await importText(server, '/Shared/old.py', 'old\n');

  config.blobUrl = hereNow();
  server = await restart(server);

  const { bytes } = await server.client.workspaceExport({ path: '/Shared/old.py', direct_download: true });
  expect(Buffer.from(bytes).toString()).toBe('old\n');
});

test('a server that comes to the same database with another place is refused', async () => {
  const server = await startWithBucket();
  const stateDir = path.join(server.stateDir, 'other');
  const blobUrl = { ...hereNow(), prefix: `elsewhere-${prefixes}/` };
  const config = { ...readConfig({}), stateDir, port: 0, databaseUrl: server.database.url, blobUrl };
  const log = pino({ level: 'silent' });

  const start = startServer({ config, log, version: 'test', webFolder: stateDir, startWorker: null });

  await expect(start).rejects.toThrow(`keep their files in s3://headrace/place-${prefixes}/`);
});

test.each([
  ['another installation’s place', () => hereNow(), /belongs to another installation/],
  [
    'a bucket that is not there',
    () => ({ ...hereNow(), bucket: 'no-such-bucket' }),
    /cannot be used: .*NoSuchBucket/s,
  ],
])('%s is refused at the start', async (_name, place, message) => {
  await startWithBucket();

  const start = startTestServer({ config: { blobUrl: place() } });

  await expect(start).rejects.toThrow(message);
});
