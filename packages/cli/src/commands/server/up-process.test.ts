import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findServer } from '../../local/find-server.ts';
import { isAlive } from '../../local/process-proof.ts';

const launcher = fileURLToPath(new URL('../../../bin/headrace.js', import.meta.url));

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'headrace-up-'));
});

afterEach(async () => {
  await runToEnd(['down']);
  await rm(folder, { recursive: true });
});

/** The command as users call it, against the real server; no tasks run, so the simulated backend will do. */
function start(args: readonly string[]) {
  const child = spawn(process.execPath, [launcher, ...args, '--state-dir', folder], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, HEADRACE_BACKEND: 'fake' },
  });
  let text = '';
  const ended = new Promise<{ code: number | null; text: string }>((resolve) => {
    child.on('close', (code) => resolve({ code, text }));
  });
  const said = (words: string) =>
    new Promise<void>((resolve, reject) => {
      const look = (chunk: Buffer) => {
        text += chunk.toString('utf8');
        if (text.includes(words)) resolve();
      };
      child.stdout.on('data', look);
      child.stderr.on('data', look);
      void ended.then(() => reject(new Error(`ended before it said "${words}": ${text}`)));
    });
  return { child, ended, said };
}

async function runToEnd(args: readonly string[]) {
  const { ended, said } = start(args);
  await said('never said').catch(() => undefined);
  return ended;
}

test('up stays while its server runs, and Ctrl-C ends both', async () => {
  const up = start(['up', '--port', '0']);
  await up.said('Ctrl-C stops it');
  const server = await findServer(folder);
  const status = await runToEnd(['status']);
  // A terminal sends it to the whole foreground group; the launcher leaves it to the command.
  up.child.kill('SIGTERM');
  const { code, text } = await up.ended;

  expect(status.text).toMatch(/runs +0 running, 0 queued/);
  expect(text).toContain('Token of the administrator');
  expect(text).toContain('/api/headrace/sign-in?code=');
  expect(code).toBe(0);
  expect(server !== undefined && (await isAlive(server))).toBe(false);
  expect(server).toBeDefined();
});
