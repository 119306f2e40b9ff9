/** A worker on its own, from signing on to signing off. */
import os from 'node:os';
import type { ApiError } from '@headrace/api';
import type { HostBackend } from '../hosts/host-backend.ts';
import type { WorkerLog } from '../log.ts';
import { startWorker, type Worker } from '../worker.ts';
import type { ServerPlace } from './data-root.ts';
import { createGuard } from './guard-process.ts';
import { HttpSource } from './http-source.ts';
import { monotonicMs } from './monotonic.ts';
import type { RemoteWorkerSettings } from './settings.ts';
import type { WorkerState } from './worker-state.ts';

export interface RemoteWorkerOptions {
  readonly settings: RemoteWorkerSettings;
  readonly state: WorkerState;
  readonly version: string;
  readonly log: WorkerLog;
  readonly clock: { nowMs(): number };
  readonly random: () => number;
  readonly openBackend: (place: ServerPlace) => HostBackend;
  /** For people: what it is doing. */
  readonly say: (sentence: string) => void;
  /** Finish what runs, take nothing new. */
  readonly drain: AbortSignal;
  /** Leave at once: what runs is for the next process in this state folder, or for the guard. */
  readonly leave: AbortSignal;
}

export type RemoteWorkerEnd =
  | { readonly kind: 'signed_off' }
  | { readonly kind: 'left'; readonly running: number }
  | { readonly kind: 'refused'; readonly error: ApiError };

export async function runRemoteWorker(options: RemoteWorkerOptions): Promise<RemoteWorkerEnd> {
  const { settings, state, log, say, drain, leave } = options;
  const guard = createGuard(state, log);
  const refused = Promise.withResolvers<ApiError>();
  const source = openSource(options, {
    onRenewed: settings.backend === 'local' ? guard.renewed : () => {},
    onSignedOn: state.signedOn,
    onRefused: refused.resolve,
    signal: leave,
  });
  // A drain that comes before it has signed on leaves nothing to drain.
  const place = await Promise.race([source.connect(), rejectOnAbort(drain)]);
  const worker = await startWorker({
    source,
    backend: options.openBackend(place),
    workerId: state.workerId,
    dataRoot: place.dataRoot,
    spare: null,
    ...{ slots: settings.slots, clock: options.clock, log, stopGraceMs: settings.stopGraceMs },
  });
  const lease = `a lease of ${(source.times?.leaseMs ?? 0) / 1000} s`;
  say(`worker ${state.workerId} is signed on at ${source.server}: ${settings.slots} slots, ${lease}`);
  const first = await Promise.race([
    refused.promise,
    abortOf(drain).then(() => 'drain' as const),
    abortOf(leave).then(() => 'leave' as const),
  ]);
  if (first === 'drain') await drainWorker(worker, options);
  else if (first !== 'leave') await worker.endAll(`the server refused the worker: ${first.message}`);
  const running = worker.running();
  await worker.stop();
  if (typeof first !== 'string') return { kind: 'refused', error: first };
  if (running > 0 || leave.aborted) return { kind: 'left', running };
  await source.signOff().catch((error: unknown) => log.warn({ err: error }, 'cannot sign off'));
  source.close();
  guard.end();
  return { kind: 'signed_off' };
}

async function drainWorker(worker: Worker, options: RemoteWorkerOptions): Promise<void> {
  const { settings, say, leave } = options;
  const running = worker.running();
  if (running > 0)
    say(`waiting up to ${settings.drainMs / 1000} s for ${running} running; a second signal leaves them`);
  await worker.drain(AbortSignal.any([leave, AbortSignal.timeout(settings.drainMs)]));
  if (leave.aborted || worker.running() === 0) return;
  say(`ending ${worker.running()} that did not end by themselves`);
  await Promise.race([worker.endAll('the worker was shut down while the task ran'), abortOf(leave)]);
}

function openSource(
  { settings, state, version, log, clock, random }: RemoteWorkerOptions,
  hooks: Pick<
    ConstructorParameters<typeof HttpSource>[0],
    'onRenewed' | 'onSignedOn' | 'onRefused' | 'signal'
  >,
): HttpSource {
  const { servers, token, labels, dataRoot, stopGraceMs } = settings;
  const { workerId, instanceId, previousInstanceIds } = state;
  return new HttpSource({
    ...{ servers, token, labels, dataRoot, stopGraceMs, workerId, instanceId, previousInstanceIds },
    ...{ version, log, clock, random, elapsedMs: monotonicMs },
    host: {
      hostname: os.hostname().slice(0, 255),
      pid: process.pid,
      platform: `${os.platform()}-${os.arch()}`,
      cpus: os.availableParallelism(),
      memory_bytes: os.totalmem(),
      version,
    },
    ...hooks,
  });
}

export class DrainedEarly extends Error {}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return abortOf(signal).then(() => {
    throw new DrainedEarly('stopped before it was signed on');
  });
}

function abortOf(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
