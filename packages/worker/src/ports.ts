/**
 * The worker's ports: where attempts come from and where their reports go. Over SQL when the worker lives in the
 * server's process, over HTTP when it does not; the worker cannot tell.
 */
import type { AttemptId, AttemptOutcome, JsonValue, RunId, StopReason } from '@headrace/core';
import type { ExecutorChange, SparkState } from './hosts/host-protocol.ts';
import type { HostFailureCode } from './hosts/start-errors.ts';
import type { AttemptDocument } from './protocol.ts';

/** An attempt under the epoch that its holder may write with. */
export interface AttemptRef {
  readonly attemptId: AttemptId;
  readonly epoch: number;
}

/** Which host an attempt runs on: attempts with one `hostKey` share a host. */
export interface ClusterAssignment {
  readonly clusterId: string;
  readonly clusterName: string;
  /** Hash of (run_as, cluster, static conf). */
  readonly hostKey: string;
  readonly sparkConf: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string>>;
  /** How long the host is kept without a live attempt; null keeps it while the worker lives. */
  readonly idleMs: number | null;
  /** Run before the host starts. */
  readonly initScripts?: InitScripts;
  /** Its host counts among those of this pool, and may be one that waits there. */
  readonly pool?: PoolPlace;
  /** For sessions rather than for the host; the server puts it into the documents of attempts. */
  readonly sessionConf?: Readonly<Record<string, string>>;
  /** Those that it is to have where they are processes of their own; without, all of Spark is on the driver. */
  readonly executors?: ExecutorPlan;
  /** What its driver's node type has; without, what the place gives. */
  readonly driver?: NodeSize;
  /** Whose tasks its host runs. */
  readonly ownerId?: number;
  /** Whose rights count for `{{secrets/…}}` above; only where there is such a reference. */
  readonly principalId?: number;
  /** What stands above in the place of references; only where the host starts, and kept out of all that is written. */
  readonly secretValues?: readonly string[];
}

/** One executor for each node that the cluster asks for. */
export interface ExecutorPlan {
  /** Fewer than `max` where it scales. */
  readonly min: number;
  readonly max: number;
  /** Of its node type; null where that is not known. */
  readonly node: NodeSize | null;
}

export interface NodeSize {
  readonly cores: number;
  readonly memoryMb: number;
}

export interface PoolPlace {
  readonly poolId: string;
  readonly name: string;
  /** Of all its hosts on one worker; null: no limit. */
  readonly capacityMax: number | null;
  /** It waits for a cluster, with its driver started. */
  readonly isSpare: boolean;
  /** Why no host waits for the job of this cluster, in the pool of those that wait for jobs. */
  readonly refusal?: string;
}

export interface InitScripts {
  /** In this order; as job settings and people write paths: `/Workspace/…`, `/Volumes/…`, `dbfs:/…`, `file:/…`. */
  readonly paths: readonly string[];
  /** For what they print; written like the paths. */
  readonly logFolder: string;
  /** Of all together. */
  readonly timeoutMs: number;
}

export interface SecretReference {
  readonly scope: string;
  readonly key: string;
}

export interface ClaimedAttempt extends AttemptRef {
  readonly runId: RunId;
  readonly taskKey: string;
  readonly cluster: ClusterAssignment;
  /** Written to `attempt.json` in the attempt's folder. */
  readonly document: AttemptDocument;
}

/** What a worker asks for, each by itself: tasks, for its slots; and SQL endpoints, which take none. */
export const workKinds = ['tasks', 'sql_endpoints'] as const;
export type WorkKind = (typeof workKinds)[number];

export interface ClaimRequest {
  readonly workerId: string;
  /** Tasks where it is left out. */
  readonly work?: WorkKind;
  /** Asked each time an offer is made: how many attempts this worker would take now. */
  readonly freeSlots: () => number;
  /**
   * Called with attempts whose claim is about to be committed, so that they can be set up meanwhile; user code may
   * run only for those that the claim then returns. The others are dropped. Not every source calls it.
   */
  readonly prepare: (attempts: readonly ClaimedAttempt[]) => void;
  /** All that this worker answers for: a source whose answers can be lost gives what is missing again. */
  readonly held?: () => readonly AttemptRef[];
  readonly signal: AbortSignal;
}

export interface ResumedAttempt extends ClaimedAttempt {
  readonly state: 'claimed' | 'running' | 'stopping';
  readonly stopReason: StopReason | null;
}

export interface StopRequest extends AttemptRef {
  readonly reason: StopReason;
}

