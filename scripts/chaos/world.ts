/**
 * Everything that chaos is made with, in one folder: PostgreSQL, two servers with one data root, three workers that
 * reach each server through a proxy that can be cut.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient } from '@headrace/api';
import { findFreePort } from '../../packages/server/src/store/ports.ts';
import { waitUntil } from '../../test/support/census.ts';
import { type CuttableProxy, startProxy } from '../../test/support/cuttable-proxy.ts';
import type { IncidentLog } from './incident-log.ts';
import { type ChaosPostgres, makePostgres } from './postgres.ts';
import { listProcesses, sendSignal } from './processes.ts';
import { type SelfEnd, Supervised } from './supervised.ts';

export interface ChaosServer {
  readonly process: Supervised;
  readonly url: string;
}

export interface ChaosWorker {
  readonly process: Supervised;
  readonly proxies: readonly CuttableProxy[];
}

export interface World {
  readonly folder: string;
  readonly diaryFile: string;
  readonly postgres: ChaosPostgres;
  readonly servers: readonly ChaosServer[];
  readonly workers: readonly ChaosWorker[];
  /** Of the administrator. */
  readonly token: string;
  /** In good order. */
  stop(): Promise<void>;
  /** By force: nothing below the folder is left. */
  destroy(): void;
  removeFolder(): void;
}

/** Two busy cores renew it in time; its end can be waited for. */
export const leaseMs = 9_000;
export const serverNames = ['north', 'south'] as const;
export const workerNames = ['ash', 'birch', 'cedar'] as const;

const repository = fileURLToPath(new URL('../../', import.meta.url));
const programs = {
  server: path.join(repository, 'packages/server/src/main.ts'),
  worker: path.join(repository, 'packages/worker/src/main.ts'),
};
const readyMs = 120_000;
const saidCharsMax = 2_000;
const slots = { server: '3', worker: '4' };
const drainMs = { server: '5000', worker: '6000' };

/** When this process is killed: nothing frozen or running may be left behind. */
const guardScript = `
  cat > /dev/null
  for proc in /proc/[0-9]*; do
    pid=\${proc#/proc/}
    [ "$pid" = "$$" ] && continue
    tr '\\0' ' ' < $proc/cmdline 2> /dev/null | grep -qF "$0" ||
      tr '\\0' '\\n' < $proc/environ 2> /dev/null | grep -qF "$0" || continue
    kill -KILL "$pid" 2> /dev/null
  done`;

