/** A run engine over a database of its own, with real HTTP and the worker's fake hosts, for the tests of this folder. */
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { type Client, createClient, type RunDocument, routes } from '@headrace/api';
import {
  type ClusterAssignment,
  createFakeBackend,
  type FakeBackend,
  type HostBackend,
  type HostConnection,
  startWorker,
  type Worker,
} from '@headrace/worker';
import { pino } from 'pino';
import { logBytesMax } from '../../../packages/server/src/attempts/attempt-document.ts';
import { openFolderStore } from '../../../packages/server/src/blobs/folder-store.ts';
import { composeRuns, type RunParts } from '../../../packages/server/src/compose-runs.ts';
import { readConfig } from '../../../packages/server/src/config.ts';
import { connectDatabase, type Database } from '../../../packages/server/src/db/connect.ts';
import { createRunEventBus } from '../../../packages/server/src/event-bus.ts';
import { createHttpCloser } from '../../../packages/server/src/http/close-http.ts';
import { createHttpServer } from '../../../packages/server/src/http/http-server.ts';
import { createIdSource } from '../../../packages/server/src/ids.ts';
import { createJobHandlers } from '../../../packages/server/src/jobs/handlers.ts';
import { createRepairUses } from '../../../packages/server/src/jobs/repair-uses.ts';
import { createLoopDriver } from '../../../packages/server/src/loops/driver.ts';
import { createRunHandlers } from '../../../packages/server/src/runs/handlers.ts';
import type { Services } from '../../../packages/server/src/services.ts';
import { scriptFromParameters } from '../../../packages/worker/src/hosts/fake/fake-script.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

export interface TestEngine {
  readonly client: Client;
  readonly url: string;
  readonly runs: RunParts;
  readonly services: Services;
  readonly db: TestDatabase;
  readonly backend: FakeBackend;
  /** Each time that user code began: run, task, attempt. */
  readonly starts: readonly string[];
  /** A stop that drains, and a new start on the same store. Hosts outlive it. */
  restart(): Promise<void>;
  /** Cut off from the store in the middle of whatever is under way, and a new start. Hosts outlive it. */
  crash(): Promise<void>;
  waitForEnd(runId: number): Promise<RunDocument>;
  waitFor<T>(what: string, look: () => Promise<T | null | undefined | false>): Promise<T>;
  close(): Promise<void>;
}

export interface TestEngineOptions {
  /** Of another engine, whose server this one is beside. */
  readonly beside?: TestEngine;
  readonly workerId?: string;
  readonly slots?: number;
  readonly hasWorker?: boolean;
  /** What the cluster of a task waits for before it is known. */
  readonly beforeCluster?: (taskKey: string) => Promise<void>;
}

export const admin = { id: 7, userName: 'ada', isAdmin: true };
const deadlineMs = 20_000;

interface Life {
  readonly client: Client;
  readonly url: string;
  readonly runs: RunParts;
  readonly services: Services;
  readonly hosts: CuttableBackend;
  stop(): Promise<void>;
}

export async function startTestEngine({
  slots = 4,
  hasWorker = true,
  beside,
  workerId = 'w1',
  beforeCluster = async () => {},
}: TestEngineOptions = {}): Promise<TestEngine> {
  const db = beside?.db ?? (await createTestDatabase());
  const dataRoot = await fs.mkdtemp(path.join(os.tmpdir(), 'headrace-runs-'));
  const starts: string[] = [];
  const backend = createFakeBackend({
    clock: { nowMs: () => Date.now() },
    script(document) {
      starts.push(`${document.run_id} ${document.task_key} ${document.attempt_number}`);
      return scriptFromParameters(document);
    },
  });
  const begin = () => startLife({ db, dataRoot, backend, slots, hasWorker, workerId, beforeCluster });
  // Runs that tasks start belong to the owner of the run, who must exist.
  await db.pool.query(
    `insert into principals (id, user_name, display_name, kind, is_admin, created_at_ms)
     values (${admin.id}, 'ada', 'Ada', 'user', true, 0) on conflict do nothing`,
  );
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
    get url() {
      return life.url;
    },
    get runs() {
      return life.runs;
    },
    get services() {
      return life.services;
    },
    db,
    backend,
    starts,
    async restart() {
      await life.stop();
      life = await begin();
    },
    async crash() {
      life.hosts.cut();
      await cutOff(life.services.db, db);
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
      if (!beside) await db.drop();
      await fs.rm(dataRoot, { recursive: true, force: true });
    },
  };
}

interface CuttableBackend extends HostBackend {
  /** From here on nothing that this life says reaches a host. */
  cut(): void;
}

