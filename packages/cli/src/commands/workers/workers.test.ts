import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Command } from 'commander';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CliContext } from '../../cli-context.ts';
import { readSettings } from '../../config.ts';
import { callCli } from '../../testing/call-cli.ts';
import { startStubServer } from '../../testing/stub-server.ts';
import { createWorkerCommand } from './worker.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'headrace-worker-cli-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** What the worker's process is told, written by a program in its place. */
async function toldBy(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const stand = path.join(folder, 'stand-in.mjs');
  const told = path.join(folder, 'told.json');
  await writeFile(
    stand,
    `import fs from 'node:fs';
     const told = Object.entries(process.env).filter(([name]) => name.startsWith('HEADRACE_'));
     fs.writeFileSync(${JSON.stringify(told)}, JSON.stringify(Object.fromEntries(told)));`,
  );
  const context = {
    settings: readSettings({ HEADRACE_STATE_DIR: '/state', ...environment }),
    folder: '/here',
  } as CliContext; // The command looks at no more of it.
  const program = new Command('headrace').addCommand(createWorkerCommand(context, [stand]));
  await program.parseAsync(['worker', ...args], { from: 'user' });
  const { default: found } = await import(told, { with: { type: 'json' } });
  return found as Record<string, string>;
}

test('the worker is told what its options say, with paths from where the command was called', async () => {
  const told = await toldBy([
    ...['--server', 'http://a:1,http://b:2', '--token-file', 'token', '--labels', 'zone=a,gpu=yes'],
    ...['--slots', '3', '--data-root', 'data', '--state-dir', 'state', '--drain-seconds', '5'],
  ]);

  expect(told).toMatchObject({
    HEADRACE_SERVER: 'http://a:1,http://b:2',
    HEADRACE_TOKEN_FILE: '/here/token',
    HEADRACE_WORKER_LABELS: 'zone=a,gpu=yes',
    HEADRACE_SLOTS: '3',
    HEADRACE_DATA_ROOT: '/here/data',
    HEADRACE_STATE_DIR: '/here/state',
    HEADRACE_DRAIN_MS: '5000',
  });
});

test('what options leave out comes from the environment, and a folder beside that of a server', async () => {
  const told = await toldBy([], { HEADRACE_HOST: 'http://a:1', HEADRACE_TOKEN: 't' });

  expect(told).toMatchObject({
    HEADRACE_SERVER: 'http://a:1',
    HEADRACE_TOKEN: 't',
    HEADRACE_STATE_DIR: '/state-worker',
  });
});

test('a token file is not overruled by a token of the environment', async () => {
  const told = await toldBy(['--token-file', '/t'], { HEADRACE_HOST: 'http://a:1', HEADRACE_TOKEN: 'mine' });

  expect(told).not.toHaveProperty('HEADRACE_TOKEN');
  expect(told).toMatchObject({ HEADRACE_TOKEN_FILE: '/t' });
});

test('a worker without a server or a token says what it needs and ends with the code for wrong usage', async () => {
  const called = await callCli(['worker', '--state-dir', path.join(folder, 'state')], {
    environment: { PATH: process.env.PATH ?? '' },
  });

  expect(called.exitCode).toBe(2);
  expect(called.stderr).toContain('the worker ended with exit code 2');
});

test('the list tells when each worker was last heard of, and what a silence costs', async () => {
  const worker = { slots: 4, running: 1 };
  const server = await startStubServer({
    status: async () => ({
      ...{ version: '0.1.0', started_at_ms: 0, hosts: [], loops: [], runs: { queued: 0, running: 0 } },
      workers: [
        { ...worker, worker_id: 'well', state: 'live', heard_ms_ago: 2_100, lease_left_ms: 57_900 },
        { ...worker, worker_id: 'quiet', state: 'silent', heard_ms_ago: 23_000, lease_left_ms: 37_000 },
        { ...worker, worker_id: 'gone', state: 'silent', heard_ms_ago: 300_000, lease_left_ms: 0 },
        { ...worker, worker_id: 'inside', state: 'local', heard_ms_ago: 900, lease_left_ms: null },
      ],
    }),
  });
  const { stdout } = await callCli(['workers', 'list'], {
    environment: { HEADRACE_HOST: server.url, HEADRACE_TOKEN: 't' },
  });
  server.close();

  expect(stdout).toMatch(/well +live +2\.1 s ago +kept/);
  expect(stdout).toMatch(/quiet +silent +23\.0 s ago +37\.0 s, then its tasks count as lost/);
  expect(stdout).toMatch(/gone +silent +5 min 00 s ago +ended: its tasks count as lost/);
  expect(stdout).toMatch(/inside +inside a server +900 ms ago +- /);
});
