import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Clock } from '../../cli-context.ts';
import { proveProcess } from '../../local/process-proof.ts';
import { readServerFile } from '../../local/server-file.ts';
import { callCli } from '../../testing/call-cli.ts';
import { startStubServer } from '../../testing/stub-server.ts';

const fakeServer = fileURLToPath(new URL('../../testing/fake-server.ts', import.meta.url));
const clock: Clock = {
  nowMs: () => Date.now(),
  sleep: (ms, signal) => delay(ms, undefined, signal ? { signal } : {}).catch(() => undefined),
};

const idle = ['-e', 'setInterval(() => {}, 1000)'];

let stateDir: string;

beforeEach(async () => {
  stateDir = path.join(await mkdtemp(path.join(os.tmpdir(), 'headrace-cli-')), 'state');
});

afterEach(async () => {
  await call(['down']);
  await rm(path.dirname(stateDir), { recursive: true });
});

function call(args: readonly string[], world: Parameters<typeof callCli>[1] = {}) {
  const serverCommand = ['--conditions=source', '--disable-warning=ExperimentalWarning', fakeServer];
  const environment = { PATH: process.env.PATH ?? '', ...world.environment };
  return callCli([...args, '--state-dir', stateDir], { serverCommand, clock, ...world, environment });
}

test('up --detach returns when the server is ready and passes its first words on, once', async () => {
  const called = await call(['up', '--port', '0', '--detach']);

  const file = await readServerFile(stateDir);
  expect(called).toMatchObject({ exitCode: 0 });
  expect(called.stdout).toBe(
    `admin token, shown only now: hr_first\nHeadrace is ready: ${file?.url}\nSign in once with:  http://link/once\n`,
  );
  expect((await stat(path.join(stateDir, 'server.log'))).mode & 0o777).toBe(0o600);
  expect(readdirSync(stateDir).filter((name) => name.startsWith('server.out'))).toEqual([]);
});

test('a picked port is kept for the next start', async () => {
  await call(['up', '--port', '0', '--detach']);
  const first = await readServerFile(stateDir);
  await call(['down']);
  await call(['up', '--detach']);

  expect((await readServerFile(stateDir))?.url).toBe(first?.url);
});

test('a second server on one folder says so and exits', async () => {
  await call(['up', '--port', '0', '--detach']);
  const second = await call(['up', '--port', '0', '--detach']);

  expect(second.exitCode).toBe(1);
  expect(second.stderr).toMatch(/a server runs on .*state already: process \d+, http:/);
});

test('a server that cannot start is told with the last lines of its log', async () => {
  await mkdir(stateDir);
  await writeFile(path.join(stateDir, 'runtime.json'), '{}');
  const called = await call(['up', '--port', '0'], {
    environment: { FAKE_FAILS: '1', HEADRACE_RUNTIME_DIR: stateDir },
  });

  expect(called.exitCode).toBe(1);
  expect(called.stderr).toContain(
    'the server ended while it started: exit code 7\nno fire brigade\nthe database is on fire\n',
  );
  expect(called.stderr).toContain(path.join(stateDir, 'server.log'));
});

test('a start before set-up is told what is missing', async () => {
  const environment = { FAKE_FAILS: '1', HEADRACE_RUNTIME_DIR: '/nonexistent' };
  const called = await call(['up', '--port', '0'], { environment });

  expect(called.stderr).toContain('there is no /nonexistent/runtime.json: run `npm run setup`');
});

test('up in the foreground ends with the interrupt and leaves nothing running', async () => {
  const controller = new AbortController();
  const called = call(['up', '--port', '0'], { interrupted: controller.signal });
  while (!existsSync(path.join(stateDir, 'server.json'))) await delay(10);
  const pid = (await readServerFile(stateDir))?.pid ?? 0;
  controller.abort('SIGINT');

  expect((await called).stderr).toMatch(/interrupted|stopping/);
  while ((await proveProcess(pid)) !== undefined) await delay(10);
});

test('down says how many tasks end with the server', async () => {
  await call(['up', '--port', '0', '--detach'], { environment: { FAKE_RUNNING: '2' } });

  const called = await call(['down']);

  expect(called.stderr).toContain('2 tasks are running here: they end with it');
  expect(called.stdout).toBe('stopped the server\n');
});

test('up without a built UI prints no link into it', async () => {
  const called = await call(['up', '--port', '0', '--detach'], { environment: { FAKE_HAS_NO_UI: '1' } });

  expect(called.stdout).toContain('The web UI is not built');
  expect(called.stdout).not.toContain('http://link');
});

