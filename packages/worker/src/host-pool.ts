/**
 * The hosts of this worker, one for each host key: started when first needed, kept while needed, ended when idle.
 * It routes what a host says to the attempts on it and tells the server of each change; it decides nothing about
 * attempts. Hosts of clusters that people start and stop follow the server's orders; of those a worker that comes back
 * ends none by itself.
 */
import { generationOf, poolOfSpare } from '@headrace/core';
import { type Ending, Endings } from './endings.ts';
import { FailedStarts } from './failed-starts.ts';
import { createSlot, deathOf, type Host, isOutdated, readHello, type Slot } from './host-slot.ts';
import type { HostBackend, HostConnection, HostDeath } from './hosts/host-backend.ts';
import type { ExecutorChange, FromHost } from './hosts/host-protocol.ts';
import { HostStartError, HostUnwantedError } from './hosts/start-errors.ts';
import type { WorkerLog } from './log.ts';
import type { ClusterAssignment, HostOrders, HostReport, HostStatus, HostStop, PoolPlace } from './ports.ts';
import {
  createBell,
  explainCold,
  explainFull,
  explainTaken,
  findDifferences,
  isSpareOf,
} from './spare-hosts.ts';

interface Start {
  readonly clusterId: string;
  readonly host: Promise<Host>;
  readonly abort: AbortController;
}

/** What keeps a host from starting seldom goes away at once. */
const spareRetryMs = 60_000;

export interface HostPoolOptions {
  readonly backend: HostBackend;
  /** Whether it was recorded. */
  readonly report: (report: HostReport) => Promise<boolean>;
  readonly log: WorkerLog;
  readonly stopGraceMs: number;
}

export class HostPool {
  readonly #options: HostPoolOptions;
  readonly #starting = new Map<string, Start>();
  readonly #failed: FailedStarts;
  readonly #slots = new Map<string, Slot>();
  /** Starts that have found room in their pool, by host key. */
  readonly #building = new Map<string, { readonly poolId: string; readonly clusterId: string }>();
  /** Rung when a host ends, or a start. */
  readonly #room = createBell();
  #spareFailedAt = Number.NEGATIVE_INFINITY;
  readonly #endings: Endings;

  constructor(options: HostPoolOptions) {
    this.#options = options;
    this.#failed = new FailedStarts(options.report);
    this.#endings = new Endings(options, (hostKey) => this.#slots.get(hostKey));
  }

