/** What the pool knows of one host, and how attempts hear from it. */
import { generationOf } from '@headrace/core';
import { Acknowledged } from './acknowledged.ts';
import type { HostConnection, HostDeath, HostHello } from './hosts/host-backend.ts';
import {
  type HostedAttempt,
  type HostedEnd,
  hostProtocolVersion,
  type SparkState,
  type ToHost,
} from './hosts/host-protocol.ts';

export type HostEvent =
  | { readonly kind: 'started'; readonly atMs: number }
  | { readonly kind: 'ended'; readonly end: HostedEnd }
  | { readonly kind: 'dropped' }
  /** The connection was broken for a while: this is what the host knows of the attempt now. */
  | { readonly kind: 'resynced'; readonly hosted: HostedAttempt | null }
  /** Its cluster was terminated, or another host takes the place of this one; its end follows. */
  | { readonly kind: 'host_unwanted'; readonly message: string; readonly isReplaced: boolean }
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

export interface Slot extends Host {
  readonly connection: HostConnection;
  /** How it came to run: told with each heartbeat, which may overtake the report. */
  message: string;
  /** A cluster has it under another key by now. */
  isGiven: boolean;
  readonly listeners: Map<number, (event: HostEvent) => void>;
  readonly attempts: Map<number, HostedAttempt>;
  readonly acknowledged: Acknowledged;
  idleMs: number | null;
  idleTimer: NodeJS.Timeout | null;
  sparkState: SparkState;
  isStopping: boolean;
  death: HostDeath | null;
}

/** Of the release before: it ends what it runs, and makes room for one of ours. */
export function isOutdated({ connection }: Slot): boolean {
  return connection.hello.version < hostProtocolVersion;
}

export function deathOf(attemptId: number, { attempts, message }: HostDeath): HostEvent {
  const hosted = attempts.find(({ attempt_id }) => attempt_id === attemptId) ?? null;
  return { kind: 'host_died', hosted, message };
}

export function readHello(slot: Slot, hello: HostHello): void {
  slot.sparkState = hello.spark;
  slot.attempts.clear();
  for (const attempt of hello.attempts) slot.attempts.set(attempt.attempt_id, attempt);
}

export function createSlot(connection: HostConnection, onIdle: (slot: Slot) => void): Slot {
  const slot: Slot = {
    hostKey: connection.hostKey,
    clusterId: connection.clusterId,
    connection,
    message: '',
    isGiven: false,
    listeners: new Map(),
    attempts: new Map(),
    acknowledged: new Acknowledged(),
    // Until its cluster's own time is known: a host taken back from a former life. Others wait for orders.
    idleMs: generationOf(connection.hostKey) === 0 ? 10 * 60_000 : null,
    idleTimer: null,
    sparkState: 'none',
    isStopping: false,
    death: null,
    send: (...frames) => connection.send(frames),
    join(attemptId, listener) {
      slot.listeners.set(attemptId, listener);
      // Stopped between the moment it was acquired and this one: nobody else would ever tell.
      if (slot.death !== null) listener(deathOf(attemptId, slot.death));
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

/** As it was shown to us: whoever leads it under a higher epoch by now keeps it. */
export function ackOf({ attempt_id, epoch, owner_epoch = epoch }: HostedAttempt): ToHost {
  return { op: 'ack', attempt_id, epoch: owner_epoch };
}