function cuttable(backend: HostBackend): CuttableBackend {
  let isCut = false;
  const guard = (connection: HostConnection): HostConnection => ({
    ...connection,
    send: (frames) => {
      if (!isCut) connection.send(frames);
    },
  });
  return {
    ...backend,
    cut() {
      isCut = true;
    },
    start: async (cluster) => guard(await backend.start(cluster)),
    attach: async () =>
      (await backend.attach()).map((found) =>
        found.kind === 'alive' ? { ...found, connection: guard(found.connection) } : found,
      ),
    stop: async (connection, options) => {
      if (!isCut) await backend.stop(connection, options);
    },
  };
}

/** Ends its connections wherever they are, and lets it make no others. */
async function cutOff(theirs: Database, ours: TestDatabase): Promise<void> {
  const refuse = (callback?: (error: Error) => void) => {
    const error = new Error('cut off');
    return callback ? callback(error) : Promise.reject(error);
  };
  Object.assign(theirs.pool, { connect: refuse });
  await ours.pool.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid()`,
  );
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
  workerId: string;
  beforeCluster: (taskKey: string) => Promise<void>;
}): Promise<Life> {
  const { db, dataRoot, backend } = options;
  const log = pino({ level: process.env.HEADRACE_TEST_LOG ?? 'fatal' });
  const clock = { nowMs: () => Date.now() };
  const own = connectDatabase({ connection: db.connection, log });
  const services: Services = {
    db: own,
    blobs: await openFolderStore(dataRoot),
    ids: await createIdSource(own),
    clock,
    log,
    config: readConfig({}),
    events: createRunEventBus(),
  };
  const driver = createLoopDriver({ log, clock });
  let url = '';
  const runs = await composeRuns(services, {
    urls: () => ({ apiUrl: url, publicUrl: url }),
    workspaceId: '1',
    mayHaveNeighbours: true,
    dataRoot,
    catalogNames: { list: async () => ['main', 'dev'], forget() {} },
    revealSecrets: async () => [],
    clusters: {
      async resolve({ task_key }) {
        await options.beforeCluster(task_key);
        return { assignment: cluster, warnings: [] };
      },
      recordHostReport: async () => {},
      ensureDefault: async () => {},
      settle: async () => {},
      orderHosts: async () => null,
      listen() {},
      ringAll: async () => {},
      loop: { name: 'shared-cluster', everyMs: 60_000, turn: async () => 'idle' },
      announce: async () => {},
      announcePools: async () => {},
      preparationLoop: null,
      spareFor: () => cluster,
      cores: 2,
    },
    loops: driver,
  });
  const { http, stopHttp } = await serve(runs, services, () => url);
  url = http;
  const hosts = cuttable(backend);
  let worker: Worker | null = null;
  if (options.hasWorker) {
    const { source } = runs;
    const { slots, workerId } = options;
    worker = await startWorker({
      source,
      backend: hosts,
      workerId,
      slots,
      dataRoot,
      spare: null,
      clock,
      log,
    });
  }
  runs.startLoops();
  runs.startListening();
  return {
    client: createClient({ baseUrl: url, token: 'any' }),
    url,
    runs,
    services,
    hosts,
    async stop() {
      await stopHttp();
      await driver.stop();
      await worker?.stop();
      await runs.stop();
      await own.close();
    },
  };
}

async function serve(runs: RunParts, services: Services, publicUrl: () => string) {
  const stopping = new AbortController();
  const handlers = {
    ...createJobHandlers(runs.services),
    ...createRunHandlers(runs.services, { publicUrl, logBytesMax, repair: createRepairUses(services.db) }),
  };
  const answered = new Set(Object.keys(handlers));
  const ours = Object.fromEntries(Object.entries(routes).filter(([name]) => answered.has(name)));
  let requests = 0;
  const server = await createHttpServer({
    routes: ours,
    // Only the routes of this slice are registered.
    handlers: handlers as unknown as Parameters<typeof createHttpServer>[0]['handlers'],
    authenticator: { findPrincipal: async () => ({ principal: admin, caller: 'test' }) },
    audit: { record() {}, flush: async () => {}, stop: async () => {} } as never,
    rateLimiter: { check() {} } as never,
    clock: services.clock,
    publicOrigin: null,
    workspaceId: '1',
    stopping: stopping.signal,
    log: services.log,
    bodyBytesMax: 16 * 1024 ** 2,
    webFolder: '/nowhere',
    newRequestId: () => String(++requests),
  });
  const close = createHttpCloser(server);
  const http = await server.listen({ host: '127.0.0.1', port: 0 });
  return {
    http,
    async stopHttp() {
      stopping.abort();
      await close();
    },
  };
}

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