  /** The cluster's host; starts it if need be. Rejects with a reason for people. */
  acquire(cluster: ClusterAssignment): Promise<Host> {
    const slot = this.#slots.get(cluster.hostKey);
    if (slot !== undefined && !slot.isStopping) {
      slot.idleMs = cluster.idleMs;
      return Promise.resolve(slot);
    }
    const { hostKey, clusterId } = cluster;
    const pending = this.#starting.get(hostKey);
    if (pending !== undefined) return pending.host;
    const spare =
      slot === undefined && cluster.pool !== undefined ? this.#takeSpare(cluster, cluster.pool) : null;
    if (spare !== null && typeof spare !== 'string') return Promise.resolve(spare);
    const abort = new AbortController();
    const host = this.#start(cluster, { ending: slot, coldReason: spare }, abort.signal).finally(() => {
      this.#starting.delete(hostKey);
      this.#building.delete(hostKey);
      this.#room.ring();
    });
    this.#starting.set(hostKey, { clusterId, host, abort });
    return host;
  }

  /** Takes a host over that runs already. */
  adopt(connection: HostConnection): Host {
    return this.#adopt(connection);
  }

  /** The host of this key if it can take an attempt at once. */
  ready(hostKey: string): Host | null {
    const slot = this.#slots.get(hostKey);
    return slot === undefined || slot.isStopping ? null : slot;
  }

  /** Tells how an attempt ended, then lets its host forget it. */
  settle(ending: Ending, tell: () => Promise<void>): Promise<void> {
    return this.#endings.settle(ending, tell);
  }

  /** Every host, as the server is to know it. */
  describe(): HostStatus[] {
    const running = [...this.#slots.values()].map((slot): HostStatus => {
      const { clusterId, hostKey, sparkState, isStopping, connection, message } = slot;
      const state = isStopping ? 'stopping' : 'running';
      return { clusterId, hostKey, state, sparkState, pid: connection.hello.pid, message };
    });
    const starting = [...this.#starting].map(([hostKey, { clusterId }]): HostStatus => {
      return { clusterId, hostKey, state: 'starting', sparkState: 'none', pid: null, message: '' };
    });
    const begun = new Set(starting.map(({ hostKey }) => hostKey));
    return [...running.filter(({ hostKey }) => !begun.has(hostKey)), ...starting, ...this.#failed.list()];
  }

  forgetFailures(told: readonly HostStatus[]): void {
    this.#failed.forget(told);
  }

  /** How many of the orders were news. */
  follow({ start, stop, warm = [] }: HostOrders): number {
    for (const { hostKey, unusedMs } of warm)
      this.#slots.get(hostKey)?.send({ op: 'warm', unused_ms: unusedMs });
    const stopped = stop.filter((order) => this.#follow(order)).length;
    const missing = start.filter(
      (cluster) =>
        this.ready(cluster.hostKey) === null &&
        !this.#starting.has(cluster.hostKey) &&
        this.#mayBegin(cluster),
    );
    for (const cluster of missing) {
      // The report of it has told the server.
      this.acquire(cluster).catch(() => undefined);
    }
    return stopped + missing.length;
  }

  #follow({ hostKey, message, isReplaced, ifIdle }: HostStop): boolean {
    const starting = this.#starting.get(hostKey);
    if (starting !== undefined) {
      if (ifIdle || starting.abort.signal.aborted) return false;
      starting.abort.abort(new HostUnwantedError(message, isReplaced));
      return true;
    }
    const slot = this.#slots.get(hostKey);
    if (slot === undefined || slot.isStopping || (ifIdle && slot.listeners.size > 0)) return false;
    this.#options.log.info({ host_key: hostKey }, message);
    for (const listener of [...slot.listeners.values()])
      listener({ kind: 'host_unwanted', message, isReplaced });
    this.#stopLogged(slot);
    return true;
  }

  /** Ends the hosts that nothing runs on; for a cluster that is kept, its idle time is set instead. */
  async stopUnneeded(kept: ClusterAssignment | null): Promise<void> {
    const unneeded = [...this.#slots.values()].filter(
      ({ listeners, hostKey }) => listeners.size === 0 && (kept === null || generationOf(hostKey) === 0),
    );
    await Promise.all(
      unneeded.map(async (slot) => {
        if (kept?.hostKey !== slot.hostKey || isOutdated(slot)) return this.#stop(slot);
        slot.idleMs = kept.idleMs;
        this.#watchIdle(slot);
      }),
    );
  }

  /** Ends by force the hosts on which an attempt still runs. */
  destroyBusy(): void {
    for (const slot of this.#slots.values()) {
      if (slot.listeners.size === 0) continue;
      this.#options.log.warn(
        { host_key: slot.hostKey },
        'a host is ended by force: the lease is about to end',
      );
      this.#options.backend.destroy(slot.connection);
    }
  }

  /** Leaves the hosts as they are. */
  disconnect(): void {
    for (const { idleTimer, connection } of this.#slots.values()) {
      if (idleTimer !== null) clearTimeout(idleTimer);
      connection.close();
    }
  }

  /** A host that waits in the pool, now the cluster's; or why there is none. */
  #takeSpare(cluster: ClusterAssignment, pool: PoolPlace): Slot | string | null {
    if (pool.isSpare) return null;
    const waiting = [...this.#slots.values()]
      .filter((slot) => isSpareOf(slot, pool.poolId) && !slot.isStopping && !isOutdated(slot))
      .sort((a, b) => Number(b.sparkState === 'ready') - Number(a.sparkState === 'ready'));
    const fitting = waiting.find(({ connection: { setup } }) => findDifferences(cluster, setup).length === 0);
    const connection = fitting && this.#options.backend.give(fitting.connection, cluster);
    if (!fitting || !connection) return explainCold(cluster, pool, waiting[0]?.connection.setup ?? null);
    fitting.isGiven = true;
    this.#slots.delete(fitting.hostKey);
    const { sparkState } = fitting;
    const hello = { ...connection.hello, spark: sparkState, attempts: [] };
    const driver = sparkState === 'ready' ? '' : `, whose driver is not ready yet (${sparkState})`;
    const message = explainTaken(pool) + driver;
    const slot = this.#adopt({ ...connection, hello }, message);
    slot.idleMs = cluster.idleMs;
    this.#watchIdle(slot);
    return slot;
  }

  /** An order for a host that shall wait comes again: it is left while there is no room, or the last one failed. */
  #mayBegin(cluster: ClusterAssignment): boolean {
    if (!cluster.pool?.isSpare) return true;
    if (performance.now() - this.#spareFailedAt < spareRetryMs) return false;
    return this.#explainFull(cluster) === null;
  }

  /** Who has the hosts of a pool, by cluster id. */
  #holdersOf(poolId: string, exceptKey: string): string[] {
    const holders = new Map([...this.#building].filter(([, start]) => start.poolId === poolId));
    for (const { hostKey, clusterId, connection } of this.#slots.values()) {
      if (connection.setup.poolId === poolId) holders.set(hostKey, { poolId, clusterId });
    }
    holders.delete(exceptKey);
    return [...holders.values()].map(({ clusterId }) => clusterId);
  }

  /** Null while the pool has room for a host of this cluster, or it is in none. */
  #explainFull({ pool, hostKey }: ClusterAssignment): string | null {
    if (pool === undefined || pool.capacityMax === null) return null;
    const holders = this.#holdersOf(pool.poolId, hostKey);
    return holders.length < pool.capacityMax ? null : explainFull(pool, holders);
  }

  /** Until the pool may have one host more; one that waits there makes room. */
  async #awaitRoom(cluster: ClusterAssignment, signal: AbortSignal): Promise<void> {
    const { hostKey, clusterId } = cluster;
    const poolId = cluster.pool?.poolId;
    if (poolId === undefined) return;
    for (;;) {
      signal.throwIfAborted();
      const message = this.#explainFull(cluster);
      if (message === null) break;
      const spare = [...this.#slots.values()].find((slot) => isSpareOf(slot, poolId) && !slot.isStopping);
      if (spare !== undefined) this.#stopLogged(spare);
      this.#options.report({ clusterId, hostKey, state: 'starting', sparkState: 'none', pid: null, message });
      await this.#room.wait(signal);
    }
    this.#building.set(hostKey, { poolId, clusterId });
  }

  async #start(
    cluster: ClusterAssignment,
    { ending, coldReason }: { readonly ending: Slot | undefined; readonly coldReason: string | null },
    signal: AbortSignal,
  ): Promise<Host> {
    const { backend, report } = this.#options;
    const facts = { clusterId: cluster.clusterId, hostKey: cluster.hostKey, sparkState: 'none' } as const;
    // One host for a key: its folder, socket and journal have one owner.
    if (ending !== undefined) await ending.connection.died;
    this.#failed.clear(cluster.hostKey);
    const begins = coldReason === null ? 'the cluster is starting' : `it starts cold: ${coldReason}`;
    report({ ...facts, state: 'starting', pid: null, message: this.#explainFull(cluster) ?? begins });
    try {
      await this.#awaitRoom(cluster, signal);
      signal.throwIfAborted();
      const told = coldReason === null ? undefined : `it started cold: ${coldReason}`;
      const tell = (waits: string) => void report({ ...facts, state: 'starting', pid: null, message: waits });
      const slot = this.#adopt(await backend.start(cluster, { signal, tell }), told);
      slot.idleMs = cluster.idleMs;
      this.#watchIdle(slot);
      this.#endings.inherit(slot);
      return slot;
    } catch (error) {
      if (signal.aborted) {
        const message = signal.reason instanceof Error ? signal.reason.message : 'the cluster was stopped';
        report({ ...facts, state: 'stopped', pid: null, message });
        throw signal.reason;
      }
      const message = error instanceof Error ? error.message : String(error);
      const failureCode = error instanceof HostStartError ? error.code : 'START_FAILURE';
      const failed = { ...facts, state: 'failed', pid: null, message, failureCode } as const;
      if (cluster.pool?.isSpare) this.#spareFailedAt = performance.now();
      this.#failed.tell(failed);
      throw error;
    }
  }

  #adopt(connection: HostConnection, message = 'the cluster is running'): Slot {
    const slot = createSlot(connection, (idle) => this.#watchIdle(idle));
    this.#slots.set(slot.hostKey, slot);
    readHello(slot, connection.hello);
    slot.message = message;
    this.#reportRunning(slot, message);
    connection.listen((frame) => this.#hear(slot, frame));
    void connection.died.then((death) => this.#bury(slot, death));
    const waits = poolOfSpare(slot.clusterId) !== null;
    if (waits && slot.sparkState !== 'ready') slot.send({ op: 'warm' });
    return slot;
  }

  #bury(slot: Slot, death: HostDeath): void {
    const { clusterId, hostKey } = slot;
    slot.death = death;
    this.#endings.bury(slot, death);
    if (slot.isGiven) return;
    if (this.#slots.get(hostKey) === slot) this.#slots.delete(hostKey);
    if (slot.idleTimer !== null) clearTimeout(slot.idleTimer);
    this.#room.ring();
    const state = slot.isStopping ? 'stopped' : 'failed';
    const message = slot.isStopping ? 'the cluster was stopped' : death.message;
    this.#options.report({ clusterId, hostKey, state, sparkState: 'none', pid: null, message });
    this.#options.log.info({ host_key: hostKey, state }, message);
    for (const [attemptId, listener] of [...slot.listeners]) listener(deathOf(attemptId, death));
  }

  #hear(slot: Slot, frame: FromHost): void {
    switch (frame.op) {
      case 'started':
        return slot.listeners.get(frame.attempt_id)?.({ kind: 'started', atMs: frame.at_ms });
      case 'ended':
        return slot.listeners.get(frame.attempt_id)?.({ kind: 'ended', end: frame });
      case 'dropped':
        return slot.listeners.get(frame.attempt_id)?.({ kind: 'dropped' });
      case 'hello':
        readHello(slot, frame);
        for (const [attemptId, listener] of [...slot.listeners]) {
          listener({ kind: 'resynced', hosted: slot.attempts.get(attemptId) ?? null });
        }
        return;
      case 'spark':
        slot.sparkState = frame.state;
        return this.#reportRunning(slot, frame.message, frame.executors);
      case 'error':
        return this.#options.log.warn({ host_key: slot.hostKey }, frame.message);
      case 'prepared':
        return;
    }
  }

  #reportRunning(slot: Slot, message: string, executors?: ExecutorChange): void {
    const { clusterId, hostKey, sparkState } = slot;
    const { pid } = slot.connection.hello;
    const changed = executors && { executors };
    this.#options.report({ clusterId, hostKey, state: 'running', sparkState, pid, message, ...changed });
  }

  #watchIdle(slot: Slot): void {
    if (slot.idleTimer !== null) clearTimeout(slot.idleTimer);
    slot.idleTimer = null;
    const idleMs = isOutdated(slot) ? 0 : slot.idleMs;
    if (slot.death !== null || slot.listeners.size > 0 || idleMs === null) return;
    slot.idleTimer = setTimeout(() => {
      if (slot.listeners.size === 0) this.#stopLogged(slot);
    }, idleMs);
    slot.idleTimer.unref();
  }

  #stopLogged(slot: Slot): void {
    this.#stop(slot).catch((error: unknown) =>
      this.#options.log.warn({ host_key: slot.hostKey, err: error }, 'a host did not stop well'),
    );
  }

  async #stop(slot: Slot): Promise<void> {
    slot.isStopping = true;
    await this.#options.backend.stop(slot.connection, { graceMs: this.#options.stopGraceMs });
  }
}
