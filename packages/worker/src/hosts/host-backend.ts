/**
 * Where hosts live. A backend starts a host, finds the hosts of its former life, and stops one; what is said to a
 * host afterwards is `host-protocol.ts`. A backend never decides about attempts.
 */
import type { AttemptRef, ClusterAssignment, ExecutorPlan } from '../ports.ts';
import type { FromHost, HostedAttempt, ToHost } from './host-protocol.ts';

export type HostHello = Extract<FromHost, { op: 'hello' }>;

/** Proof that nothing of the host can act any more, and what its journal says of each attempt. */
export interface HostDeath {
  readonly message: string;
  readonly attempts: readonly HostedAttempt[];
}

/** What a host was started with. */
export interface HostSetup {
  readonly sparkConf: Readonly<Record<string, string>>;
  /** The instance pool that it counts in; null where it is in none. */
  readonly poolId: string | null;
  /** Null: none. Left out by backends whose drivers do all the work themselves. */
  readonly executors?: ExecutorPlan | null;
}

export interface HostConnection {
  readonly hostKey: string;
  readonly clusterId: string;
  readonly setup: HostSetup;
  readonly hello: HostHello;
  /** Frames for a host that has died are thrown away: its death is reported by `died`. */
  send(frames: readonly ToHost[]): void;
  /** Frames that came before the listener did are kept for it. After a broken connection a new `hello` is among them. */
  listen(listener: (frame: FromHost) => void): void;
  readonly died: Promise<HostDeath>;
  /** Leaves the host as it is. */
  close(): void;
}

export type FoundHost =
  | { readonly kind: 'alive'; readonly connection: HostConnection }
  | {
      readonly kind: 'dead';
      readonly hostKey: string;
      readonly clusterId: string;
      readonly death: HostDeath;
    };

export interface StartOptions {
  /** Aborts when the host is not wanted any more; whatever was begun is ended before `start` rejects. */
  readonly signal?: AbortSignal;
  /** What it waits for, for people; a backend whose hosts come at once has nothing to tell. */
  readonly tell?: (message: string) => void;
}

export interface HostBackend {
  readonly name: string;
  /** Rejects with a message for people when the host could not be started. */
  start(cluster: ClusterAssignment, options?: StartOptions): Promise<HostConnection>;
  /** Every host that an earlier life of this worker left behind, alive or dead. */
  attach(): Promise<readonly FoundHost[]>;
  /**
   * Gives a host that has run nothing yet to a cluster. Whoever attaches later finds it under its new key: that is
   * recorded before this returns. Null where it cannot be given, because something of this key is there.
   */
  give(
    connection: HostConnection,
    to: Pick<ClusterAssignment, 'hostKey' | 'clusterId'>,
  ): HostConnection | null;
  /** Writes into the journals of dead hosts of this key that the ends of these attempts are durable elsewhere. */
  acknowledge(hostKey: string, attempts: readonly AttemptRef[]): void;
  /** What a dead host left behind has been dealt with. */
  forget(hostKey: string): void;
  /** At once and by force; `died` tells when it is proven. */
  destroy(connection: HostConnection): void;
  /** Resolves on proof of death. */
  stop(connection: HostConnection, options: { readonly graceMs: number }): Promise<void>;
}
