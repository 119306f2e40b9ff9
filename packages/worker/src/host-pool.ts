/**
 * The hosts of this worker, one for each host key: started when first needed, kept while needed, ended when idle.
 * It routes what a host says to the attempts on it and tells the server of each change; it decides nothing about
 * attempts.
 */
import type { HostBackend, HostConnection } from './hosts/host-backend.ts';
import type { FromHost, HostedAttempt, HostedEnd, SparkState, ToHost } from './hosts/host-protocol.ts';
import type { WorkerLog } from './log.ts';
import type { ClusterAssignment, HostReport } from './ports.ts';

export type HostEvent =
  | { readonly kind: 'started'; readonly atMs: number }
  | { readonly kind: 'ended'; readonly end: HostedEnd }
  | { readonly kind: 'dropped' }
  /** The connection was broken for a while: this is what the host knows of the attempt now. */
  | { readonly kind: 'resynced'; readonly hosted: HostedAttempt | null }
  | { readonly kind: 'host_died'; readonly hosted: HostedAttempt | null; readonly message: string };

export interface Host {
  readonly hostKey: string;
  readonly clusterId: string;
  readonly attempts: ReadonlyMap<number, HostedAttempt>;
  send(...frames: ToHost[]): void;
  /** Until `leave`, the host is needed. */
  join(attemptId: number, listener: (event: HostEvent) => void): void;
  leave(attemptId: number): void;
}

interface Slot extends Host {
  readonly connection: HostConnection;
  readonly listeners: Map<number, (event: HostEvent) => void>;
  readonly attempts: Map<number, HostedAttempt>;
  idleMs: number | null;
  idleTimer: NodeJS.Timeout | null;
  sparkState: SparkState;
  isStopping: boolean;
}

export interface HostPoolOptions {
  readonly backend: HostBackend;
  readonly report: (report: HostReport) => void;
  readonly log: WorkerLog;
  readonly stopGraceMs: number;
}

export type HostPool = ReturnType<typeof createHostPool>;

export function createHostPool(options: HostPoolOptions) {
  const { backend, log } = options;
  const starting = new Map<string, Promise<Host>>();
  const slots = new Map<string, Slot>();

  function acquire(cluster: ClusterAssignment): Promise<Host> {
    const slot = slots.get(cluster.hostKey);
    if (slot !== undefined && !slot.isStopping) {
      slot.idleMs = cluster.idleMs;
      return Promise.resolve(slot);
    }
    const pending = starting.get(cluster.hostKey);
    if (pending !== undefined) return pending;
    const started = start(cluster, slot).finally(() => starting.delete(cluster.hostKey));
    starting.set(cluster.hostKey, started);
    return started;
  }

  async function start(cluster: ClusterAssignment, ending: Slot | undefined): Promise<Host> {
    const facts = { clusterId: cluster.clusterId, hostKey: cluster.hostKey, sparkState: 'none' } as const;
    // One host for a key: its folder, socket and journal have one owner.
    if (ending !== undefined) await ending.connection.died;
    options.report({ ...facts, state: 'starting', pid: null, message: 'the cluster is starting' });
    try {
      const slot = adopt(await backend.start(cluster));
      slot.idleMs = cluster.idleMs;
      watchIdle(slot);
      return slot;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      options.report({ ...facts, state: 'failed', pid: null, message });
      throw error;
    }
  }

  function adopt(connection: HostConnection): Slot {
    const slot = createSlot(connection, (idle) => watchIdle(idle));
    slots.set(slot.hostKey, slot);
    readHello(slot, connection.hello);
    reportRunning(slot, 'the cluster is running');
    connection.listen((frame) => hear(slot, frame));
    void connection.died.then((death) => {
      if (slots.get(slot.hostKey) === slot) slots.delete(slot.hostKey);
      if (slot.idleTimer !== null) clearTimeout(slot.idleTimer);
      const { clusterId, hostKey } = slot;
      const state = slot.isStopping ? 'stopped' : 'failed';
      options.report({ clusterId, hostKey, state, sparkState: 'none', pid: null, message: death.message });
      log.info({ host_key: hostKey, state }, death.message);
      const hosted = new Map(death.attempts.map((attempt) => [attempt.attempt_id, attempt]));
      for (const [attemptId, listener] of [...slot.listeners]) {
        listener({ kind: 'host_died', hosted: hosted.get(attemptId) ?? null, message: death.message });
      }
    });
    return slot;
  }

  function hear(slot: Slot, frame: FromHost): void {
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
        return reportRunning(slot, frame.message);
      case 'error':
        return log.warn({ host_key: slot.hostKey }, frame.message);
      case 'prepared':
        return;
    }
  }

  function readHello(slot: Slot, hello: Extract<FromHost, { op: 'hello' }>): void {
    slot.sparkState = hello.spark;
    slot.attempts.clear();
    for (const attempt of hello.attempts) slot.attempts.set(attempt.attempt_id, attempt);
  }

  function reportRunning(slot: Slot, message: string): void {
    const { clusterId, hostKey, sparkState } = slot;
    options.report({
      clusterId,
      hostKey,
      state: 'running',
      sparkState,
      pid: slot.connection.hello.pid,
      message,
    });
  }

  function watchIdle(slot: Slot): void {
    if (slot.idleTimer !== null) clearTimeout(slot.idleTimer);
    slot.idleTimer = null;
    if (slot.listeners.size > 0 || slot.idleMs === null) return;
    slot.idleTimer = setTimeout(() => {
      if (slot.listeners.size === 0) void stop(slot);
    }, slot.idleMs);
    slot.idleTimer.unref();
  }

  async function stop(slot: Slot): Promise<void> {
    slot.isStopping = true;
    await backend.stop(slot.connection, { graceMs: options.stopGraceMs });
  }

  return {
    acquire,
    adopt: (connection: HostConnection): Host => adopt(connection),
    /** The host of this key if it can take an attempt at once. */
    ready(hostKey: string): Host | null {
      const slot = slots.get(hostKey);
      return slot === undefined || slot.isStopping ? null : slot;
    },
    /** Ends the hosts that nothing runs on; for a cluster that is kept, its idle time is set instead. */
    async stopUnneeded(kept: ClusterAssignment | null): Promise<void> {
      await Promise.all(
        [...slots.values()].map(async (slot) => {
          if (slot.listeners.size > 0) return;
          if (kept?.hostKey === slot.hostKey) {
            slot.idleMs = kept.idleMs;
            return watchIdle(slot);
          }
          await stop(slot);
        }),
      );
    },
    /** Leaves the hosts as they are. */
    disconnect(): void {
      for (const slot of slots.values()) {
        if (slot.idleTimer !== null) clearTimeout(slot.idleTimer);
        slot.connection.close();
      }
    },
  };
}

function createSlot(connection: HostConnection, onIdle: (slot: Slot) => void): Slot {
  const slot: Slot = {
    hostKey: connection.hostKey,
    clusterId: connection.clusterId,
    connection,
    listeners: new Map(),
    attempts: new Map(),
    // Until its cluster's own time is known: a host taken back from a former life.
    idleMs: 10 * 60_000,
    idleTimer: null,
    sparkState: 'none',
    isStopping: false,
    send: (...frames) => connection.send(frames),
    join(attemptId, listener) {
      slot.listeners.set(attemptId, listener);
      if (slot.idleTimer !== null) clearTimeout(slot.idleTimer);
      slot.idleTimer = null;
    },
    leave(attemptId) {
      slot.listeners.delete(attemptId);
      slot.attempts.delete(attemptId);
      if (slot.listeners.size === 0) onIdle(slot);
    },
  };
  return slot;
}
