import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findProcessesOf, waitUntil } from '../../support/census.ts';
import { type ServerProcess, spawnServer, startServerProcess } from '../../support/server-process.ts';

let stateDir: string;
let running: ServerProcess | null;
beforeEach(() => {
  stateDir = fs.mkdtempSync(path.join(os.tmpdir(), 'headrace-state-'));
  running = null;
});
afterEach(async () => {
  await running?.kill('SIGTERM');
  expect(await findProcessesOf(stateDir)).toEqual([]);
  fs.rmSync(stateDir, { recursive: true, force: true });
});

test('SIGTERM ends everything; the next start finds all as it was, on the same port', async () => {
  const first = await startServerProcess(stateDir);
  const { job_id } = await first.client.jobsCreate({ name: 'kept' });
  await first.client.workspaceMkdirs({ path: '/Shared/kept' });

  expect(await first.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  expect(await findProcessesOf(stateDir)).toEqual([]);
  expect(fs.existsSync(path.join(stateDir, 'server.json'))).toBe(false);

  running = await startServerProcess(stateDir);
  expect(running.url).toBe(first.url);
  expect(await running.client.jobsGet({ job_id: job_id ?? 0 })).toMatchObject({ settings: { name: 'kept' } });
  expect(await running.client.workspaceGetStatus({ path: '/Shared/kept' })).toMatchObject({
    object_type: 'DIRECTORY',
  });
});

test('after kill -9 the next start takes over the lock and adopts PostgreSQL', async () => {
  const first = await startServerProcess(stateDir);
  const { job_id } = await first.client.jobsCreate({ name: 'kept' });

  await first.kill('SIGKILL');
  expect(await findProcessesOf(stateDir)).not.toEqual([]);
  running = await startServerProcess(stateDir);

  expect(running.output).toContain('adopted the PostgreSQL');
  expect(await running.client.jobsGet({ job_id: job_id ?? 0 })).toMatchObject({ settings: { name: 'kept' } });
});

test('a second server on the folder says who has it and ends, and harms nothing', async () => {
  running = await startServerProcess(stateDir);

  const second = spawnServer(stateDir);
  const [code] = await once(second, 'exit');

  expect(code).toBe(1);
  expect(running.output).toContain(`in use by the server with process id ${running.pid}`);
  expect(await running.client.currentUserMe({})).toMatchObject({ userName: 'admin' });
});

test('of several servers that start at once on a fresh folder, one stays', async () => {
  const children = [1, 2, 3].map(() => spawnServer(stateDir));
  const codes = await Promise.all(
    children.map(async (child) => {
      const ended = once(child, 'exit').then(([code]) => code as number);
      const ready = (async () => {
        const { pid } = child;
        while (child.exitCode === null) {
          const file = path.join(stateDir, 'server.json');
          if (fs.existsSync(file) && JSON.parse(fs.readFileSync(file, 'utf8')).pid === pid) return 'stays';
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        return child.exitCode;
      })();
      return Promise.race([ended, ready]);
    }),
  );
  const stayed = children.filter((_, index) => codes[index] === 'stays');
  for (const child of stayed) {
    child.kill('SIGTERM');
    await once(child, 'exit');
  }

  expect([...codes].sort()).toEqual([1, 1, 'stays']);
});

test('the administrator token is printed at the first start only, and no secret is in the log', async () => {
  const first = await startServerProcess(stateDir);
  const token = /shown only now: {2}(hrp_\S+)/.exec(first.output)?.[1] ?? '';
  expect(token).not.toBe('');
  await first.kill('SIGTERM');

  running = await startServerProcess(stateDir, { HEADRACE_LOG_LEVEL: 'debug' });

  expect(running.output.match(/hrp_/g)).toHaveLength(1);
  const response = await fetch(`${running.url}/api/2.2/jobs/list`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(response.status).toBe(200);
  for (const name of ['server.json', 'settings.json']) {
    expect(fs.statSync(path.join(stateDir, name)).mode & 0o777).toBe(0o600);
  }
});

test('when PostgreSQL dies under the server, clients are told to come back, and then find all as it was', async () => {
  running = await startServerProcess(stateDir);
  const { job_id } = await running.client.jobsCreate({ name: 'kept' });
  const pidFile = path.join(stateDir, 'postgres/data/postmaster.pid');
  const statuses = new Set<number>();

  process.kill(Number(fs.readFileSync(pidFile, 'utf8').split('\n')[0]), 'SIGKILL');
  await waitUntil('the server answers from its store again', async () => {
    const response = await fetch(`${running?.url}/readyz`);
    statuses.add(response.status);
    return response.ok && running?.output.includes('PostgreSQL is back') === true;
  });

  expect([...statuses].filter((status) => ![200, 503].includes(status))).toEqual([]);
  expect(await running.client.jobsGet({ job_id: job_id ?? 0 })).toMatchObject({ settings: { name: 'kept' } });
});

test('settings that make no sense are told all at once, by name', async () => {
  const child = spawnServer(stateDir, { HEADRACE_PORT: 'x', HEADRACE_LOG_LEVEL: 'loud' });
  const [code] = await once(child, 'exit');
  const output = fs.readFileSync(path.join(stateDir, 'server.log'), 'utf8');

  expect(code).toBe(1);
  expect(output).toContain('HEADRACE_PORT');
  expect(output).toContain('HEADRACE_LOG_LEVEL');
});
