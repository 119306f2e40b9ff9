/**
 * Hosts as Pods of a Kubernetes cluster, one Pod for each start of a host. Folders on a claim that worker and Pods share
 * say which Pods there are and what ran on them; the API says which of them live.
 */
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { V1Pod } from '@kubernetes/client-node';
import type { ClusterAssignment } from '../../ports.ts';
import { waitMs } from '../../wait.ts';
import type { FoundHost, HostBackend, HostConnection } from '../host-backend.ts';
import { hostProtocolVersion } from '../host-protocol.ts';
import {
  copyJournal,
  type HostFolderOptions,
  hostFolderOf,
  listPodRecords,
  type PodRecord,
  readAttempts,
  readPodRecord,
  readVersion,
  writeHostFolder,
  writePodRecord,
} from './host-folder.ts';
import type { PodApi } from './pod-api.ts';
import { createPodHost } from './pod-host.ts';
import { makePod, type PodPlace, podNameOf } from './pod-manifest.ts';
import { awaitPodEnd, awaitPodHost, type StartTimes, startTimesDefault } from './pod-start.ts';
import { explainGone, readPodState } from './pod-state.ts';
import { openPodStream, type PodStream } from './pod-stream.ts';
import { createPodTracker, type PodTracker } from './pod-tracker.ts';
import { sparkConfOnPods, writeExecutorTemplate } from './spark-on-pods.ts';

/** After the grace: the host's own proofs, and the JVM's end. */
const stopMarginMs = 40_000;
/** One that lives answers at once; one that cannot be reached goes on being tried while the worker is at work. */
const attachWaitMs = 5_000;
/** A Pod whose start has failed and that does not confirm its end by then is waited for in the background. */
const confirmWaitMs = 45_000;

export interface KubernetesBackendOptions extends Omit<HostFolderOptions, 'spark'> {
  readonly api: PodApi;
  readonly place: PodPlace;
  /** `<state>/pods`, on the claim. */
  readonly podsFolder: string;
  readonly runtime: { readonly python: string; readonly spark: object | null };
  readonly workerId: string;
  readonly warn: (message: string, error?: unknown) => void;
  readonly times?: Partial<StartTimes>;
  readonly stopAnswerMs?: number;
  readonly helloWaitMs?: number;
}

export function createKubernetesBackend(options: KubernetesBackendOptions): HostBackend {
  const { api, place, podsFolder, workerId, warn } = options;
  const times = { ...startTimesDefault, ...options.times };
  const tracker = createPodTracker(api, {
    onTrouble: (error) => warn('Pods cannot be followed; trying again', error),
  });
  const book = createPodBook(options, tracker);
  return {
    name: 'kubernetes',
    async start(cluster, { signal, tell } = {}): Promise<HostConnection> {
      const record = recordOf(cluster);
      const folder = path.join(podsFolder, record.name);
      const before = deadFoldersOf(podsFolder, record);
      prepareFolder(folder, { record, cluster, before }, options);
      try {
        const source = {
          ...record,
          workerId,
          cluster,
          hostFolder: hostFolderOf(folder),
          dataRoot: options.dataRoot,
        };
        await api.create(makePod({ ...source, python: options.runtime.python }, place), signal);
        const open = (address: string) => openPodStream({ address, folder, workerId });
        const stream = await awaitPodHost({ record, folder, cluster, tracker, open, times, signal, tell });
        for (const dead of before) fs.rmSync(dead, { recursive: true, force: true });
        return book.lead(record, stream);
      } catch (error) {
        await book.abandon(folder, record);
        throw error;
      }
    },
    async attach(): Promise<readonly FoundHost[]> {
      const { pods } = await api.list();
      const byName = new Map(pods.map((pod) => [pod.metadata?.name ?? '', pod]));
      const found: FoundHost[] = [];
      for (const { folder, record } of listPodRecords(podsFolder)) {
        if (record === null) {
          fs.rmSync(folder, { recursive: true, force: true });
          continue;
        }
        // Of a life before, when it was another worker's end that it waited for.
        if (record.isAbandoned)
          book.abandon(folder, record).catch((error: unknown) => warn(`Pod ${record.name} is left`, error));
        else found.push(await findHost({ folder, record, pod: byName.get(record.name) }, options, book));
        byName.delete(record.name);
      }
      // Made by a request that outlived its sender: nobody leads them.
      for (const name of byName.keys()) await api.delete(name);
      // What lives counts last: an attempt in the journal of a dead host may be on its successor by now.
      return found.sort((a, b) => Number(a.kind === 'alive') - Number(b.kind === 'alive'));
    },
    give(connection, { hostKey, clusterId }) {
      return book.rename(connection.hostKey, { hostKey, clusterId })
        ? { ...connection, hostKey, clusterId }
        : null;
    },
    forget(hostKey) {
      for (const folder of deadFoldersOf(podsFolder, { hostKey }))
        fs.rmSync(folder, { recursive: true, force: true });
    },
    destroy(connection) {
      const found = book.recordOf(connection.hostKey);
      if (found !== null) book.end(found.record);
    },
    async stop(connection, { graceMs }) {
      const found = book.recordOf(connection.hostKey);
      connection.send([{ op: 'shutdown', grace_ms: graceMs }]);
      const timer = setTimeout(() => found !== null && book.end(found.record), graceMs + stopMarginMs);
      await connection.died;
      clearTimeout(timer);
    },
  };
}

