/**
 * What follows for an all-purpose cluster from what is wanted of it and how its hosts are. Level-triggered: asked again
 * with the same facts it says the same, so nothing is lost with a process.
 *
 *   PENDING ──own host runs──▶ RUNNING ──restart, edit, its host or worker gone──▶ RESTARTING ──▶ RUNNING
 *      │                          ├──resize, once nothing runs on it──▶ RESIZING ──▶ RUNNING
 *      └──start failed──┐         └──terminate, idle for long, dies again and again──┐
 *                       ▼                                                            ▼
 *                  TERMINATING ──────────────no host is left────────────────▶ TERMINATED ──start──▶ PENDING
 */

export type AllPurposeState =
  | 'PENDING'
  | 'RUNNING'
  | 'RESTARTING'
  | 'RESIZING'
  | 'TERMINATING'
  | 'TERMINATED';

export interface ClusterHost {
  readonly hostKey: string;
  readonly workerId: string;
  readonly state: 'starting' | 'running' | 'stopped' | 'failed';
  /** Whether its worker is heard of. */
  readonly isWorkerThere: boolean;
  readonly message: string;
  /** Only where it failed before it ran. */
  readonly failureCode: string | null;
}

export interface ClusterFacts {
  readonly state: AllPurposeState;
  readonly wanted: 'running' | 'terminated';
  readonly generation: number;
  /** Where its own host is to be; null until a worker was found. */
  readonly workerId: string | null;
  readonly isWorkerThere: boolean;
  /** Of the owner, in this generation. Others that run tasks on it have hosts of their own. */
  readonly ownHostKey: string;
  readonly hosts: readonly ClusterHost[];
  readonly isBusy: boolean;
  /** Its hosts have another size than is wanted by now. */
  readonly isResizeDue: boolean;
  readonly activeAtMs: number;
  /** Null: it stays until somebody terminates it. */
  readonly autoterminationMs: number | null;
  /** How often its host came to an end by itself not long ago. */
  readonly recentRecoveries: number;
  /** A worker with room for it; null when there is none. */
  readonly freeWorkerId: string | null;
}

export interface Termination {
  readonly code: string;
  readonly type: 'SUCCESS' | 'CLIENT_ERROR' | 'SERVICE_FAULT' | 'CLOUD_FAILURE';
  readonly parameters: Readonly<Record<string, string>>;
}

