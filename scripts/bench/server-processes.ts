/** Servers that share one PostgreSQL, as processes of their own with hosts in memory. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Client, createClient } from '@headrace/api';
import { repository } from './baselines.ts';

const main = path.join(repository, 'packages/server/src/main.ts');
const readyMs = 60_000;

export interface ServerGroup {
  readonly clients: readonly Client[];
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

/** In `folder`, over one database; resolves when all are ready. */
export async function startServerGroup(options: {
  readonly folder: string;
  readonly databaseUrl: string;
  readonly count: number;
  /** Of each. */
  readonly slots: number;
}): Promise<ServerGroup> {
  const { folder, databaseUrl, count, slots } = options;
  const shared = path.join(folder, 'data');
  fs.mkdirSync(shared, { recursive: true });
  const children: ChildProcess[] = [];
  const clients: Client[] = [];
  // Not left behind when the benchmark is interrupted.
  const kill = () => children.forEach((child) => void child.kill('SIGKILL'));
  process.once('exit', kill);
  const stop = async () => {
    await Promise.all(children.map(end));
    process.off('exit', kill);
  };
  try {
    // One after the other: the first one makes the schema, and the administrator.
    for (let index = 0; index < count; index++) {
      const stateDir = path.join(folder, `server-${index}`);
      fs.mkdirSync(stateDir);
      fs.symlinkSync(shared, path.join(stateDir, 'data'));
      const environment = { HEADRACE_DATABASE_URL: databaseUrl, HEADRACE_SLOTS: String(slots) };
      const child = spawnServer(stateDir, environment);
      children.push(child);
      clients.push(await whenReady(child, stateDir));
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { clients, pids: children.map(({ pid = 0 }) => pid), stop };
}

function spawnServer(stateDir: string, environment: Readonly<Record<string, string>>): ChildProcess {
  const log = fs.openSync(path.join(stateDir, 'server.log'), 'a');
  const child = spawn(process.execPath, ['--conditions=source', main], {
    stdio: ['ignore', log, log],
    // A Ctrl-C is for the benchmark, which ends them itself.
    detached: true,
    env: {
      PATH: process.env.PATH,
      HEADRACE_STATE_DIR: stateDir,
      HEADRACE_PORT: '0',
      HEADRACE_BACKEND: 'fake',
      HEADRACE_LOG_LEVEL: 'error',
      HEADRACE_REQUESTS_PER_MINUTE: '10000000',
      ...environment,
    },
  });
  fs.closeSync(log);
  return child;
}

async function whenReady(child: ChildProcess, stateDir: string): Promise<Client> {
  const file = path.join(stateDir, 'server.json');
  const deadline = performance.now() + readyMs;
  for (;;) {
    if (child.exitCode !== null || performance.now() > deadline)
      throw new Error(fs.readFileSync(path.join(stateDir, 'server.log'), 'utf8'));
    if (fs.existsSync(file)) {
      const { url, token } = JSON.parse(fs.readFileSync(file, 'utf8')) as { url: string; token: string };
      const isReady = (await fetch(`${url}/readyz`).catch(() => null))?.ok ?? false;
      if (isReady) return createClient({ baseUrl: url, token });
    }
    await delay(20);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}
