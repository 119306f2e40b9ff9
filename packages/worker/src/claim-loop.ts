/**
 * Takes attempts while slots are free. What is offered is set up while its claim commits; only what the claim
 * then returns may run.
 */
import type { HostPool } from './host-pool.ts';
import { fieldsOf } from './log.ts';
import type { AttemptRef, AttemptSource, ClaimedAttempt, WorkKind } from './ports.ts';
import {
  createSupervised,
  dropAttempt,
  prepareAttempt,
  type SuperviseDependencies,
  type Supervised,
} from './supervise.ts';
import { waitBackingOff } from './wait.ts';

export interface ClaimLoopOptions extends SuperviseDependencies {
  readonly source: AttemptSource;
  readonly workerId: string;
  readonly work: WorkKind;
  readonly freeSlots: () => number;
  readonly held: () => readonly AttemptRef[];
  /** The claim is durable: supervise it from now on. */
  readonly take: (supervised: Supervised) => void;
  readonly signal: AbortSignal;
}

export async function claimAttempts(options: ClaimLoopOptions): Promise<void> {
  const { source, workerId, work, freeSlots, held, signal, log } = options;
  const prepared = new Map<number, Supervised>();
  const dropAll = () => {
    for (const supervised of prepared.values()) dropAttempt(supervised);
    prepared.clear();
  };
  const prepare = (attempts: readonly ClaimedAttempt[]) => {
    for (const attempt of attempts) prepareClaimed(attempt, options, prepared);
  };
  for (let failures = 0; !signal.aborted; ) {
    try {
      const claimed = await source.claim({ workerId, work, freeSlots, held, prepare, signal });
      for (const attempt of claimed) {
        const supervised = takePrepared(attempt, prepared);
        options.take(supervised);
      }
      dropAll();
      failures = 0;
    } catch (error) {
      dropAll();
      if (signal.aborted) break;
      failures += 1;
      log.warn({ loop: 'claim', work, err: error }, 'cannot claim attempts; trying again');
      await waitBackingOff(failures, signal);
    }
  }
  dropAll();
}

function prepareClaimed(
  attempt: ClaimedAttempt,
  options: ClaimLoopOptions,
  prepared: Map<number, Supervised>,
): void {
  const host = pickHost(options.pool, attempt);
  if (host === null || prepared.has(attempt.attemptId)) return;
  const supervised = createSupervised(attempt);
  try {
    prepareAttempt(supervised, host, options);
  } catch (error) {
    // Thrown on, it would keep the claims of all others from being saved. Met again, and reported, once it is claimed.
    options.log.warn({ ...fieldsOf(attempt), err: error }, 'an attempt cannot be prepared');
    return;
  }
  prepared.set(attempt.attemptId, supervised);
}

/** A host that is not there yet is started meanwhile; should the claim fail, it ends when idle. */
function pickHost(pool: HostPool, attempt: ClaimedAttempt) {
  const host = pool.ready(attempt.cluster.hostKey);
  // The failure is met again, and reported, by the attempt that needs the host.
  if (host === null) pool.acquire(attempt.cluster).catch(() => undefined);
  return host;
}

function takePrepared(attempt: ClaimedAttempt, prepared: Map<number, Supervised>): Supervised {
  const supervised = prepared.get(attempt.attemptId);
  if (supervised === undefined) return createSupervised(attempt);
  prepared.delete(attempt.attemptId);
  if (supervised.attempt.epoch === attempt.epoch) return supervised;
  dropAttempt(supervised);
  return createSupervised(attempt);
}
