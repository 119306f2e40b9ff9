/** The server as people run it: `headrace up --detach` and `down`, processes of their own, on a fresh state folder. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Client, createClient } from '@headrace/api';
import { findMarked, type LeftProcess, MARKER, takeCensus } from '../census.ts';
import { readRuntime, repository } from './baselines.ts';
import { endWhenInterrupted } from './interruption.ts';

export interface InstalledServer {
  readonly stateDir: string;
  /** Milliseconds until the command has said that the server is ready. */
  up(): Promise<number>;
  down(): Promise<number>;
  /** As `kill -9` of the server alone: hosts, tasks and PostgreSQL go on. Resolves when it is gone. */
  kill(): Promise<void>;
  client(): Promise<Client>;
  address(): Promise<{ readonly url: string; readonly token: string }>;
  /** Everything that runs on the state folder now. */
  findProcesses(): readonly LeftProcess[];
}

/** The JVMs among what runs: of a long command line only the beginning is shown. */
export function findDrivers(server: InstalledServer): readonly LeftProcess[] {
  const { spark } = readRuntime();
  return server.findProcesses().filter(({ command }) => spark !== null && command.startsWith(spark.java));
}

/** Stops everything afterwards, also on failure. */
export async function withInstalledServer(
  use: (server: InstalledServer) => Promise<void>,
  environment: Readonly<Record<string, string>> = {},
): Promise<void> {
  const stateDir = await fs.mkdtemp(path.join(os.tmpdir(), 'headrace-bench-'));
  const marks = { runId: path.basename(stateDir), folder: stateDir };
  const headrace = (...args: string[]) =>
    timeHeadrace([...args, '--state-dir', stateDir], { ...environment, [MARKER]: marks.runId });
  const findProcesses = () => findMarked(marks) ?? [];
  let isOver = false;
  let cleared: Promise<void> | null = null;
  let underWay: Promise<unknown> = Promise.resolve();
  const stopEverything = async () => {
    await underWay.catch(() => {}); // whoever waits for it is told
    await headrace('down').catch((error: unknown) => console.error(error));
    for (const { pid, command } of (await takeCensus(marks)) ?? []) {
      console.error(`left behind, killed: process ${pid}: ${command}`);
      process.exitCode = 1;
      process.kill(pid, 'SIGKILL');
    }
    await fs.rm(stateDir, { recursive: true, force: true });
  };
  const clearUp = () => {
    isOver = true;
    cleared ??= stopEverything();
    return cleared;
  };
  const measure = (...args: string[]) => {
    if (isOver) throw new Error('interrupted');
    const command = headrace(...args);
    underWay = command;
    return command;
  };
  const forgetClearUp = endWhenInterrupted(clearUp);
  try {
    await use({
      stateDir,
      findProcesses,
      up: () => measure('up', '--port', '0', '--detach'),
      down: () => measure('down'),
      kill: async () => {
        const { pid } = await readServerFile(stateDir);
        process.kill(pid, 'SIGKILL');
        while (findProcesses().some((left) => left.pid === pid)) await delay(5);
      },
      address: () => readServerFile(stateDir),
      client: async () => {
        const { url, token } = await readServerFile(stateDir);
        return createClient({ baseUrl: url, token });
      },
    });
  } finally {
    await clearUp();
    forgetClearUp();
  }
}

async function readServerFile(stateDir: string) {
  const text = await fs.readFile(path.join(stateDir, 'server.json'), 'utf8');
  return JSON.parse(text) as { url: string; token: string; pid: number };
}

async function timeHeadrace(args: readonly string[], environment: Record<string, string>): Promise<number> {
  const main = path.join(repository, 'packages/cli/src/main.ts');
  // The caller's own server must stay out of it: an empty variable counts as none.
  const own = { DATABRICKS_HOST: '', DATABRICKS_TOKEN: '', HEADRACE_DATABASE_URL: '' };
  const startedAt = performance.now();
  const child = spawn(process.execPath, ['--conditions=source', main, ...args], {
    env: { ...process.env, ...own, ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
    // A Ctrl-C is for the benchmark, which then stops the server itself.
    detached: true,
  });
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (piece: string) => {
    complaints += piece;
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  const elapsedMs = performance.now() - startedAt;
  if (code !== 0) throw new Error(`headrace ${args.join(' ')} ended with ${code}: ${complaints}`);
  return elapsedMs;
}