export interface ClusterNews {
  readonly type: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** What changes; what is left out stays. */
export interface ClusterMove {
  readonly state?: AllPurposeState;
  readonly wanted?: 'terminated';
  readonly generation?: number;
  readonly workerId?: string;
  readonly termination?: Termination;
  readonly message?: string;
  readonly news: readonly ClusterNews[];
}

/** A driver that dies more often within the recovery window has a cause that no restart mends. */
export const recoveriesMax = 3;
export const recoveryWindowMs = 10 * 60_000;
const minuteMs = 60_000;

/** Null when nothing changes. */
export function decideCluster(facts: ClusterFacts, nowMs: number): ClusterMove | null {
  if (facts.wanted === 'terminated') return decideTerminated(facts);
  const { activeAtMs, autoterminationMs } = facts;
  const idleMs = nowMs - activeAtMs;
  if (facts.state === 'RUNNING' && autoterminationMs !== null && !facts.isBusy && idleMs >= autoterminationMs)
    return terminate({
      code: 'INACTIVITY',
      type: 'SUCCESS',
      parameters: { inactivity_duration_min: String(Math.floor(autoterminationMs / minuteMs)) },
    });
  if (facts.workerId === null || !facts.isWorkerThere) return decidePlace(facts);
  if (facts.state === 'RUNNING' && facts.isResizeDue && !facts.isBusy) return resize(facts);
  return decideRunning(facts);
}

function decideTerminated({ state, hosts }: ClusterFacts): ClusterMove | null {
  const next = hosts.some(isThere) ? 'TERMINATING' : 'TERMINATED';
  return state === next ? null : { state: next, news: [] };
}

/** What a worker that is gone left behind belongs to an earlier generation: it goes when the worker comes back. */
function decidePlace(facts: ClusterFacts): ClusterMove | null {
  const { workerId, freeWorkerId, state, generation } = facts;
  const isRunning = state === 'RUNNING';
  const news: ClusterNews[] = [];
  if (isRunning)
    news.push({
      type: 'NODES_LOST',
      details: { driver_state_message: `worker ${workerId} is not heard of` },
    });
  const begun = isRunning ? ({ state: 'RESTARTING' } as const) : {};
  if (freeWorkerId === null) {
    const message = 'no worker is there to run it';
    return isRunning ? { ...begun, message, news } : null;
  }
  return {
    ...begun,
    workerId: freeWorkerId,
    ...(workerId === null ? {} : { generation: generation + 1 }),
    message: `its host starts on worker ${freeWorkerId}`,
    news,
  };
}

function decideRunning(facts: ClusterFacts): ClusterMove | null {
  const { state, hosts, ownHostKey, workerId } = facts;
  const own = hosts.find((host) => host.hostKey === ownHostKey && host.workerId === workerId);
  switch (own?.state) {
    case 'running':
      return state === 'RUNNING' ? null : begin(facts);
    case 'starting':
      return null;
    case 'failed':
      return own.failureCode === null ? recover(facts, own) : giveUp(own.failureCode, own.message);
    case 'stopped':
    case undefined:
      if (state !== 'RUNNING') return null;
      return {
        state: 'RESTARTING',
        message: 'its host was stopped, and starts again',
        news: [{ type: 'RESTARTING', details: { cause: 'AUTORECOVERY' } }],
      };
  }
}

/** No task is ended for it: it waits until none is there. */
function resize({ generation }: ClusterFacts): ClusterMove {
  const message = 'nothing runs on it any more: a host of the new size takes the place of the old one';
  return {
    state: 'RESIZING',
    generation: generation + 1,
    message,
    news: [{ type: 'RESIZING', details: { cause: 'USER_REQUEST', driver_state_message: message } }],
  };
}

function begin({ state }: ClusterFacts): ClusterMove {
  const resized = state === 'RESIZING' ? [{ type: 'UPSIZE_COMPLETED', details: {} }] : [];
  return { state: 'RUNNING', message: '', news: [...resized, { type: 'RUNNING', details: {} }] };
}

function recover({ generation, recentRecoveries }: ClusterFacts, { message }: ClusterHost): ClusterMove {
  const told = { type: 'DRIVER_UNAVAILABLE', details: { driver_state_message: message } };
  if (recentRecoveries >= recoveriesMax) {
    const parameters = { driver_state_message: message, restarts: String(recentRecoveries) };
    const ended = terminate({ code: 'DRIVER_UNEXPECTED_FAILURE', type: 'SERVICE_FAULT', parameters });
    return { ...ended, news: [told, ...ended.news] };
  }
  return {
    state: 'RESTARTING',
    generation: generation + 1,
    message,
    news: [told, { type: 'RESTARTING', details: { cause: 'AUTORECOVERY' } }],
  };
}

function giveUp(failureCode: string, message: string): ClusterMove {
  if (failureCode === 'INIT_SCRIPT_FAILURE') {
    const parameters = { error_message: message };
    const ended = terminate({ code: 'INIT_SCRIPT_FAILURE', type: 'CLIENT_ERROR', parameters }, message);
    return {
      ...ended,
      news: [{ type: 'INIT_SCRIPTS_FINISHED', details: { error: message } }, ...ended.news],
    };
  }
  const parameters = { error_message: message };
  return terminate({ ...(reasons[failureCode] ?? unreachable), parameters }, message);
}

const unreachable = { code: 'DRIVER_UNREACHABLE', type: 'SERVICE_FAULT' } as const;
/** Under the names that clients of the hosted product know. */
const reasons: Readonly<Record<string, Pick<Termination, 'code' | 'type'>>> = {
  IMAGE_FAILURE: { code: 'DOCKER_IMAGE_PULL_FAILURE', type: 'CLIENT_ERROR' },
  NO_CAPACITY: { code: 'CLOUD_PROVIDER_RESOURCE_STOCKOUT', type: 'CLOUD_FAILURE' },
};

function terminate(termination: Termination, message = ''): ClusterMove {
  return {
    wanted: 'terminated',
    state: 'TERMINATING',
    termination,
    message,
    news: [{ type: 'TERMINATING', details: { reason: termination } }],
  };
}

function isThere({ state, isWorkerThere }: ClusterHost): boolean {
  return isWorkerThere && (state === 'starting' || state === 'running');
}
