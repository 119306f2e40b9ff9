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
  acknowledgeAttempts,
  copyJournal,
  type HostFolderOptions,
  hostFolderOf,
  listPodRecords,
  type PodRecord,
  readAttempts,
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
import { createPodTracker, isPodOf, type PodTracker } from './pod-tracker.ts';
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
  readonly strayWaitMs?: number;
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
      let record = recordOf(cluster, api);
      const folder = path.join(podsFolder, record.name);
      const before = deadFoldersOf(podsFolder, record);
      prepareFolder(folder, { record, cluster, before }, options);
      let stream: PodStream;
      try {
        const source = {
          ...record,
          workerId,
          cluster,
          hostFolder: hostFolderOf(folder),
          dataRoot: options.dataRoot,
        };
        const uid = await api.create(makePod({ ...source, python: options.runtime.python }, place), signal);
        record = { ...record, uid };
        writePodRecord(folder, record);
        const open = (address: string) => openPodStream({ address, folder, workerId });
        stream = await awaitPodHost({ record, folder, cluster, tracker, open, times, signal, tell });
      } catch (error) {
        await book.abandon(folder, record);
        throw error;
      }
      // It answers for them now.
      for (const dead of before) removeFolder(dead, warn);
      return book.lead(record, stream);
    },
    async attach(): Promise<readonly FoundHost[]> {
      const records = listPodRecords(podsFolder);
      for (const { record } of records) refuseElsewhere(record, api);
      const { pods } = await api.list();
      const byName = new Map(pods.map((pod) => [pod.metadata?.name ?? '', pod]));
      const found: FoundHost[] = [];
      const unused: string[] = [];
      for (const { folder, record } of records) {
        if (record === null) {
          unused.push(folder);
          continue;
        }
        // Of a life before, when it was another worker's end that it waited for.
        if (record.isAbandoned)
          book.abandon(folder, record).catch((error: unknown) => warn(`Pod ${record.name} is left`, error));
        else found.push(await findHost({ folder, record, pod: byName.get(record.name) }, options, book));
        byName.delete(record.name);
      }
      await endStrays([...byName.keys()], options, tracker);
      for (const folder of unused) fs.rmSync(folder, { recursive: true, force: true });
      // What lives counts last: an attempt in the journal of a dead host may be on its successor by now.
      return found.sort((a, b) => Number(a.kind === 'alive') - Number(b.kind === 'alive'));
    },
    give(connection, { hostKey, clusterId }) {
      return book.rename(connection.hostKey, { hostKey, clusterId })
        ? { ...connection, hostKey, clusterId }
        : null;
    },
    acknowledge(hostKey, attempts) {
      if (attempts.length === 0) return;
      for (const folder of deadFoldersOf(podsFolder, { hostKey })) acknowledgeAttempts(folder, attempts);
    },
    forget(hostKey) {
      for (const folder of deadFoldersOf(podsFolder, { hostKey })) removeFolder(folder, warn);
    },
    destroy(connection) {
      const found = book.recordOf(connection.hostKey);
      if (found !== null) book.end(found);
    },
    async stop(connection, { graceMs }) {
      const found = book.recordOf(connection.hostKey);
      connection.send([{ op: 'shutdown', grace_ms: graceMs }]);
      const timer = setTimeout(() => found !== null && book.end(found), graceMs + stopMarginMs);
      await connection.died;
      clearTimeout(timer);
    },
  };
}

/** The Pods of this worker that are led, or only have to end. */
interface PodBook {
  /** Of a living host. */
  recordOf(hostKey: string): PodRecord | null;
  /** Under another key from now on. */
  rename(from: string, to: Pick<PodRecord, 'hostKey' | 'clusterId'>): boolean;
  lead(record: PodRecord, stream: PodStream | null): HostConnection;
  end(record: PodRecord): void;
  /** Its death is proven. */
  bury(record: PodRecord, message: string): void;
  abandon(folder: string, record: PodRecord): Promise<void>;
}

