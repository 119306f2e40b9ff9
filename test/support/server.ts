/** A whole server in this process: real PostgreSQL (a clone of its own), real HTTP, the fake backend unless told. */
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { type Client, createClient } from '@headrace/api';
import { createFakeBackend, type HostBackend, startWorker } from '@headrace/worker';
import { pino } from 'pino';
import { type Config, readConfig } from '../../packages/server/src/config.ts';
import { type RunningServer, startServer } from '../../packages/server/src/start-server.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';

export interface TestServer extends RunningServer {
  /** With the administrator's token. */
  readonly client: Client;
  readonly token: string;
  readonly stateDir: string;
  readonly database: TestDatabase;
  /** Sends a request as it is; `token` null sends none. */
  send(method: string, path: string, options?: SendOptions): Promise<Response>;
  /** Stops it and starts it again on the same database and folder. */
  restart(): Promise<TestServer>;
  /** Stops the server, drops its database, removes its folder. */
  dispose(): Promise<void>;
}

export interface SendOptions {
  readonly token?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: BodyInit;
}

export interface TestServerOptions {
  readonly config?: Partial<Config>;
  /** Null: no worker. */
  readonly backend?: HostBackend | null;
  /** Puts something between the server and its database; returns where the server finds it then. */
  readonly wrapDatabase?: (url: string) => Promise<string>;
}

const systemClock = { nowMs: () => Date.now() };

export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const database = await createTestDatabase();
  const stateDir = await fs.mkdtemp(path.join(os.tmpdir(), 'headrace-server-'));
  const databaseUrl = (await options.wrapDatabase?.(database.url)) ?? database.url;
  return open({ ...options, database, databaseUrl, stateDir });
}

interface Parts extends TestServerOptions {
  readonly database: TestDatabase;
  readonly databaseUrl: string;
  readonly stateDir: string;
  readonly token?: string;
}

async function open(parts: Parts): Promise<TestServer> {
  const { database, stateDir } = parts;
  const config = { ...readConfig({ HEADRACE_DRAIN_MS: '5000' }), stateDir, port: 0, ...parts.config };
  const log = pino({ level: process.env.HEADRACE_TEST_LOG ?? 'silent' });
  const backend = parts.backend === undefined ? createFakeBackend({ clock: systemClock }) : parts.backend;
  const server = await startServer({
    ...{ log, version: 'test', webFolder: path.join(stateDir, 'web') },
    config: { ...config, databaseUrl: parts.databaseUrl },
    startWorker:
      backend &&
      (({ source, workerId, dataRoot, spare }) =>
        startWorker({
          ...{ source, backend, workerId, dataRoot, spare, log },
          ...{ clock: systemClock, slots: config.slots, stopGraceMs: 500 },
        })),
  });
  const token = parts.token ?? server.newAdminToken ?? server.localToken;
  return {
    ...server,
    ...{ token, stateDir, database },
    client: createClient({ baseUrl: server.url, token }),
    send: (method, target, { token: as = token, headers = {}, body } = {}) =>
      fetch(new URL(target, server.url), {
        method,
        headers: { ...(as === null ? {} : { authorization: `Bearer ${as}` }), ...headers },
        redirect: 'manual',
        ...(body === undefined ? {} : { body }),
      }),
    async restart() {
      await server.stop();
      return open({ ...parts, backend, token });
    },
    async dispose() {
      await server.stop();
      await database.drop();
      await fs.rm(stateDir, { recursive: true, force: true });
    },
  };
}
