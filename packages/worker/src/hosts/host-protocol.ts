/**
 * Worker ↔ host: frames of a 4-byte big-endian length and a UTF-8 JSON text, over a Unix socket (TCP with TLS
 * elsewhere). The host keeps a journal of what it did, so that a worker which comes back reads what it missed.
 *
 *   worker → host   hello, prepare, go, drop, stop, take, ack, warm, ping, shutdown
 *   host → worker   hello, prepared, started, ended, dropped, spark, pong, error
 *
 * An attempt on the host:  (prepare) intended ──► held ──(go)──► started ──► ended ──(ack)──► forgotten
 *                                      └─────────(drop / hold time-out)──► dropped
 */
export const hostProtocolVersion = 2;
/**
 * Hosts outlive an upgrade. One that speaks an older version which stands here is greeted in it, keeps its attempts, and
 * ends when it is idle; any other is ended, and its attempts are lost for that reason.
 *   1   ends are acknowledged without an epoch, and nothing is taken: such a host leaves both unread
 */
export const hostProtocolVersionsSpoken: readonly number[] = [1, hostProtocolVersion];
/** A frame beyond this is a broken peer; attempt documents travel as files, not as frames. */
export const frameBytesMax = 1024 * 1024;

export type ToHost =
  | { readonly op: 'hello'; readonly version: number; readonly worker_id: string }
  /** Journal the intent, fork, let the child read `<folder>/attempt.json` and set itself up, and hold it. */
  | {
      readonly op: 'prepare';
      readonly attempt_id: number;
      readonly epoch: number;
      readonly folder: string;
      readonly log_bytes_max: number;
      /** Hosts before these know no such limits. */
      readonly memory_bytes_max?: number;
      readonly disk_bytes_max?: number;
      readonly cpu_weight?: number;
    }
  | { readonly op: 'go' | 'drop'; readonly attempt_id: number; readonly epoch: number }
  /** Cancel Spark jobs by tag, SIGTERM, `grace_ms`, SIGKILL to the group, prove that nothing is left. */
  | { readonly op: 'stop'; readonly attempt_id: number; readonly epoch: number; readonly grace_ms: number }
  /** A worker that came back leads it from now on, under `owner_epoch`; `epoch` is the one that it was prepared under. */
  | {
      readonly op: 'take';
      readonly attempt_id: number;
      readonly epoch: number;
      readonly owner_epoch: number;
    }
  /** The outcome is durable: forget the attempt, unless it is led under a higher epoch than this one. */
  | { readonly op: 'ack'; readonly attempt_id: number; readonly epoch: number }
  /** Start the Spark driver now, so that the first attempt finds it ready; it ends again if none comes for so long. */
  | { readonly op: 'warm'; readonly unused_ms?: number }
  /** Answered at once, only by hosts that say so when they greet. */
  | { readonly op: 'ping' }
  | { readonly op: 'shutdown'; readonly grace_ms: number };

export type FromHost =
  | {
      readonly op: 'hello';
      readonly version: number;
      readonly pid: number;
      readonly spark: SparkState;
      /** Every attempt the host knows of and has had no `ack` for. */
      readonly attempts: readonly HostedAttempt[];
      /** Hosts of earlier releases do not know `ping`. */
      readonly answers_ping?: boolean;
    }
  | { readonly op: 'prepared'; readonly attempt_id: number; readonly epoch: number; readonly pid: number }
  | {
      readonly op: 'started';
      readonly attempt_id: number;
      readonly epoch: number;
      readonly pid: number;
      readonly at_ms: number;
    }
  | ({ readonly op: 'ended'; readonly attempt_id: number; readonly epoch: number } & HostedEnd)
  | { readonly op: 'dropped'; readonly attempt_id: number; readonly epoch: number }
  | {
      readonly op: 'spark';
      readonly state: SparkState;
      readonly message: string;
      readonly jvm_pid: number | null;
      /** Only when their number has changed. */
      readonly executors?: ExecutorChange;
    }
  | { readonly op: 'error'; readonly message: string };

/** Not for those who lead attempts: the connection itself asks, and hears it. */
export type Pong = { readonly op: 'pong' };

/** Executors of a Spark master, as the driver knows them. */
export interface ExecutorChange {
  readonly master: string;
  readonly running: number;
  /** How many there were. */
  readonly before: number;
  readonly min: number;
  readonly max: number;
}

/**
 * `not_responding`: the driver lives and does not answer its host. `unknown`: the host lives and does not answer its
 * worker, which alone says so.
 */
export type SparkState = 'none' | 'starting' | 'ready' | 'not_responding' | 'failed' | 'unknown';

export interface HostedEnd {
  /** Of the process: an exit code, or null when a signal ended it. */
  readonly exit_code: number | null;
  readonly signal: number | null;
  /** The child wrote its proof of start. */
  readonly started: boolean;
  readonly at_ms: number;
  /** A `stop` was under way, and nothing of the attempt can act any more. */
  readonly stopped: boolean;
  readonly log_truncated: boolean;
  /** Why the Spark driver that the attempt used went away; only when it did. */
  readonly driver_message?: string;
  /** Which limit the host has ended it for; only when it has. */
  readonly limit_message?: string;
  /** Only with SIGKILL: whether the kernel killed for lack of memory while it ran, where it tells. */
  readonly memory_killed?: boolean;
}

export interface HostedAttempt {
  readonly attempt_id: number;
  readonly epoch: number;
  readonly state: 'held' | 'started' | 'ended';
  readonly pid: number | null;
  readonly started_at_ms: number | null;
  /** The epoch that it is led under. Hosts of version 1 do not tell. */
  readonly owner_epoch?: number;
  /** Only with `ended`. */
  readonly end?: HostedEnd;
}
