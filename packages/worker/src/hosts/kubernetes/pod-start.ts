/** From a Pod that was asked for to a host that greets, or to the reason why there is none. */
import type { V1Pod } from '@kubernetes/client-node';
import type { ClusterAssignment } from '../../ports.ts';
import { HostStartError } from '../start-errors.ts';
import { type PodRecord, readStartFailure } from './host-folder.ts';
import { hostPort } from './pod-manifest.ts';
import { explainGone, type PendingReason, readPodState } from './pod-state.ts';
import type { PodStream } from './pod-stream.ts';
import type { PodIdentity, PodTracker } from './pod-tracker.ts';

export interface StartTimes {
  /** Until it runs on a node: nodes that are added first take minutes, and so does an image that nobody has pulled. */
  readonly pendingMsMax: number;
  /** For what seldom passes by itself, as an image that cannot be pulled. */
  readonly slowMsMax: number;
  /** From a Pod that runs to a host that greets, init scripts not counted. */
  readonly greetMsMax: number;
}

export const startTimesDefault: StartTimes = {
  pendingMsMax: 15 * 60_000,
  slowMsMax: 60_000,
  greetMsMax: 60_000,
};
const lookEveryMs = 100;
const tellEveryMs = 5_000;

export interface PodStartOptions {
  readonly record: PodRecord;
  readonly folder: string;
  readonly cluster: ClusterAssignment;
  readonly tracker: PodTracker;
  readonly open: (address: string) => Promise<PodStream>;
  readonly times: StartTimes;
  readonly signal: AbortSignal | undefined;
  readonly tell: ((message: string) => void) | undefined;
}

export async function awaitPodHost(options: PodStartOptions): Promise<PodStream> {
  const { record, folder, cluster, tracker, open, times, signal } = options;
  let pod: V1Pod | null | undefined;
  const unfollow = tracker.follow(record, (seen) => {
    pod = seen;
  });
  const greetMsMax = times.greetMsMax + (cluster.initScripts?.timeoutMs ?? 0);
  const since = createStages();
  const tell = createTeller(options.tell);
  try {
    for (;;) {
      signal?.throwIfAborted();
      const state = pod && readPodState(pod);
      if (pod === null) throw new HostStartError('START_FAILURE', explainGone(record.name, null));
      if (state?.kind === 'dead')
        throw readStartFailure(folder) ?? new HostStartError('START_FAILURE', state.message);
      if (state?.kind === 'running') {
        const stream = await open(state.address).catch(() => null);
        if (stream !== null) return stream;
        if (since('greet') > greetMsMax) throw silent(record, state.address, greetMsMax);
      } else {
        const reason = state?.kind === 'pending' ? state.reason : unseen;
        tell(reason.message);
        refuseWhenOver(record, reason, { pendingMs: since('pending'), slowMs: since(reason.outlook), times });
      }
      await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
    }
  } finally {
    unfollow();
  }
}

/** News only, and not each time that a scheduler counts its nodes anew. */
function createTeller(tell: PodStartOptions['tell']): (message: string) => void {
  let told = unseen.message;
  let toldAtMs = Number.NEGATIVE_INFINITY;
  return (message) => {
    if (message === told || performance.now() - toldAtMs < tellEveryMs) return;
    told = message;
    toldAtMs = performance.now();
    tell?.(message);
  };
}

/** Resolves when it is proven. */
export function awaitPodEnd(tracker: PodTracker, identity: PodIdentity): Promise<void> {
  return new Promise((resolve) => {
    const unfollow = tracker.follow(identity, (pod) => {
      if (pod !== null && readPodState(pod).kind !== 'dead') return;
      unfollow();
      resolve();
    });
  });
}

const unseen: PendingReason = {
  message: 'nothing was heard of its Pod',
  code: 'START_FAILURE',
  outlook: 'good',
};

function refuseWhenOver(
  { name }: PodRecord,
  reason: PendingReason,
  {
    pendingMs,
    slowMs,
    times,
  }: { readonly pendingMs: number; readonly slowMs: number; readonly times: StartTimes },
): void {
  const { message, code, outlook } = reason;
  const isOver = outlook === 'none' || (outlook === 'slow' && slowMs > times.slowMsMax);
  if (isOver) throw new HostStartError(code, `Pod ${name} cannot start: ${message}`);
  if (pendingMs <= times.pendingMsMax) return;
  throw new HostStartError(
    code,
    `Pod ${name} did not start within ${times.pendingMsMax / 1000} s: ${message}`,
  );
}

function silent({ name }: PodRecord, address: string, greetMsMax: number): HostStartError {
  return new HostStartError(
    'START_FAILURE',
    `the host in Pod ${name} did not answer at ${address}:${hostPort} within ${greetMsMax / 1000} s: is there a network policy between the two, or an image of another release?`,
  );
}

/** How long the stage that is named has lasted without a break, by the monotonic clock. */
function createStages(): (stage: string) => number {
  const begun = new Map<string, number>();
  return (stage) => {
    const nowMs = performance.now();
    // Pending is what the other stages are part of.
    for (const other of begun.keys()) if (other !== stage && other !== 'pending') begun.delete(other);
    if (!begun.has(stage)) begun.set(stage, nowMs);
    return nowMs - (begun.get(stage) ?? nowMs);
  };
}
