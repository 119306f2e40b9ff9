/** A real worker with real hosts over a source in memory; light tasks of plain Python. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import type { HostBackend } from '../../../packages/worker/src/hosts/host-backend.ts';
import {
  createLocalBackend,
  type LocalBackendOptions,
  readHostRuntime,
} from '../../../packages/worker/src/hosts/local/local-backend.ts';
import { buryHost, readHostRecord } from '../../../packages/worker/src/hosts/local/local-host.ts';
import type { ClaimedAttempt } from '../../../packages/worker/src/ports.ts';
import {
  anAttempt,
  createMemorySource,
  type MemorySource,
  silentLog,
} from '../../../packages/worker/src/testing/memory-source.ts';
import { startWorker, type Worker } from '../../../packages/worker/src/worker.ts';

const repository = path.resolve(import.meta.dirname, '../../..');

export interface HostBench {
  readonly folder: string;
  readonly source: MemorySource;
  readonly backend: HostBackend;
  /** With `pythonPath`, its hosts are of another release. */
  startWorker(options?: { slots?: number; pythonPath?: string }): Promise<Worker>;
  /** A task that runs this Python text. */
  aTask(script: string, overrides?: Partial<ClaimedAttempt>): ClaimedAttempt;
  hostPid(hostKey?: string): number;
  log(attempt: ClaimedAttempt): string;
  /** What carries the mark of a host of this bench, with its command line. */
  census(): string[];
}

interface BenchOptions {
  readonly spark: boolean;
  /** Of another backend than `local`. */
  readonly open?: (options: LocalBackendOptions) => HostBackend;
}

/** A bench for each test of the file; nothing of it is left after the test. */
export function useHostBench(options: BenchOptions = { spark: false }): () => HostBench {
  let bench: HostBench & { end(): Promise<void> };
  beforeEach(() => {
    bench = createBench(options);
  });
  afterEach(async () => {
    await bench.end();
  });
  return () => bench;
}

function createBench({ spark, open = createLocalBackend }: BenchOptions) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'host-bench-'));
  const hostsFolder = path.join(folder, 'hosts');
  const dataRoot = path.join(folder, 'data');
  const source = createMemorySource();
  const runtime = readHostRuntime(path.join(repository, '.runtime/runtime.json'));
  const makeBackend = (pythonPath = path.join(repository, 'python')) =>
    open({
      hostsFolder,
      dataRoot,
      runtime: spark ? runtime : { ...runtime, spark: null },
      pythonPath,
      preimport: [],
      warmUp: false,
      environment: process.env,
      workerId: 'w',
    });
  let worker: Worker | null = null;
  let backend = makeBackend();
  let scripts = 0;
  return {
    folder,
    source,
    backend,
    async startWorker({ slots = 60, pythonPath }: { slots?: number; pythonPath?: string } = {}) {
      const clock = { nowMs: () => Date.now() };
      backend = makeBackend(pythonPath);
      const base = { source, workerId: 'w', slots, dataRoot, spare: null, clock, log: silentLog };
      worker = await startWorker({ ...base, backend, stopGraceMs: 2_000 });
      return worker;
    },
    aTask(script: string, overrides: Partial<ClaimedAttempt> = {}) {
      scripts += 1;
      const file = path.join(folder, `task-${scripts}.py`);
      fs.writeFileSync(file, script);
      const attempt = anAttempt(dataRoot, { parameters: [] }, overrides);
      const task = { kind: 'spark_python', python_file: file, parameters: [] } as const;
      return { ...attempt, document: { ...attempt.document, task } };
    },
    hostPid(hostKey = 'default') {
      return (
        JSON.parse(fs.readFileSync(path.join(hostsFolder, hostKey, 'host.json'), 'utf8')) as { pid: number }
      ).pid;
    },
    log(attempt: ClaimedAttempt) {
      const name = path.join(
        dataRoot,
        'attempts',
        String(attempt.runId),
        String(attempt.attemptId),
        'output.log',
      );
      return fs.readFileSync(name, 'utf8');
    },
    census: () => census(hostsFolder),
    async end() {
      await worker?.stop();
      for (const hostKey of fs.existsSync(hostsFolder) ? fs.readdirSync(hostsFolder) : []) {
        const record = readHostRecord(path.join(hostsFolder, hostKey));
        if (record !== null) await buryHost(path.join(hostsFolder, hostKey), record);
      }
      expect(census(hostsFolder)).toEqual([]);
      fs.rmSync(folder, { recursive: true });
    },
  };
}

function census(hostsFolder: string): string[] {
  const found: string[] = [];
  for (const pid of fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (!fs.readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`HEADRACE_HOST_FOLDER=${hostsFolder}`))
        continue;
      if (/\) Z /.test(fs.readFileSync(`/proc/${pid}/stat`, 'latin1'))) continue;
      found.push(`${pid} ${fs.readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ')}`);
    } catch {
      // It ended while we looked.
    }
  }
  return found;
}