test('in a copy of the folder of a running server nothing is started, and nothing stopped', async () => {
  await call(['up', '--port', '0', '--detach']);
  const copy = `${stateDir}-copy`;
  await cp(stateDir, copy, { recursive: true });
  const pid = (await readServerFile(stateDir))?.pid ?? 0;

  const up = await callCli(['up', '--state-dir', copy], { clock });
  const down = await callCli(['down', '--state-dir', copy], { clock });

  expect([up.exitCode, down.exitCode]).toEqual([1, 1]);
  for (const { stderr } of [up, down]) expect(stderr).toContain(`${copy} is a copy of ${stateDir}, where`);
  expect(await proveProcess(pid)).toBeDefined();
});

test('down stops the server and the hosts that it left', async () => {
  await call(['up', '--port', '0', '--detach']);
  const host = spawn(process.execPath, idle, { stdio: 'ignore' });
  await mkdir(path.join(stateDir, 'hosts', 'abc'), { recursive: true });
  const ticks = Number((await proveProcess(host.pid ?? 0))?.startTime.split('/')[1]);
  await writeFile(
    path.join(stateDir, 'hosts', 'abc', 'host.json'),
    JSON.stringify({ pid: host.pid, start_time: ticks }),
  );

  const called = await call(['down']);

  expect(called.stdout).toBe('stopped the server, 1 host\n');
  expect(await proveProcess(host.pid ?? 0)).toBeUndefined();
});

test('down stops a server that has not yet said that it is there', async () => {
  const main = path.join(stateDir, 'server', 'src', 'main.ts');
  await mkdir(path.dirname(main), { recursive: true });
  await writeFile(main, 'setInterval(() => {}, 1000)');
  const other = `${stateDir}-other`;
  const starting = spawn(process.execPath, [main, '--state-dir', stateDir], { stdio: 'ignore' });
  const neighbour = spawn(process.execPath, [main, '--state-dir', other], { stdio: 'ignore' });

  const called = await call(['down']);

  expect(called.stdout).toBe('stopped the server\n');
  expect(await proveProcess(starting.pid ?? 0)).toBeUndefined();
  expect(await proveProcess(neighbour.pid ?? 0)).toBeDefined();
  neighbour.kill();
});

test('down ends what a dead host left behind', async () => {
  const folder = path.join(stateDir, 'hosts', 'abc');
  await mkdir(folder, { recursive: true });
  const orphan = spawn(process.execPath, idle, { stdio: 'ignore', env: { HEADRACE_HOST_FOLDER: folder } });

  const called = await call(['down']);

  expect(called.stdout).toBe('stopped 1 host\n');
  expect(await proveProcess(orphan.pid ?? 0)).toBeUndefined();
});

test('down leaves a process alone that only has the number of a host or a server', async () => {
  await mkdir(path.join(stateDir, 'hosts', 'abc'), { recursive: true });
  await writeFile(
    path.join(stateDir, 'hosts', 'abc', 'host.json'),
    JSON.stringify({ pid: process.pid, start_time: 1 }),
  );
  await writeFile(
    path.join(stateDir, 'server.lock.3'),
    JSON.stringify({ pid: process.pid, startTime: 'another' }),
  );
  await writeFile(
    path.join(stateDir, 'server.json'),
    `{"url":"http://127.0.0.1:1","token":"t","pid":${process.pid}}`,
  );

  expect((await call(['down'])).stdout).toBe(`nothing runs on ${stateDir}\n`);
});

test('status shows what troubles a loop', async () => {
  const server = await startStubServer({
    status: async () => ({
      version: '0.1.0',
      started_at_ms: 0,
      workers: [{ worker_id: 'w1', slots: 8, running: 2 }],
      hosts: [],
      loops: [{ name: 'wake', last_turn_at_ms: 1, last_error: 'disk full' }],
      runs: { queued: 1, running: 2 },
    }),
  });
  const { stdout } = await callCli(['status'], {
    environment: { HEADRACE_HOST: server.url, HEADRACE_TOKEN: 't' },
  });
  server.close();

  expect(stdout).toMatch(/up for +5\.0 s/);
  expect(stdout).toMatch(/loop wake +disk full/);
  expect(stdout).toContain('w1: 2 of 8 slots in use');
});

test('sign-in prints a new link', async () => {
  const server = await startStubServer({
    signInLinksCreate: async () => ({ url: 'http://link/another', expires_at: 1 }),
  });
  const { stdout } = await callCli(['sign-in'], {
    environment: { HEADRACE_HOST: server.url, HEADRACE_TOKEN: 't' },
  });
  server.close();

  expect(stdout).toBe('http://link/another\n');
});
