/** A server that is killed at one point after the other and started again each time, and the client that lives with it. */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ApiError, type Client, createClient } from '@headrace/api';
import { findProcessesOf, waitUntil } from '../../support/census.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type PostgresProxy, type Side, startPostgresProxy } from '../../support/postgres-proxy.ts';
import { spawnServer, startServerProcess } from '../../support/server-process.ts';
import { type CrashPoint, isUseOf } from './statements.ts';

/** Where the worker lives: in the server's process, or in one of its own that outlives the server's crashes. */
export type WorkerPlace = 'inside' | 'outside';

export interface Lane {
  readonly database: TestDatabase;
  readonly folder: string;
  readonly stateDir: string;
  readonly ledger: string;
  readonly client: Client;
  readonly workerPlace: WorkerPlace;
  readonly trap: JournalTrap;
  /** Crashes so far, in words. */
  readonly crashes: readonly string[];
  /** The server dies at this point; from then on at the next one that `nextPoint` tells. */
  arm(nextPoint: () => CrashPoint | null): void;
  /** The server dies wherever it stands. */
  crash(): void;
  /** None is set any more; resolves when the server is well. */
  disarm(): Promise<void>;
  /** Of a point that is set: how often it was hit. */
  readonly hits: number;
  /** Asks again while the server is away. */
  ask<T>(call: (client: Client) => Promise<T>): Promise<T>;
  /** For the worker outside. */
  /** Of the logs. */
  tail(): string;
  startWorker(): Promise<void>;
  stopWorker(): Promise<void>;
  /** What would not end. */
  close(): Promise<readonly string[]>;
}

/** Kills the host of the tasks at a line of its journal, once. */
export interface JournalTrap {
  set(kind: string, side: Side): void;
  readonly hasSprung: boolean;
}

const repository = fileURLToPath(new URL('../../../', import.meta.url));
const workerMain = path.join(repository, 'packages/worker/src/main.ts');
const patienceMs = 60_000;
const askAgainMs = 20;
const slots = 3;

export async function openLane(workerPlace: WorkerPlace): Promise<Lane> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hr-crash-'));
  const database = await createTestDatabase();
  const proxy = await startPostgresProxy(database.url);
  const stateDir = path.join(folder, 'server');
  const server = new KilledServer(proxy, stateDir, {
    HEADRACE_DATABASE_URL: proxy.url,
    HEADRACE_BACKEND: workerPlace === 'inside' ? 'local' : 'none',
    HEADRACE_RUNTIME_DIR: writeRuntime(folder),
    HEADRACE_SLOTS: String(slots),
    HEADRACE_LOG_LEVEL: 'info',
    TMPDIR: folder,
  });
  const client = await server.startFirst();
  const worker = new OutsideWorker(folder, client);
  return {
    ...{ database, folder, stateDir, client, workerPlace },
    ledger: path.join(folder, 'ledger'),
    trap: createJournalTrap(folder),
    get crashes() {
      return server.crashes;
    },
    get hits() {
      return server.hits;
    },
    arm: (nextPoint) => server.arm(nextPoint),
    crash: () => server.crash(),
    disarm: () => server.disarm(),
    ask: (call) => askAgain(() => call(client)),
    tail: () => ['server/server.log', 'worker.log'].map((log) => tailOf(path.join(folder, log))).join('\n'),
    startWorker: () => worker.start(),
    stopWorker: () => worker.stop(),
    async close() {
      // A worker that signs off needs the server; one that cannot is ended all the same.
      const ends = await Promise.allSettled([server.disarm().then(() => worker.stop())]);
      await worker.kill();
      ends.push(...(await Promise.allSettled([server.stop()])));
      const left = await endLeft(folder);
      await proxy.close();
      await database.drop();
      fs.rmSync(folder, { recursive: true, force: true });
      const failed = ends.filter((end) => end.status === 'rejected').map(({ reason }) => String(reason));
      return [...failed, ...left.map((line) => `process ${line} was left`)];
    },
  };
}

/** That of the set-up, with a Python that has the trap on its path. */
function writeRuntime(folder: string): string {
  const file = path.join(repository, '.runtime', 'runtime.json');
  const runtime = JSON.parse(fs.readFileSync(file, 'utf8')) as { python: string };
  const python = path.join(folder, 'python');
  fs.mkdirSync(path.join(folder, 'trap'));
  fs.copyFileSync(
    path.join(import.meta.dirname, 'journal_trap.py'),
    path.join(folder, 'trap/sitecustomize.py'),
  );
  const script = `#!/bin/sh\nPYTHONPATH="${folder}/trap:$PYTHONPATH" exec "${runtime.python}" "$@"\n`;
  fs.writeFileSync(python, script, { mode: 0o700 });
  fs.writeFileSync(path.join(folder, 'runtime.json'), JSON.stringify({ ...runtime, python }));
  return folder;
}

function createJournalTrap(folder: string): JournalTrap {
  const file = path.join(folder, 'trap/trap');
  return {
    set(kind, side) {
      fs.rmSync(`${file}.sprung`, { force: true });
      fs.writeFileSync(`${file}.new`, `${kind} ${side}`);
      fs.renameSync(`${file}.new`, file);
    },
    get hasSprung() {
      return fs.existsSync(`${file}.sprung`);
    },
  };
}

