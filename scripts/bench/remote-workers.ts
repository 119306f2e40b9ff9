/** Workers as on other machines: processes of their own that reach the server over HTTP, with hosts in memory. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { repository } from './baselines.ts';
import type { BenchServer } from './bench-server.ts';

const main = path.join(repository, 'packages/worker/src/main.ts');
const signOnMs = 60_000;

/** Resolves when all have signed on, with what ends them. */
export async function startRemoteWorkers(
  { client, server }: BenchServer,
  { count, slots }: { readonly count: number; readonly slots: number },
): Promise<() => Promise<void>> {
  const { token_value } = await client.workerTokensCreate({ comment: 'bench' });
  const children = Array.from({ length: count }, (_, index) => {
    const folder = path.join(server.services.config.stateDir, `worker-${index}`);
    return spawnWorker(folder, {
      HEADRACE_SERVER: server.url,
      HEADRACE_TOKEN: token_value,
      HEADRACE_SLOTS: String(slots),
    });
  });
  // Not left behind when the benchmark is interrupted.
  const kill = () => children.forEach((child) => void child.kill('SIGKILL'));
  process.once('exit', kill);
  const deadline = performance.now() + signOnMs;
  const { db } = server.services;
  const listSignedOn = {
    name: 'bench-list-workers',
    text: 'select worker_id from workers where not is_local',
  };
  while ((await db.query({ ...listSignedOn, values: [] })).length < count) {
    if (performance.now() > deadline) throw new Error('the workers do not sign on');
    await delay(100);
  }
  return async () => {
    await Promise.all(children.map(end));
    process.off('exit', kill);
  };
}

function spawnWorker(folder: string, environment: Readonly<Record<string, string>>): ChildProcess {
  fs.mkdirSync(folder, { recursive: true });
  const log = fs.openSync(path.join(folder, 'worker.log'), 'a');
  const child = spawn(
    process.execPath,
    ['--conditions=source', '--disable-warning=ExperimentalWarning', main],
    {
      stdio: ['ignore', log, log],
      // A Ctrl-C is for the benchmark, which ends them itself.
      detached: true,
      env: {
        PATH: process.env.PATH,
        HEADRACE_STATE_DIR: folder,
        HEADRACE_RUNTIME_DIR: path.join(repository, '.runtime'),
        HEADRACE_BACKEND: 'fake',
        ...environment,
      },
    },
  );
  fs.closeSync(log);
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}
