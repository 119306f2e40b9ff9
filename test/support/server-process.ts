/** The server as a process of its own, to be killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Client, createClient } from '@headrace/api';
import { waitUntil } from './census.ts';

export interface ServerProcess {
  readonly pid: number;
  readonly url: string;
  readonly client: Client;
  readonly output: string;
  kill(signal: NodeJS.Signals): Promise<{ code: number | null; signal: string | null }>;
}

/** With a PostgreSQL to be made, on a machine that is twenty times overloaded. */
const readyMsMax = 120_000;

const main = fileURLToPath(new URL('../../packages/server/src/main.ts', import.meta.url));

export function spawnServer(
  stateDir: string,
  environment: Readonly<Record<string, string>> = {},
): ChildProcess {
  fs.mkdirSync(stateDir, { recursive: true });
  const log = fs.openSync(path.join(stateDir, 'server.log'), 'a');
  return spawn(process.execPath, ['--conditions=source', main], {
    env: {
      ...{
        PATH: process.env.PATH,
        HEADRACE_STATE_DIR: stateDir,
        HEADRACE_PORT: '0',
        HEADRACE_BACKEND: 'fake',
      },
      ...environment,
    },
    stdio: ['ignore', log, log],
  });
}

export async function startServerProcess(
  stateDir: string,
  environment?: Readonly<Record<string, string>>,
): Promise<ServerProcess> {
  const child = spawnServer(stateDir, environment);
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const file = path.join(stateDir, 'server.json');
  let server: { url: string; token: string; pid: number } | undefined;
  const isReady = async () => {
    if (child.exitCode !== null) throw new Error(fs.readFileSync(path.join(stateDir, 'server.log'), 'utf8'));
    server = readJson(file);
    if (server?.pid !== child.pid) return false;
    return (await fetch(`${server?.url}/readyz`).catch(() => null))?.ok ?? false;
  };
  try {
    await waitUntil('the server is ready', isReady, readyMsMax);
  } catch (error) {
    // Nobody else could end it, with the PostgreSQL that it has started.
    child.kill('SIGTERM');
    await exited;
    throw error;
  }
  if (!server) throw new Error('no server.json');
  return {
    pid: server.pid,
    url: server.url,
    client: createClient({ baseUrl: server.url, token: server.token }),
    get output() {
      return fs.readFileSync(path.join(stateDir, 'server.log'), 'utf8');
    },
    async kill(signal) {
      child.kill(signal);
      const [code, bySignal] = await exited;
      return { code, signal: bySignal };
    },
  };
}

function readJson(file: string): { url: string; token: string; pid: number } | undefined {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch {
    return undefined; // Not written yet.
  }
}
