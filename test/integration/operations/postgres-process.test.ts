/** The embedded PostgreSQL under a server with work in flight: killed, and out of disk. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import crypto from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Client, createClient } from '@headrace/api';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findProcessesOf, waitUntil } from '../../support/census.ts';
import { startServerProcess } from '../../support/server-process.ts';
import { fakeTask } from '../runs/engine.ts';

let stateDir: string;
let stop: () => Promise<unknown>;
beforeEach(() => {
  stateDir = fs.mkdtempSync(path.join(os.tmpdir(), 'headrace-trouble-'));
  fs.chmodSync(stateDir, 0o711);
});
afterEach(async () => {
  await stop();
  expect(await findProcessesOf(stateDir)).toEqual([]);
  fs.rmSync(stateDir, { recursive: true, force: true });
});

async function submit(client: Client, afterMs: number): Promise<number> {
  const tasks = [
    fakeTask('a', { fake: { kind: 'succeed', afterMs } }),
    fakeTask('b', { after: ['a'], fake: { kind: 'succeed', afterMs: 50 } }),
  ];
  return (await client.runsSubmit({ run_name: 'in flight', tasks })).run_id;
}

async function expectOneAttemptEach(client: Client, runId: number): Promise<void> {
  await waitUntil(`run ${runId} has ended`, async () => {
    const run = await client.runsGet({ run_id: runId }).catch(() => null);
    return run?.status.state === 'TERMINATED';
  });
  const run = await client.runsGet({ run_id: runId });
  const told = run.tasks?.map(({ state }) => state.state_message).join(' · ');
  const ended = run.tasks?.map((task) => [task.task_key, task.attempt_number, task.state.result_state]);
  expect(ended, told).toEqual([
    ['a', 0, 'SUCCESS'],
    ['b', 0, 'SUCCESS'],
  ]);
}

const postmasterPid = (folder: string) =>
  Number(fs.readFileSync(path.join(folder, 'postgres/data/postmaster.pid'), 'utf8').split('\n')[0]);

test('after its postmaster is killed twice PostgreSQL is back, and work in flight ends as if nothing was', async () => {
  const server = await startServerProcess(stateDir);
  stop = () => server.kill('SIGTERM');
  const runIds: number[] = [];

  for (const round of [1, 2]) {
    runIds.push(await submit(server.client, 100), await submit(server.client, 1_500));
    const before = postmasterPid(stateDir);
    process.kill(before, 'SIGKILL');
    await waitUntil(`PostgreSQL is back for the ${round}. time`, async () => {
      const isBack = server.output.split('PostgreSQL is back').length > round;
      return isBack && (await fetch(`${server.url}/readyz`)).ok;
    });
  }

  for (const runId of runIds) await expectOneAttemptEach(server.client, runId);
  const report = await server.client.doctor({ deep: true });
  expect(report.findings.filter(({ severity }) => severity === 'error')).toEqual([]);
});

const mayMount =
  process.platform === 'linux' &&
  spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;

/** Its state folder is a small file system of its own, which nobody else sees and which goes with its processes. */
async function startOnSmallDisk(
  mebibytes: number,
): Promise<{ child: ChildProcess; root: string; client: Client; url: string }> {
  const main = fileURLToPath(new URL('../../../packages/server/src/main.ts', import.meta.url));
  const script = `mount -t tmpfs -o size=${mebibytes}m,mode=711 tmpfs "$HEADRACE_STATE_DIR" && exec "$0" --conditions=source "$1"`;
  const child = spawn('unshare', ['-m', '/bin/sh', '-c', script, process.execPath, main], {
    env: {
      PATH: process.env.PATH,
      HEADRACE_STATE_DIR: stateDir,
      HEADRACE_PORT: '0',
      HEADRACE_BACKEND: 'fake',
    },
    stdio: 'ignore',
  });
  const root = `/proc/${child.pid}/root${stateDir}`;
  let file: { url: string; token: string } | null = null;
  await waitUntil('the server is ready', async () => {
    file = readJson(path.join(root, 'server.json'));
    return file !== null && ((await fetch(`${file.url}/readyz`).catch(() => null))?.ok ?? false);
  });
  const { url, token } = file as unknown as { url: string; token: string }; // Read just above.
  return { child, root, url, client: createClient({ baseUrl: url, token }) };
}

function readJson(file: string): { url: string; token: string } | null {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch {
    return null; // Not written yet.
  }
}

test.runIf(mayMount)('a full disk is told as 503, and all goes on once there is room', async () => {
  const { child, root, client, url } = await startOnSmallDisk(160);
  stop = async () => {
    child.kill('SIGTERM');
    await once(child, 'exit');
  };
  const runId = await submit(client, 2_000);
  const ballast = fs.openSync(path.join(root, 'ballast'), 'w');
  try {
    for (;;) fs.writeSync(ballast, Buffer.alloc(1024 ** 2));
  } catch (error) {
    expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
  }
  const { token } = readJson(path.join(root, 'server.json')) ?? { token: '' };
  const statuses: number[] = [];
  for (let request = 0; request < 60 && !statuses.includes(503); request += 1) {
    const response = await fetch(`${url}/api/2.2/jobs/create`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ name: `job ${request}`, note: crypto.randomBytes(200_000).toString('base64') }),
    });
    statuses.push(response.status);
  }

  fs.closeSync(ballast);
  fs.rmSync(path.join(root, 'ballast'));

  expect(statuses.filter((status) => ![200, 503].includes(status))).toEqual([]);
  expect(statuses).toContain(503);
  await expectOneAttemptEach(client, runId);
  await expectOneAttemptEach(client, await submit(client, 50));
});
