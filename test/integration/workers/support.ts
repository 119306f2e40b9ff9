/** Workers on "other machines": over real HTTP, in this process with fake hosts, or as processes of their own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createFakeBackend, type FakeBackend, startWorker, type Worker } from '@headrace/worker';
import { scriptFromParameters } from '../../../packages/worker/src/hosts/fake/fake-script.ts';
import { HttpSource, type HttpSourceOptions } from '../../../packages/worker/src/remote/http-source.ts';
import { monotonicMs } from '../../../packages/worker/src/remote/monotonic.ts';
import { silentLog } from '../../../packages/worker/src/testing/memory-source.ts';
import type { TestServer } from '../../support/server.ts';

export const clock = { nowMs: () => Date.now() };
/** Short, so that losses show soon; long enough for two busy cores. */
export const shortLeaseMs = 4_000;

export async function makeWorkerToken(server: TestServer): Promise<string> {
  return (await server.client.workerTokensCreate({ comment: 'test' })).token_value;
}

export interface RemoteWorker {
  readonly source: HttpSource;
  readonly worker: Worker;
  readonly backend: FakeBackend;
  /** Each time that user code began: run, task, attempt. */
  readonly starts: readonly string[];
  readonly refused: string[];
  /** As when its process ends in good order. */
  stop(): Promise<void>;
}

type Overrides = Partial<HttpSourceOptions> & { readonly slots?: number };

export function aSource(
  server: Pick<TestServer, 'url'>,
  token: string,
  overrides: Overrides = {},
): HttpSource {
  return new HttpSource({
    ...{ servers: [server.url], token, version: 'test', elapsedMs: monotonicMs, random: () => 0.5 },
    ...{ workerId: 'far', instanceId: crypto.randomUUID(), previousInstanceIds: [], labels: {} },
    host: { hostname: 'elsewhere', pid: 1, platform: 'test', cpus: 1, memory_bytes: 1, version: 'test' },
    ...{ dataRoot: null, clock, stopGraceMs: 300, log: { ...silentLog, error: () => undefined } },
    signal: new AbortController().signal,
    ...overrides,
  });
}

export async function startRemoteWorker(
  server: Pick<TestServer, 'url'>,
  token: string,
  overrides: Overrides = {},
): Promise<RemoteWorker> {
  const leave = new AbortController();
  const starts: string[] = [];
  const refused: string[] = [];
  const { workerId = 'far' } = overrides;
  const source = aSource(server, token, {
    signal: leave.signal,
    onRefused: ({ message }) => refused.push(message),
    ...overrides,
  });
  const backend = createFakeBackend({
    clock,
    script(document) {
      starts.push(`${document.run_id} ${document.task_key} ${document.attempt_number}`);
      return scriptFromParameters(document);
    },
  });
  const { dataRoot } = await source.connect();
  const { slots = 4 } = overrides;
  const options = { source, backend, workerId, slots, dataRoot, spare: null, clock, log: silentLog };
  const worker = await startWorker({ ...options, log: { ...silentLog, error: () => undefined } });
  return {
    ...{ source, worker, backend, starts, refused },
    async stop() {
      leave.abort();
      await worker.stop();
      source.close();
    },
  };
}

export interface WorkerProcess {
  readonly pid: number;
  readonly stateDir: string;
  readonly output: string;
  signal(name: NodeJS.Signals): void;
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

const main = fileURLToPath(new URL('../../../packages/worker/src/main.ts', import.meta.url));
const repository = fileURLToPath(new URL('../../../', import.meta.url));

export function startWorkerProcess(
  stateDir: string,
  environment: Readonly<Record<string, string>>,
): WorkerProcess {
  fs.mkdirSync(stateDir, { recursive: true });
  const logFile = path.join(stateDir, 'worker.log');
  const log = fs.openSync(logFile, 'a');
  const child: ChildProcess = spawn(
    process.execPath,
    ['--conditions=source', '--disable-warning=ExperimentalWarning', main],
    {
      stdio: ['ignore', log, log],
      env: {
        ...{ PATH: process.env.PATH, HEADRACE_STATE_DIR: stateDir, HEADRACE_STOP_GRACE_MS: '300' },
        HEADRACE_RUNTIME_DIR: path.join(repository, '.runtime'),
        ...environment,
      },
    },
  );
  fs.closeSync(log);
  const ended = once(child, 'exit').then(([code, signal]) => ({ code, signal }));
  return {
    pid: child.pid ?? 0,
    stateDir,
    get output() {
      return fs.readFileSync(logFile, 'utf8');
    },
    signal: (name) => void child.kill(name),
    ended,
  };
}