function createPodBook(options: KubernetesBackendOptions, tracker: PodTracker): PodBook {
  const { api, podsFolder, workerId, warn } = options;
  const folderOf = ({ name }: PodRecord) => path.join(podsFolder, name);
  /** By their keys. Those that were given to a cluster keep the names of their Pods. */
  const led = new Map<string, PodRecord>();
  const book: PodBook = {
    recordOf: (hostKey) => led.get(hostKey) ?? null,
    rename(from, { hostKey, clusterId }) {
      const record = led.get(from);
      if (record === undefined || led.has(hostKey)) return false;
      const renamed = { ...record, hostKey, clusterId };
      writePodRecord(folderOf(record), renamed);
      led.delete(from);
      led.set(hostKey, renamed);
      return true;
    },
    lead(record, stream) {
      led.set(record.hostKey, record);
      const nowOf = () => [...led.values()].find(({ name }) => name === record.name) ?? record;
      return createPodHost({
        ...{ record, folder: folderOf(record), workerId, tracker, stream, warn },
        end: () => book.end(record),
        onDeath: (message) => book.bury(nowOf(), message),
        ...{ stopAnswerMs: options.stopAnswerMs, helloWaitMs: options.helloWaitMs },
      });
    },
    end({ name }) {
      api.delete(name).catch((error: unknown) => warn(`Pod ${name} cannot be deleted`, error));
    },
    bury(record, message) {
      const folder = folderOf(record);
      // First: once the object is gone, nothing else would prove it. Somebody may have removed the folder.
      if (fs.existsSync(folder)) writePodRecord(folder, { ...record, death: message });
      book.end(record);
      if (readAttempts(folder).length === 0) removeFolder(folder, warn);
      if (led.get(record.hostKey)?.name === record.name) led.delete(record.hostKey);
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

/**
 * Made by a request that outlived its sender, or of a folder that somebody removed: nobody leads them, and what they run
 * nobody knows. Until it is proven that they have ended, the same task might be started a second time.
 */
async function endStrays(
  names: readonly string[],
  { api, strayWaitMs = confirmWaitMs }: KubernetesBackendOptions,
  tracker: PodTracker,
): Promise<void> {
  for (const name of names) await api.delete(name);
  const left = new Set(names);
  const ends = names.map((name) => awaitPodEnd(tracker, { name, uid: null }).then(() => left.delete(name)));
  await Promise.race([Promise.all(ends), waitMs(strayWaitMs, new AbortController().signal)]);
  if (left.size === 0) return;
  throw new Error(
    `Pod ${[...left].join(', ')} is of this server and has no folder below pods/; it was deleted, and its end is not proven after ${strayWaitMs / 1000} s: is its node heard of? Until it has ended, no task is started, for it may run one`,
  );
}

/** What is left of it costs room, and a life that comes after tries again. */
function removeFolder(folder: string, warn: KubernetesBackendOptions['warn']): void {
  try {
    fs.rmSync(folder, { recursive: true, force: true });
  } catch (error) {
    warn(`${folder}, of a Pod that has ended, cannot be removed`, error);
  }
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

function recordOf(cluster: ClusterAssignment, { namespace, server }: PodApi): PodRecord {
  const { hostKey, clusterId, sparkConf, pool, executors = null } = cluster;
  const start = crypto.randomBytes(4).toString('hex');
  const setup = { sparkConf, poolId: pool?.poolId ?? null, executors };
  const name = podNameOf(hostKey, start);
  return { name, start, namespace, server, uid: null, hostKey, clusterId, setup };
}

function deadFoldersOf(podsFolder: string, { hostKey }: Pick<PodRecord, 'hostKey'>): string[] {
  return listPodRecords(podsFolder)
    .filter(({ record }) => record?.hostKey === hostKey && record.death !== undefined)
    .map(({ folder }) => folder);
}

/** What no longer is where we look may live on where it was. */
function refuseElsewhere(record: PodRecord | null, { namespace, server }: PodApi): void {
  if (record === null || record.death !== undefined) return;
  const { name } = record;
  if (record.namespace !== namespace)
    throw new Error(
      `Pod ${name} was started in namespace ${record.namespace}, and Headrace is to look in namespace ${namespace}, where nothing says whether it lives: start with namespace=${record.namespace} in HEADRACE_KUBERNETES until its host has ended`,
    );
  if (record.server !== server)
    throw new Error(
      `Pod ${name} was started by the cluster at ${record.server}, and Headrace is to look in the one at ${server}, where nothing says whether it lives: go back to the first until its host has ended, or, where both are the same cluster, change “server” in pods/${name}/pod.json`,
    );
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
    if (record.death === undefined) book.bury(record, message);
    return { kind: 'dead', hostKey, clusterId, death: { message, attempts } };
  };
  if (record.death !== undefined) return dead(record.death);
  const there = pod ?? (await api.read(record.name));
  if (there === null || !isPodOf(record, there)) return dead(explainGone(record.name, null));
  const state = readPodState(there);
  if (state.kind === 'dead') return dead(state.message);
  // The worker before did not come so far as to note it.
  const known = record.uid === null ? { ...record, uid: there.metadata?.uid ?? null } : record;
  if (known !== record) writePodRecord(folder, known);
  const version = readVersion(folder);
  // What cannot be led must end; its attempts are lost when that is proven.
  if (version !== null && version !== hostProtocolVersion) book.end(record);
  let stream: PodStream | null = null;
  if (state.kind === 'running') {
    const { address } = state;
    // Not reached for now, which proves nothing: it is tried again for as long as its Pod may live.
    stream = await openPodStream({ address, folder, workerId, helloWaitMs: attachWaitMs }).catch(() => null);
  }
  return { kind: 'alive', connection: book.lead(known, stream) };
}