export type AttemptReport =
  /** Moments are of this machine's clock: whoever passes them on to another tells how long ago they are. */
  | (AttemptRef & { readonly kind: 'started'; readonly startedAtMs: number })
  | (AttemptRef & {
      readonly kind: 'ended';
      readonly outcome: AttemptOutcome;
      readonly taskValues: Readonly<Record<string, JsonValue>>;
      /** `dbutils.notebook.exit` or what the task printed as its result; null when it gave none. */
      readonly exitValue: string | null;
      /** As its host saw it, where one did. */
      readonly endedAtMs?: number;
    })
  | (AttemptRef & { readonly kind: 'lost'; readonly beforeUserCode: boolean; readonly message: string });

export interface HostReport {
  readonly clusterId: string;
  readonly hostKey: string;
  readonly state: 'starting' | 'running' | 'stopped' | 'failed';
  readonly sparkState: SparkState;
  readonly pid: number | null;
  readonly message: string;
  /** Only with `failed`, where it never ran. */
  readonly failureCode?: HostFailureCode;
  /** Only with `running`, when their number has changed. */
  readonly executors?: ExecutorChange;
}

/**
 * A host as it is now, told with each heartbeat: what a report said that was lost is said again. One that failed is
 * told until a heartbeat was answered.
 */
export interface HostStatus extends Omit<HostReport, 'state'> {
  readonly state: 'starting' | 'running' | 'stopping' | 'failed';
}

/** What the server wants of this worker's hosts, compared with those that it told of. */
export interface HostOrders {
  readonly start: readonly ClusterAssignment[];
  readonly stop: readonly HostStop[];
  /** Only to the worker of a server's own process. */
  readonly warm?: readonly HostWarmUp[];
}

/** A host that runs is to have its driver started, which ends again if no task uses it for so long. */
export interface HostWarmUp {
  readonly hostKey: string;
  readonly unusedMs: number;
}

export interface HostStop {
  readonly hostKey: string;
  /** For the attempts that run on it. */
  readonly message: string;
  /** Another takes its place: what has not begun on it goes there. */
  readonly isReplaced: boolean;
  /** Leave it if something runs on it. */
  readonly ifIdle: boolean;
}

/**
 * What a worker on another machine lives by. While it holds, nobody else is given what the worker runs; it lapses, on
 * the worker's own monotonic clock, early enough for the worker to end all of that before the store may call it lost.
 */
export interface WorkerLease {
  holds(): boolean;
  /** How often it lapsed: what was promised before a lapse must not be acted upon after it. */
  readonly lapses: number;
  /**
   * `lapsed`: end what runs. `overdue`: whatever still runs must be gone a moment later, by any means. One listener.
   */
  listen(listener: { readonly lapsed: () => void; readonly overdue: () => void }): void;
}

export interface Heartbeat {
  readonly stop: readonly StopRequest[];
  readonly gone: readonly AttemptRef[];
  readonly orders?: HostOrders;
}

export interface AttemptSource {
  /** Only where workers are lost by time. */
  readonly lease?: WorkerLease;
  /** Makes the worker known and takes back its live attempts, each under a new epoch, in one transaction. */
  register(worker: { workerId: string; slots: number; backend: string }): Promise<readonly ResumedAttempt[]>;
  /** Waits for attempts; returns none when the signal aborts, or when all that was set up has come to nothing. */
  claim(request: ClaimRequest): Promise<readonly ClaimedAttempt[]>;
  /**
   * Renews the lease on `held`; returns as soon as there is something to stop, else after `waitMs`. `gone` are refs
   * that are no longer this worker's: it must kill them and say nothing more about them. `orders` compare `hosts` with
   * what clusters are wanted.
   */
  heartbeat(request: {
    workerId: string;
    held: readonly AttemptRef[];
    hosts?: readonly HostStatus[];
    waitMs: number;
    signal: AbortSignal;
  }): Promise<Heartbeat>;
  /**
   * Asked right before user code begins; of `refs`, those that may still begin. The store knows of it before it does, so
   * that what it does not know of can be dispatched again. Only where workers are lost by time.
   */
  readonly start?: (workerId: string, refs: readonly AttemptRef[]) => Promise<readonly AttemptRef[]>;
  /** Resolves when all are durably recorded (or were no longer this worker's to record). Safe to repeat. */
  report(workerId: string, reports: readonly AttemptReport[]): Promise<void>;
  reportHost(workerId: string, report: HostReport): Promise<void>;
  /** The values, in the order of the references; rejects with a message for people. */
  readonly revealSecrets?: (
    workerId: string,
    asked: { readonly principalId: number; readonly references: readonly SecretReference[] },
  ) => Promise<readonly Uint8Array[]>;
  /** Gives attempts back that were claimed and not started. */
  release(workerId: string, refs: readonly AttemptRef[]): Promise<void>;
}
