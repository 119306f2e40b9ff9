/**
 * One host in a Pod as the worker sees it: a connection that mends itself while the Pod may live, and a death that the
 * cluster has proven (pod-state.ts) before anyone hears of it.
 */
import type { V1Pod } from '@kubernetes/client-node';
import type { HostConnection, HostDeath, HostHello } from '../host-backend.ts';
import { type FromHost, hostProtocolVersion } from '../host-protocol.ts';
import { createStopWatch } from '../local/stop-watch.ts';
import { type PodRecord, readAttempts } from './host-folder.ts';
import { explainGone, explainLostNode, readPodState } from './pod-state.ts';
import { keepStreamOpen, openPodStream, type PodStream } from './pod-stream.ts';
import type { PodTracker } from './pod-tracker.ts';

const buryRetryMs = 2_000;
/** After the grace of a stop: longer than its proofs take on a machine that is overloaded. */
const stopAnswerDefaultMs = 60_000;

export interface PodHostOptions {
  readonly record: PodRecord;
  readonly folder: string;
  readonly workerId: string;
  readonly tracker: PodTracker;
  /** What the host said when it was greeted; null where it could not be reached: then its journal speaks for it. */
  readonly stream: PodStream | null;
  /** Asks for the end of the Pod. */
  readonly end: () => void;
  /** Once, when its death is proven and before that is told. */
  readonly onDeath: (message: string) => void;
  readonly warn: (message: string) => void;
  readonly stopAnswerMs?: number | undefined;
  readonly helloWaitMs?: number | undefined;
}

export function createPodHost(options: PodHostOptions): HostConnection {
  const { record, folder, workerId, end } = options;
  const { promise: died, resolve: provenDead } = Promise.withResolvers<HostDeath>();
  const early: FromHost[] = [];
  let listener = (frame: FromHost): unknown => early.push(frame);
  let isClosed = false;
  const { stopAnswerMs: answerMs = stopAnswerDefaultMs } = options;
  // Whether it answers at all shows when it is greeted again.
  const stops = createStopWatch({
    answerMs,
    onSilent: () => (mended.stream === null ? end() : mended.stream.close()),
  });
  const pod = followPod(options, (message) => {
    if (isClosed) return;
    leave();
    void bury(options, message).then(provenDead);
  });
  const mended = keepStreamOpen({
    first: options.stream,
    open: async () =>
      pod.address === null
        ? null
        : openPodStream({ address: pod.address, folder, workerId, helloWaitMs: options.helloWaitMs }),
    onFrame(frame) {
      stops.heard(frame);
      listener(frame);
    },
    onMended(hello) {
      stops.clear();
      listener(hello);
    },
    // It cannot talk, or is about to die; its Pod tells. What shall end, and cannot be told to, ends with it.
    onFailed: () => stops.isSilent && end(),
  });
  const leave = () => {
    isClosed = true;
    stops.clear();
    pod.unfollow();
    mended.close();
  };

  return {
    hostKey: record.hostKey,
    clusterId: record.clusterId,
    setup: record.setup,
    hello: options.stream?.stream.hello ?? helloOfJournal(folder),
    died,
    send(frames) {
      stops.sent(frames);
      mended.stream?.send(frames);
    },
    listen(hear) {
      listener = hear;
      early.splice(0).forEach(hear);
    },
    close: leave,
  };
}

/** Where the host is, and whether it lives; a node that is silent is told of, once. */
function followPod(
  { record, tracker, warn }: PodHostOptions,
  onDead: (message: string) => void,
): { readonly address: string | null; unfollow(): void } {
  let address: string | null = null;
  let last: V1Pod | null = null;
  let warned: string | null = null;
  const unfollow = tracker.follow(record, (pod) => {
    if (pod === null) return onDead(explainGone(record.name, last));
    last = pod;
    const state = readPodState(pod);
    if (state.kind === 'dead') return onDead(state.message);
    if (state.kind === 'running') address = state.address;
    const lost = explainLostNode(pod) ?? (state.kind === 'unknown' ? state.message : null);
    if (lost !== null && lost !== warned) warn(lost);
    warned = lost;
  });
  return {
    get address() {
      return address;
    },
    unfollow,
  };
}

/** Its attempts wait until the claim can be read. */
async function bury({ record, folder, onDeath, warn }: PodHostOptions, message: string): Promise<HostDeath> {
  for (;;) {
    try {
      const attempts = readAttempts(folder);
      onDeath(message);
      return { message, attempts };
    } catch (error) {
      warn(`the folder of Pod ${record.name} cannot be read yet: ${String(error)}`);
      await new Promise((resolve) => setTimeout(resolve, buryRetryMs));
    }
  }
}

/** Of a host that cannot be reached for now. What it has done since it says itself, when it can be. */
function helloOfJournal(folder: string): HostHello {
  return { op: 'hello', version: hostProtocolVersion, pid: 0, spark: 'none', attempts: readAttempts(folder) };
}
