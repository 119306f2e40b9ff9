/** The server as people run it: `headrace up --detach` and `down`, processes of their own, on a fresh state folder. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { type Client, createClient } from '@headrace/api';
import { findMarked, type LeftProcess, MARKER, takeCensus } from '../census.ts';
import { repository } from './baselines.ts';

export interface InstalledServer {
  readonly stateDir: string;
  /** Milliseconds until the command has said that the server is ready. */
  up(): Promise<number>;
  down(): Promise<number>;
  client(): Promise<Client>;
  /** Everything that runs on the state folder now. */
  findProcesses(): readonly LeftProcess[];
}

/** Stops everything afterwards, also on failure. */
export async function withInstalledServer(use: (server: InstalledServer) => Promise<void>): Promise<void> {
  const stateDir = await fs.mkdtemp(path.join(os.tmpdir(), 'headrace-bench-'));
  const marks = { runId: path.basename(stateDir), folder: stateDir };
  const headrace = (...args: string[]) =>
    timeHeadrace([...args, '--state-dir', stateDir], { [MARKER]: marks.runId });
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
  const abandon = () => void clearUp().finally(() => process.exit(130));
  process.once('SIGINT', abandon).once('SIGTERM', abandon);
  try {
    await use({
      stateDir,
      findProcesses,
      up: () => measure('up', '--port', '0', '--detach'),
      down: () => measure('down'),
      client: async () => {
        const file = await fs.readFile(path.join(stateDir, 'server.json'), 'utf8');
        const { url, token } = JSON.parse(file) as { url: string; token: string };
        return createClient({ baseUrl: url, token });
      },
    });
  } finally {
    process.off('SIGINT', abandon).off('SIGTERM', abandon);
    await clearUp();
  }
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