export async function openWorld(log: IncidentLog): Promise<World> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'chaos-'));
  // Others pass through: PostgreSQL runs as another user when we are root.
  fs.chmodSync(folder, 0o711);
  const guard = spawn('/bin/sh', ['-c', guardScript, folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  try {
    return await populate(folder, guard, log);
  } catch (error) {
    guard.stdin.end();
    throw error;
  }
}

async function populate(folder: string, guard: ChildProcess, log: IncidentLog): Promise<World> {
  const [temporary, shared] = ['t', 'data'].map((name) => path.join(folder, name));
  for (const made of [temporary, shared]) fs.mkdirSync(made ?? '');
  const postgres = await makePostgres(path.join(folder, 'postgres'));
  await postgres.start();
  const settings = {
    HEADRACE_DATABASE_URL: postgres.url,
    HEADRACE_RUNTIME_DIR: path.join(repository, '.runtime'),
    HEADRACE_WORKER_LEASE_MS: String(leaseMs),
    TMPDIR: temporary ?? '',
  };
  /** A server may refuse to start while PostgreSQL is away: whoever runs it starts it again. */
  const serverEnded = ({ what, wasUp }: SelfEnd) => log.note(wasUp ? 'self-end' : 'start refused', what);
  const workerEnded = ({ what }: SelfEnd) => log.note('self-end', what);
  const servers: ChaosServer[] = [];
  for (const name of serverNames)
    servers.push(await makeServer(name, { folder, settings, onSelfEnd: serverEnded }));
  const token = readAdminToken(servers);
  const worker = await createClient({ baseUrl: servers[0]?.url ?? '', token }).workerTokensCreate({});
  const workers = await Promise.all(
    workerNames.map((name) =>
      makeWorker(name, {
        ...{ folder, settings, onSelfEnd: workerEnded, servers, token: worker.token_value },
      }),
    ),
  );
  const world = { folder, diaryFile: path.join(folder, 'diary'), postgres, servers, workers, token };
  return { ...world, ...endings(world, guard) };
}

interface Maker {
  readonly folder: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly onSelfEnd: (end: SelfEnd) => void;
}

async function makeServer(name: string, { folder, settings, onSelfEnd }: Maker): Promise<ChaosServer> {
  const port = await findFreePort();
  let isRefused = false;
  const made = new Supervised({
    ...{
      name,
      stateDir: path.join(folder, name),
      program: programs.server,
      upMark: '"msg":"ready"',
    },
    onSelfEnd(end) {
      isRefused ||= !end.wasUp;
      onSelfEnd(end);
    },
    environment: {
      ...settings,
      HEADRACE_PORT: String(port),
      HEADRACE_SLOTS: slots.server,
      HEADRACE_DRAIN_MS: drainMs.server,
      // The other has no worker of its own: what it is asked goes elsewhere.
      HEADRACE_BACKEND: name === serverNames[0] ? 'local' : 'none',
    },
  });
  fs.symlinkSync(path.join(folder, 'data'), path.join(made.stateDir, 'data'));
  const server = { process: made, url: `http://127.0.0.1:${port}` };
  made.start();
  const isUp = () => {
    if (isRefused) throw new Error('it refused to start, in peace');
    return isReady(server);
  };
  await waitUntil(`server ${name} is ready`, isUp, readyMs).catch((cause: unknown) => {
    const said = fs.readFileSync(made.logFile, 'utf8').slice(-saidCharsMax);
    throw new Error(`server ${name} does not start:\n${said}`, { cause });
  });
  return server;
}

export async function isReady({ url }: Pick<ChaosServer, 'url'>): Promise<boolean> {
  const signal = AbortSignal.timeout(5_000);
  return (await fetch(`${url}/readyz`, { signal }).catch(() => null))?.ok ?? false;
}

async function makeWorker(
  name: string,
  {
    folder,
    settings,
    onSelfEnd,
    servers,
    token,
  }: Maker & { readonly servers: readonly ChaosServer[]; readonly token: string },
): Promise<ChaosWorker> {
  const proxies = await Promise.all(servers.map(({ url }) => startProxy(url)));
  const made = new Supervised({
    ...{
      name,
      stateDir: path.join(folder, name),
      program: programs.worker,
      onSelfEnd,
      upMark: 'is signed on',
    },
    environment: {
      ...settings,
      HEADRACE_SERVER: proxies.map(({ url }) => url).join(','),
      HEADRACE_TOKEN: token,
      HEADRACE_WORKER_ID: name,
      HEADRACE_SLOTS: slots.worker,
      HEADRACE_DRAIN_MS: drainMs.worker,
      HEADRACE_STOP_GRACE_MS: '1000',
    },
  });
  made.start();
  return { process: made, proxies };
}

function readAdminToken(servers: readonly ChaosServer[]): string {
  const log = fs.readFileSync(servers[0]?.process.logFile ?? '', 'utf8');
  const token = /shown only now:\s+(\S+)/.exec(log)?.[1];
  if (token === undefined) throw new Error(`no token of the administrator in ${log}`);
  return token;
}

function endings(
  { folder, postgres, servers, workers }: Pick<World, 'folder' | 'postgres' | 'servers' | 'workers'>,
  guard: ChildProcess,
): Pick<World, 'stop' | 'destroy' | 'removeFolder'> {
  return {
    async stop() {
      await Promise.all(workers.map(({ process: each }) => each.end('SIGTERM')));
      await Promise.all(workers.flatMap(({ proxies }) => proxies).map((proxy) => proxy.close()));
      await Promise.all(servers.map(({ process: each }) => each.end('SIGTERM')));
      await postgres.stop();
    },
    destroy() {
      for (const { process: each } of [...servers, ...workers]) void each.end('SIGKILL');
      void postgres.kill();
      for (const { pid } of listProcesses(folder)) if (pid !== guard.pid) sendSignal(pid, 'SIGKILL');
      if (guard.pid !== undefined) sendSignal(guard.pid, 'SIGKILL');
      // Its `cat` waits for this.
      guard.stdin?.destroy();
    },
    removeFolder: () => fs.rmSync(folder, { recursive: true, force: true }),
  };
}
