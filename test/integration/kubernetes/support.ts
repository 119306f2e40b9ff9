/** A real worker whose hosts are Pods of a fake cluster, which runs them as real processes; light tasks of plain Python. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import type { HostBackend } from '../../../packages/worker/src/hosts/host-backend.ts';
import {
  createKubernetesBackend,
  type KubernetesBackendOptions,
} from '../../../packages/worker/src/hosts/kubernetes/kubernetes-backend.ts';
import { createPodApi } from '../../../packages/worker/src/hosts/kubernetes/pod-api.ts';
import { selectorOf } from '../../../packages/worker/src/hosts/kubernetes/pod-manifest.ts';
import { readHostRuntime } from '../../../packages/worker/src/hosts/local/local-backend.ts';
import { killMarked } from '../../../packages/worker/src/hosts/local/processes.ts';
import type { ClaimedAttempt } from '../../../packages/worker/src/ports.ts';
import {
  anAttempt,
  createMemorySource,
  type MemorySource,
  silentLog,
} from '../../../packages/worker/src/testing/memory-source.ts';
import { startWorker, type Worker } from '../../../packages/worker/src/worker.ts';
import { type FakeApi, startFakeApi } from './fake-api.ts';
import { createFakeNode, type FakeNode } from './fake-node.ts';

const repository = path.resolve(import.meta.dirname, '../../..');
const namespace = 'headrace';

export interface PodBench {
  readonly folder: string;
  readonly api: FakeApi;
  readonly node: FakeNode;
  readonly source: MemorySource;
  readonly warnings: string[];
  makeBackend(overrides?: Partial<KubernetesBackendOptions>): HostBackend;
  startWorker(backend?: HostBackend): Promise<Worker>;
  aTask(script: string, overrides?: Partial<ClaimedAttempt>): ClaimedAttempt;
  log(attempt: ClaimedAttempt): string;
  /** The only Pod there is. */
  onlyPod(): string;
}

/** A bench for each test of the file; nothing of it is left after the test. */
export function usePodBench(): () => PodBench {
  let bench: PodBench & { end(): Promise<void> };
  beforeEach(async () => {
    bench = await createBench();
  });
  afterEach(async () => {
    await bench.end();
  });
  return () => bench;
}

async function createBench() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pod-bench-'));
  const podsFolder = path.join(folder, 'pods');
  const dataRoot = path.join(folder, 'data');
  const claim = { name: 'headrace-state', root: folder };
  const api = await startFakeApi(namespace);
  const node = createFakeNode(api, claim);
  const source = createMemorySource();
  const warnings: string[] = [];
  const { python } = readHostRuntime(path.join(repository, '.runtime/runtime.json'));
  const workers: Worker[] = [];
  let scripts = 0;
  const makeBackend = (overrides: Partial<KubernetesBackendOptions> = {}) =>
    createKubernetesBackend({
      api: createPodApi(api.config, { namespace, selector: selectorOf('w'), patienceMs: 5_000 }),
      place: {
        ...{ namespace, claim, image: 'headrace:test', serviceAccount: 'headrace-host' },
        ...{ subdomain: 'headrace-hosts', owner: null, userId: process.getuid?.() ?? 0 },
        groupId: process.getgid?.() ?? 0,
        lifetimeSecondsMax: null,
      },
      ...{ podsFolder, dataRoot, workerId: 'w', preimport: [], warmUp: false },
      runtime: { python, spark: null },
      pythonPath: path.join(repository, 'python'),
      warn: (message) => void warnings.push(message),
      ...overrides,
    });
  return {
    ...{ folder, api, node, source, warnings, makeBackend },
    async startWorker(backend: HostBackend = makeBackend()) {
      const clock = { nowMs: () => Date.now() };
      const base = { source, workerId: 'w', slots: 20, dataRoot, spare: null, clock, log: silentLog };
      const worker = await startWorker({ ...base, backend, stopGraceMs: 2_000 });
      workers.push(worker);
      return worker;
    },
    aTask(script: string, overrides: Partial<ClaimedAttempt> = {}) {
      scripts += 1;
      fs.mkdirSync(dataRoot, { recursive: true });
      const file = path.join(dataRoot, `task-${scripts}.py`);
      fs.writeFileSync(file, script);
      const attempt = anAttempt(dataRoot, { parameters: [] }, overrides);
      const task = { kind: 'spark_python', python_file: file, parameters: [] } as const;
      return { ...attempt, document: { ...attempt.document, task } };
    },
    log({ runId, attemptId }: ClaimedAttempt) {
      const file = path.join(dataRoot, 'attempts', String(runId), String(attemptId), 'output.log');
      return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
    },
    onlyPod() {
      const [name, ...more] = [...api.pods.keys()];
      expect(more).toEqual([]);
      return name ?? '';
    },
    async end() {
      node.isLost = false;
      await Promise.all(workers.map((worker) => worker.stop()));
      await node.close();
      await api.close();
      expect(api.graces.filter((seconds) => seconds < 1)).toEqual([]);
      const left = fs.existsSync(podsFolder) ? fs.readdirSync(podsFolder) : [];
      for (const name of left) await killMarked(path.join(podsFolder, name, 'host'));
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}
