/** A server of its own in this process, on a fresh state folder, for one benchmark. */
import { once } from 'node:events';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { type Client, createClient } from '@headrace/api';
import { type HostBackend, startWorker } from '@headrace/worker';
import { pino } from 'pino';
import { readConfig } from '../../packages/server/src/config.ts';
import {
  type RunningServer,
  startServer,
  type WorkerWiring,
} from '../../packages/server/src/start-server.ts';

export interface BenchServer {
  readonly client: Client;
  readonly server: RunningServer;
  /** Milliseconds from the request to the save that ends the last of the runs. */
  timeToEnd(submit: () => Promise<readonly number[]>): Promise<number>;
  stop(): Promise<void>;
}

export const clock = { nowMs: () => Date.now() };

export async function startBenchServer(options: {
  readonly slots: number;
  readonly backend: (wiring: WorkerWiring) => HostBackend;
}): Promise<BenchServer> {
  const stateDir = await fs.mkdtemp(path.join(os.tmpdir(), 'headrace-bench-'));
  // PostgreSQL runs as another user when this runs as root.
  await fs.chmod(stateDir, 0o711);
  const log = pino({ level: process.env.HEADRACE_LOG_LEVEL ?? 'error' });
  const config = {
    ...readConfig({}),
    stateDir,
    port: 0,
    slots: options.slots,
    requestsPerMinute: 10_000_000,
  };
  const server = await startServer({
    ...{ config, log, clock, version: 'bench', webFolder: path.join(stateDir, 'no-web') },
    startWorker: ({ source, workerId, dataRoot, hostsFolder, spare }) =>
      startWorker({
        ...{ source, workerId, dataRoot, spare, clock, log, slots: options.slots },
        backend: options.backend({ source, workerId, dataRoot, hostsFolder, spare }),
      }),
  });
  const client = createClient({ baseUrl: server.url, token: server.localToken });
  return {
    client,
    server,
    async timeToEnd(submit) {
      const startedAt = performance.now();
      const runIds = await submit();
      const endedAt = await Promise.all(runIds.map((runId) => whenEnded(server, runId)));
      return Math.max(...endedAt) - startedAt;
    },
    async stop() {
      await server.stop();
      await fs.rm(stateDir, { recursive: true, force: true });
    },
  };
}

/** Resolves with the moment, by `performance.now()`. */
async function whenEnded({ services }: RunningServer, runId: number): Promise<number> {
  const bell = new EventTarget();
  let changedAt = performance.now();
  const unsubscribe = services.events.subscribe(runId, () => {
    changedAt = performance.now();
    bell.dispatchEvent(new Event('ring'));
  });
  try {
    for (;;) {
      const rung = once(bell, 'ring');
      const seenAt = changedAt;
      const { rows } = await services.db.pool.query<{ phase: string }>(
        'select phase from runs where run_id = $1',
        [runId],
      );
      if (rows[0]?.phase === 'ended') return seenAt;
      await rung;
    }
  } finally {
    unsubscribe();
  }
}
