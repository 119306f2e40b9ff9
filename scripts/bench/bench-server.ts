/** A server of its own in this process, on a fresh state folder, for one benchmark. */
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Client, createClient } from '@headrace/api';
import { type HostBackend, startWorker } from '@headrace/worker';
import { type Logger, pino } from 'pino';
import { readConfig } from '../../packages/server/src/config.ts';
import {
  type RunningServer,
  startServer,
  type WorkerWiring,
} from '../../packages/server/src/start-server.ts';
import { endWhenInterrupted } from './interruption.ts';
import { inMs, measureFdatasync, measureNewFile, median, printRow, repeat, timed } from './statistics.ts';

export interface BenchServer {
  readonly client: Client;
  readonly server: RunningServer;
  /** Milliseconds from the request to the save that ends the last of the runs. */
  timeToEnd(submit: () => Promise<readonly number[]>): Promise<number>;
  stop(): Promise<void>;
}

export const clock = { nowMs: () => Date.now() };

export type StartBenchWorker = (wiring: WorkerWiring, log: Logger) => Promise<{ stop(): Promise<void> }>;

export async function startBenchServer(worker: {
  readonly slots: number;
  readonly start: StartBenchWorker;
}): Promise<BenchServer> {
  const stateDir = await fs.mkdtemp(path.join(os.tmpdir(), 'headrace-bench-'));
  // PostgreSQL runs as another user when this runs as root.
  await fs.chmod(stateDir, 0o711);
  const log = pino({ level: process.env.HEADRACE_LOG_LEVEL ?? 'error' });
  const config = {
    ...readConfig({}),
    stateDir,
    port: 0,
    slots: worker.slots,
    requestsPerMinute: 10_000_000,
  };
  const forget = () => fs.rm(stateDir, { recursive: true, force: true });
  const starting = startServer({
    ...{ config, log, version: 'bench', webFolder: path.join(stateDir, 'no-web') },
    startWorker: (wiring) => worker.start(wiring, log),
  });
  const stop = async () => {
    await starting.then((server) => server.stop()).finally(forget);
  };
  const forgetStop = endWhenInterrupted(stop);
  const server = await starting.catch(async (error: unknown) => {
    forgetStop();
    await forget();
    throw error;
  });
  return {
    client: createClient({ baseUrl: server.url, token: server.localToken }),
    server,
    async timeToEnd(submit) {
      const startedAt = performance.now();
      const runIds = await submit();
      const endedAt = await Promise.all(runIds.map((runId) => whenEnded(server, runId)));
      return Math.max(...endedAt) - startedAt;
    },
    async stop() {
      forgetStop();
      await stop();
    },
  };
}

/** The worker as it is, over other hosts. */
export function workerOver(slots: number, backend: (wiring: WorkerWiring) => HostBackend): StartBenchWorker {
  return (wiring, log) => {
    const { source, workerId, dataRoot, spare } = wiring;
    return startWorker({ source, workerId, dataRoot, spare, clock, log, slots, backend: backend(wiring) });
  };
}

/** So long without a change is worth a look whether that was the end: a look at every change would slow them down. */
const quietMs = 10;

/** Resolves with the moment, by `performance.now()`. */
export async function whenEnded({ services }: RunningServer, runId: number): Promise<number> {
  let changedAt = performance.now();
  const unsubscribe = services.events.subscribe(runId, () => {
    changedAt = performance.now();
  });
  try {
    for (;;) {
      const quietFor = performance.now() - changedAt;
      if (quietFor < quietMs) await delay(quietMs - quietFor);
      const seenAt = changedAt;
      if (performance.now() - seenAt < quietMs) continue;
      const rows = await services.db.query<{ phase: string }>({
        name: 'bench-read-phase',
        text: 'select phase from runs where run_id = $1',
        values: [runId],
      });
      if (rows[0]?.phase === 'ended') return seenAt;
      while (changedAt === seenAt) await delay(1);
    }
  } finally {
    unsubscribe();
  }
}

/** What bounds every figure of the engine, on this disk and over this connection, at this moment. */
export interface Floor {
  readonly fdatasyncMs: number;
  readonly roundTripMs: number;
  readonly newFileMs: number;
}

const roundTrips = 200;

export async function measureFloor({ server }: BenchServer): Promise<Floor> {
  const { db } = server.services;
  const select = { name: 'bench-nothing', text: 'select 1', values: [] };
  const roundTripMs = median(await repeat(roundTrips, () => timed(() => db.query(select))));
  return { fdatasyncMs: measureFdatasync(), roundTripMs, newFileMs: measureNewFile() };
}

/** Of two moments, before and after what is measured. */
export function meanOf(before: Floor, after: Floor): Floor {
  return {
    fdatasyncMs: (before.fdatasyncMs + after.fdatasyncMs) / 2,
    roundTripMs: (before.roundTripMs + after.roundTripMs) / 2,
    newFileMs: (before.newFileMs + after.newFileMs) / 2,
  };
}

export function printFloor({ fdatasyncMs, roundTripMs, newFileMs }: Floor): void {
  printRow('one fdatasync', inMs(fdatasyncMs), '');
  printRow('one bare statement, there and back', inMs(roundTripMs), '');
  printRow('one new file', inMs(newFileMs), '');
}
