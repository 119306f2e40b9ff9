/** A run engine over a database of its own, with real HTTP and the worker's fake hosts, for the tests of this folder. */
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { type Client, createClient, type RunDocument, routes } from '@headrace/api';
import {
  type ClusterAssignment,
  createFakeBackend,
  type FakeBackend,
  startWorker,
  type Worker,
} from '@headrace/worker';
import { pino } from 'pino';
import { openFolderStore } from '../../../packages/server/src/blobs/folder-store.ts';
import { readConfig } from '../../../packages/server/src/config.ts';
import type { RequestContext } from '../../../packages/server/src/context.ts';
import { createRunEventBus } from '../../../packages/server/src/event-bus.ts';
import { createHttpServer } from '../../../packages/server/src/http/http-server.ts';
import { createIdSource } from '../../../packages/server/src/ids.ts';
import { createLoopDriver } from '../../../packages/server/src/loops/driver.ts';
import { createRunEngine, type RunEngine } from '../../../packages/server/src/run-engine.ts';
import type { Services } from '../../../packages/server/src/services.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

export interface TestEngine {
  readonly client: Client;
  readonly engine: RunEngine;
  readonly services: Services;
  readonly db: TestDatabase;
  readonly backend: FakeBackend;
  /** Like `kill -9` of the server and a new start: nothing in memory survives, hosts do. */
  restart(): Promise<void>;
  waitForEnd(runId: number): Promise<RunDocument>;
  waitFor<T>(what: string, look: () => Promise<T | null | undefined | false>): Promise<T>;
  close(): Promise<void>;
}

export interface TestEngineOptions {
  readonly slots?: number;
  readonly hasWorker?: boolean;
}

export const admin = { id: 7, userName: 'ada', isAdmin: true };
const deadlineMs = 20_000;

interface Life {
  readonly client: Client;
  readonly engine: RunEngine;
  readonly services: Services;
  stop(): Promise<void>;
}

export async function startTestEngine({
  slots = 4,
  hasWorker = true,
}: TestEngineOptions = {}): Promise<TestEngine> {
  const db = await createTestDatabase();
  const dataRoot = await fs.mkdtemp(path.join(os.tmpdir(), 'headrace-runs-'));
  const backend = createFakeBackend({ clock: { nowMs: () => Date.now() } });
  const begin = () => startLife({ db, dataRoot, backend, slots, hasWorker });
  let life = await begin();

  async function waitFor<T>(what: string, look: () => Promise<T | null | undefined | false>): Promise<T> {
    const deadline = performance.now() + deadlineMs;
    for (;;) {
      const found = await look();
      if (found) return found;
      if (performance.now() > deadline) throw new Error(`waited ${deadlineMs} ms in vain for ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
  return {
    get client() {
      return life.client;
    },
    get engine() {
      return life.engine;
    },
    get services() {
      return life.services;
    },
    db,
    backend,
    async restart() {
      await life.stop();
      life = await begin();
    },
    waitForEnd: (runId) =>
      waitFor(`the end of run ${runId}`, async () => {
        const run = await life.client.runsGet({ run_id: runId });
        return run.status.state === 'TERMINATED' && run;
      }),
    waitFor,
    async close() {
      await life.stop();
      await db.drop();
      await fs.rm(dataRoot, { recursive: true, force: true });
    },
  };
}

const cluster: ClusterAssignment = {
  clusterId: 'default',
  clusterName: 'default',
  hostKey: 'default',
  sparkConf: {},
  environment: {},
  idleMs: null,
};

async function startLife(options: {
  db: TestDatabase;
  dataRoot: string;
  backend: FakeBackend;
  slots: number;
  hasWorker: boolean;
}): Promise<Life> {
  const { db, dataRoot, backend } = options;
  const log = pino({ level: process.env.HEADRACE_TEST_LOG ?? 'fatal' });
  const clock = { nowMs: () => Date.now() };
  const services: Services = {
    db,
    blobs: await openFolderStore(dataRoot),
    ids: await createIdSource(db),
    clock,
    log,
    config: readConfig({}),
    events: createRunEventBus(),
  };
  const driver = createLoopDriver({ log, clock });
  let url = '';
  const engine = await createRunEngine(services, {
    urls: () => ({ apiUrl: url, publicUrl: url }),
    workspaceId: '1',
    dataRoot,
    defaultCatalog: 'main',
    listCatalogNames: async () => ['main', 'dev'],
    resolveCluster: async () => cluster,
    readPrincipal: async (id) => (id === admin.id ? admin : null),
    wakeLoop: (name) => driver.wake(name),
    elapsedMs: () => performance.now(),
  });
  const { http, stopHttp } = await serve(engine, services);
  url = http;
  let worker: Worker | null = null;
  if (options.hasWorker) {
    const { attemptSource: source } = engine;
    const { slots } = options;
    worker = await startWorker({ source, backend, workerId: 'w1', slots, dataRoot, spare: null, clock, log });
  }
  for (const loop of engine.loops) driver.add(loop);
  return {
    client: createClient({ baseUrl: url, token: 'any' }),
    engine,
    services,
    async stop() {
      await stopHttp();
      await driver.stop();
      await worker?.stop();
      await engine.stop();
    },
  };
}

async function serve(engine: RunEngine, services: Services) {
  const stopping = new AbortController();
  const answered = new Set(Object.keys(engine.handlers));
  const ours = Object.fromEntries(Object.entries(routes).filter(([name]) => answered.has(name)));
  let requests = 0;
  const server = await createHttpServer({
    routes: ours,
    // Only the routes of this slice are registered.
    handlers: engine.handlers as Parameters<typeof createHttpServer>[0]['handlers'],
    authenticator: { findPrincipal: async () => ({ principal: admin, caller: 'test' }) },
    audit: { record() {}, flush: async () => {}, stop: async () => {} } as never,
    rateLimiter: { check() {} } as never,
    clock: services.clock,
    publicOrigin: null,
    stopping: stopping.signal,
    log: services.log,
    bodyBytesMax: 16 * 1024 ** 2,
    webFolder: '/nowhere',
    newRequestId: () => String(++requests),
  });
  const http = await server.listen({ host: '127.0.0.1', port: 0 });
  return {
    http,
    async stopHttp() {
      stopping.abort();
      await server.close();
    },
  };
}

export type { RequestContext };

/** A task that the fake host runs; `fake` says how it behaves. */
export function fakeTask(
  key: string,
  options: { after?: string[]; fake?: object } & Record<string, unknown> = {},
) {
  const { after = [], fake, ...rest } = options;
  return {
    task_key: key,
    depends_on: after.map((task_key) => ({ task_key })),
    spark_python_task: {
      python_file: '/fake.py',
      parameters: fake === undefined ? [] : [`--fake=${JSON.stringify(fake)}`],
    },
    ...rest,
  };
}