/** The Pods of this worker that are led, or only have to end. */
interface PodBook {
  /** Of a living host. */
  recordOf(hostKey: string): { readonly folder: string; readonly record: PodRecord } | null;
  /** Under another key from now on. */
  rename(from: string, to: Pick<PodRecord, 'hostKey' | 'clusterId'>): boolean;
  lead(record: PodRecord, stream: PodStream | null): HostConnection;
  end(record: PodRecord): void;
  /** Its death is proven. */
  bury(folder: string, message: string): void;
  abandon(folder: string, record: PodRecord): Promise<void>;
}

function createPodBook(options: KubernetesBackendOptions, tracker: PodTracker): PodBook {
  const { api, podsFolder, workerId, warn } = options;
  /** Those that were given to a cluster keep the names of their Pods. */
  const folders = new Map<string, string>();
  const book: PodBook = {
    recordOf(hostKey) {
      const folder = folders.get(hostKey);
      const record = folder === undefined ? null : readPodRecord(folder);
      return folder === undefined || record === null ? null : { folder, record };
    },
    rename(from, to) {
      const found = book.recordOf(from);
      if (found === null || folders.has(to.hostKey)) return false;
      writePodRecord(found.folder, { ...found.record, hostKey: to.hostKey, clusterId: to.clusterId });
      folders.delete(from);
      folders.set(to.hostKey, found.folder);
      return true;
    },
    lead(record, stream) {
      const folder = path.join(podsFolder, record.name);
      folders.set(record.hostKey, folder);
      return createPodHost({
        ...{ record, folder, workerId, tracker, stream, warn },
        end: () => book.end(record),
        onDeath: (message) => book.bury(folder, message),
        ...{ stopAnswerMs: options.stopAnswerMs, helloWaitMs: options.helloWaitMs },
      });
    },
    end({ name }) {
      api.delete(name).catch((error: unknown) => warn(`Pod ${name} cannot be deleted`, error));
    },
    bury(folder, message) {
      const record = readPodRecord(folder);
      if (record === null) return;
      // First: once the object is gone, nothing else would prove it.
      writePodRecord(folder, { ...record, death: message });
      book.end(record);
      if (readAttempts(folder).length === 0) fs.rmSync(folder, { recursive: true, force: true });
      if (folders.get(record.hostKey) === folder) folders.delete(record.hostKey);
    },
    /** Nothing was sent to it, so nobody waits for the proof; until then its folder says what is to be done. */
    async abandon(folder, record) {
      writePodRecord(folder, { ...record, isAbandoned: true });
      book.end(record);
      const ended = awaitPodEnd(tracker, record)
        .then(() => {
          book.end(record);
          fs.rmSync(folder, { recursive: true, force: true });
        })
        // Nobody may wait for it any more; the next start of the worker finds the folder.
        .catch((error: unknown) => warn(`the folder of Pod ${record.name} cannot be removed`, error));
      await Promise.race([ended, waitMs(confirmWaitMs, new AbortController().signal)]);
    },
  };
  return book;
}

/** Written before the Pod is made. */
function prepareFolder(
  folder: string,
  start: {
    readonly record: PodRecord;
    readonly cluster: ClusterAssignment;
    readonly before: readonly string[];
  },
  options: KubernetesBackendOptions,
): void {
  const { record, cluster, before } = start;
  const { place, runtime } = options;
  const sparkConf = sparkConfOnPods(cluster, {
    ...place,
    podName: record.name,
    hostFolder: hostFolderOf(folder),
  });
  writeHostFolder(folder, { record, cluster, sparkConf }, { ...options, spark: runtime.spark });
  writeExecutorTemplate(hostFolderOf(folder), cluster, options);
  for (const dead of before) copyJournal(dead, folder);
}

function recordOf(cluster: ClusterAssignment): PodRecord {
  const { hostKey, clusterId, sparkConf, pool, executors = null } = cluster;
  const start = crypto.randomBytes(4).toString('hex');
  const setup = { sparkConf, poolId: pool?.poolId ?? null, executors };
  return { name: podNameOf(hostKey, start), start, hostKey, clusterId, setup };
}

function deadFoldersOf(podsFolder: string, { hostKey }: Pick<PodRecord, 'hostKey'>): string[] {
  return listPodRecords(podsFolder)
    .filter(({ record }) => record?.hostKey === hostKey && record.death !== undefined)
    .map(({ folder }) => folder);
}

/** What became of a host of a life before. */
async function findHost(
  {
    folder,
    record,
    pod,
  }: { readonly folder: string; readonly record: PodRecord; readonly pod: V1Pod | undefined },
  { api, workerId }: KubernetesBackendOptions,
  book: PodBook,
): Promise<FoundHost> {
  const { hostKey, clusterId } = record;
  const dead = (message: string): FoundHost => {
    const attempts = readAttempts(folder);
    if (record.death === undefined) book.bury(folder, message);
    return { kind: 'dead', hostKey, clusterId, death: { message, attempts } };
  };
  if (record.death !== undefined) return dead(record.death);
  const there = pod ?? (await api.read(record.name));
  if (there === null) return dead(explainGone(record.name, null));
  const state = readPodState(there);
  if (state.kind === 'dead') return dead(state.message);
  const version = readVersion(folder);
  // What cannot be led must end; its attempts are lost when that is proven.
  if (version !== null && version !== hostProtocolVersion) book.end(record);
  let stream: PodStream | null = null;
  if (state.kind === 'running') {
    const { address } = state;
    // Not reached for now, which proves nothing: it is tried again for as long as its Pod may live.
    stream = await openPodStream({ address, folder, workerId, helloWaitMs: attachWaitMs }).catch(() => null);
  }
  return { kind: 'alive', connection: book.lead(record, stream) };
}