async function askAgain<T>(call: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      const isAnswer = error instanceof ApiError && error.status < 500;
      if (isAnswer || performance.now() > deadline) throw error;
      await delay(askAgainMs);
    }
  }
}

const endWaitMs = 15_000;

async function endLeft(folder: string): Promise<readonly string[]> {
  let left: string[] = [];
  const isEmpty = async () => {
    left = await findProcessesOf(folder);
    return left.length === 0;
  };
  await waitUntil('no process is left', isEmpty, endWaitMs).catch(() => undefined);
  for (const line of left) process.kill(Number.parseInt(line, 10), 'SIGKILL');
  return left;
}

function tailOf(file: string): string {
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\n').slice(-30).join('\n') : '';
}

type Child = ReturnType<typeof spawnServer>;

class KilledServer {
  readonly #proxy: PostgresProxy;
  readonly #stateDir: string;
  readonly #environment: Readonly<Record<string, string>>;
  #child: Child | null = null;
  #nextPoint: () => CrashPoint | null = () => null;
  #isStopping = false;
  #failure: Error | null = null;
  readonly crashes: string[] = [];
  hits = 0;

  constructor(proxy: PostgresProxy, stateDir: string, environment: Readonly<Record<string, string>>) {
    this.#proxy = proxy;
    this.#stateDir = stateDir;
    this.#environment = environment;
  }

  /** In peace: it prints the token once, and keeps its port from then on. */
  async startFirst(): Promise<Client> {
    const first = await startServerProcess(this.#stateDir, this.#environment);
    const token = /shown only now: {2}(hrp_\S+)/.exec(first.output)?.[1];
    if (token === undefined) throw new Error(`no token was printed:\n${first.output}`);
    await first.kill('SIGTERM');
    this.#start();
    return createClient({ baseUrl: first.url, token });
  }

  #start(): void {
    const child = spawnServer(this.#stateDir, this.#environment);
    this.#child = child;
    this.#arm();
    child.once('exit', (code, signal) => {
      if (this.#isStopping || this.#child !== child) return;
      if (signal !== 'SIGKILL') this.#failure = new Error(`the server ended by itself: ${code ?? signal}`);
      this.#start();
    });
  }

  #arm(): void {
    const point = this.#nextPoint();
    let uses = 0;
    this.#proxy.arm(
      point && {
        side: point.side,
        matches: (use) => isUseOf(point, use) && ++uses === point.nth,
        onTrip: () => {
          this.hits += 1;
          this.crashes.push(`${point.side} ${point.saved ?? point.statement}`);
          this.#child?.kill('SIGKILL');
        },
      },
    );
  }

  arm(nextPoint: () => CrashPoint | null): void {
    this.#nextPoint = nextPoint;
    this.#arm();
  }

  crash(): void {
    this.crashes.push('anywhere');
    this.#child?.kill('SIGKILL');
  }

  async disarm(): Promise<void> {
    this.arm(() => null);
    await waitUntil('the server is well', async () => {
      if (this.#failure) throw this.#failure;
      const { url, pid } = readServerFile(this.#stateDir);
      if (pid !== this.#child?.pid) return false;
      return (await fetch(`${url}/readyz`).catch(() => null))?.ok ?? false;
    });
  }

  async stop(): Promise<void> {
    const failure = await this.disarm().catch((error: unknown) => error);
    this.#isStopping = true;
    const child = this.#child;
    if (child && child.exitCode === null && child.signalCode === null) {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
    }
    if (failure) throw failure;
  }
}

function readServerFile(stateDir: string): { url: string; pid: number | null } {
  try {
    return JSON.parse(fs.readFileSync(path.join(stateDir, 'server.json'), 'utf8'));
  } catch {
    return { url: '', pid: null }; // Not written yet.
  }
}

class OutsideWorker {
  readonly #folder: string;
  readonly #client: Client;
  #token: string | null = null;
  #child: Child | null = null;

  constructor(folder: string, client: Client) {
    this.#folder = folder;
    this.#client = client;
  }

  async start(): Promise<void> {
    this.#token ??= (await askAgain(() => this.#client.workerTokensCreate({ comment: 'crash' }))).token_value;
    const { url } = readServerFile(path.join(this.#folder, 'server'));
    const log = fs.openSync(path.join(this.#folder, 'worker.log'), 'a');
    this.#child = spawn(process.execPath, ['--conditions=source', workerMain], {
      stdio: ['ignore', log, log],
      env: {
        ...{ PATH: process.env.PATH, TMPDIR: this.#folder, HEADRACE_STOP_GRACE_MS: '300' },
        ...{ HEADRACE_SERVER: url, HEADRACE_TOKEN: this.#token, HEADRACE_SLOTS: String(slots) },
        HEADRACE_STATE_DIR: path.join(this.#folder, 'worker'),
        HEADRACE_RUNTIME_DIR: this.#folder,
      },
    });
    fs.closeSync(log);
  }

  /** It drains and signs off, however long the server is away. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    this.#child = null;
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), patienceMs);
    const code = await ended;
    clearTimeout(late);
    if (code !== 0) throw new Error(`the worker ended with ${code ?? 'SIGKILL'}`);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    this.#child = null;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }
}
