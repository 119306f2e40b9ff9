/** A PostgreSQL that nobody but the harness looks after: it is killed, frozen and started again from outside. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Logger, pino } from 'pino';
import { startEmbeddedPostgres } from '../../packages/server/src/store/embedded-postgres.ts';
import { chooseIdentity } from '../../packages/server/src/store/postgres-identity.ts';
import { waitUntilReady } from '../../packages/server/src/store/postmaster.ts';
import { childrenOf, sendSignal } from './processes.ts';

export interface ChaosPostgres {
  readonly url: string;
  /** The postmaster first. */
  pids(): number[];
  /** Resolves when it answers. */
  start(): Promise<void>;
  kill(): Promise<void>;
  /** In good order. */
  stop(): Promise<void>;
}

/** Two servers with 10 connections each, those that listen and save, and the harness. */
const connectionsMax = '100';
const startTriesMax = 300;
const startAgainMs = 200;

export async function makePostgres(folder: string): Promise<ChaosPostgres> {
  const log: Logger = pino({ level: 'silent' });
  const first = await startEmbeddedPostgres({ folder, log, settings: { max_connections: connectionsMax } });
  const { user, password, host, port } = first.connection;
  // The command that the product itself gives, word for word.
  const command = fs.readFileSync(`/proc/${first.pid()}/cmdline`, 'utf8').split('\0').slice(0, -1);
  await first.stop();
  const dataFolder = path.join(folder, 'data');
  const identity = chooseIdentity(folder, fs.statSync(dataFolder).uid);
  let child: ChildProcess | null = null;

  async function tryStart(): Promise<boolean> {
    const output = fs.openSync(path.join(folder, 'postgres.log'), 'a');
    const [program = '', ...rest] = [...identity.commandPrefix, ...command];
    const started = spawn(program, rest, {
      ...identity.spawnOptions,
      ...{ cwd: '/', env: { LC_ALL: 'C', PATH: '/usr/bin:/bin' }, stdio: ['ignore', output, output] },
      detached: true,
    });
    fs.closeSync(output);
    const ended = once(started, 'exit').then(() => null);
    child = started;
    return (await waitUntilReady(dataFolder, started.pid ?? 0, ended)) !== null;
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    const ending = child;
    child = null;
    if (ending === null || ending.exitCode !== null || ending.signalCode !== null) return;
    const ended = once(ending, 'exit');
    ending.kill(signal);
    await ended;
  }

  const pids = () => (child?.pid === undefined ? [] : [child.pid, ...childrenOf(child.pid)]);
  return {
    url: `postgres://${user}:${password}@${host}:${port}/postgres`,
    pids,
    async start() {
      // Backends of a killed postmaster hold its memory until they notice.
      for (let tries = 1; !(await tryStart()); tries += 1) {
        if (tries >= startTriesMax) throw new Error(`PostgreSQL does not start: see ${folder}/postgres.log`);
        await delay(startAgainMs);
      }
    },
    kill: () => end('SIGKILL'),
    async stop() {
      for (const pid of pids()) sendSignal(pid, 'SIGCONT');
      await end('SIGINT');
    },
  };
}
