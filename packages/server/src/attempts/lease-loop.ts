/**
 * Calls attempts lost whose remote worker has let its lease run out. Local workers are never lost by time: their
 * hosts are on this machine, and their death can be proven. The clock is the database's alone.
 */
import type { AttemptId } from '@headrace/core';
import type { Loop } from '../loops/driver.ts';
import type { RunAdvancer } from '../runs/advance-run.ts';
import type { Services } from '../services.ts';
import { leaseMs as leaseMsDefault } from './attempt-source.ts';
import { type DbNow, databaseNow, extendLeases, findLostAttempts, readDbNow } from './store.ts';

/** Turns within a lease: a loss is noticed this much of a lease late. */
const turnsPerLease = 6;
/** A turn takes no more; the next one follows at once. */
const lostPerTurnMax = 200;
/** After as many turns missed we, or the database, were away: workers could not renew, so silence says nothing yet. */
const missedTurnsMax = 3;
/**
 * The database's clock went forward by such a part of a lease more than ours: it was set, or this machine slept. Less
 * than what lies between the moment at which a worker has ended everything and the end of its lease.
 */
const stepsPerLease = 30;

export const leaseLoopName = 'lease';

export function createLeaseLoop(
  options: Pick<Services, 'db' | 'log'> & {
    readonly advancer: RunAdvancer;
    readonly dbNow?: DbNow;
    /** Of remote workers. */
    readonly leaseMs?: number;
    /** Monotonic milliseconds. */
    readonly elapsedMs: () => number;
    readonly onLost?: () => void;
  },
): Loop {
  const { db, log, advancer, elapsedMs } = options;
  const dbNow = options.dbNow ?? databaseNow;
  const leaseMs = options.leaseMs ?? leaseMsDefault;
  const everyMs = Math.ceil(leaseMs / turnsPerLease);
  let lastTurnAtMs: number | null = null;
  let lastSeen = { nowMs: 0, askedAtMs: 0 };
  return {
    name: leaseLoopName,
    everyMs,
    async turn() {
      const askedAtMs = elapsedMs();
      const wasAway = lastTurnAtMs === null || askedAtMs - lastTurnAtMs > missedTurnsMax * everyMs;
      const nowMs = await readDbNow(db, dbNow);
      const passedMs = elapsedMs() - lastSeen.askedAtMs;
      const hasStepped = nowMs - lastSeen.nowMs > passedMs + leaseMs / stepsPerLease;
      if (wasAway || hasStepped) await extendLeases(db, { dbNow, leaseMs });
      // Not before they are extended: should that fail, the next turn sees the same step.
      lastSeen = { nowMs, askedAtMs };
      const lost = await findLostAttempts(db, { nowMs, limit: lostPerTurnMax });
      await Promise.all(
        lost.map(({ attemptId, epoch, run_id, state, worker_id }) => {
          options.onLost?.();
          log.warn(
            { run_id, attempt: attemptId, worker: worker_id },
            'the lease has run out: the attempt is lost',
          );
          const message = describeSilence(worker_id, leaseMs);
          // A remote worker asks before user code begins, so what is not marked as started has not; what has, it ends
          // on its own timer before the lease does.
          const event = {
            kind: 'attempt_lost',
            attemptId: attemptId as AttemptId,
            epoch,
            beforeUserCode: state === 'claimed',
            message,
          } as const;
          return advancer.tell(run_id, [{ event }]);
        }),
      );
      lastTurnAtMs = elapsedMs();
      return lost.length === lostPerTurnMax ? 'again' : 'idle';
    },
  };
}

/** For the owner of the task. The worker has ended it by its own clock, or was not there to. */
function describeSilence(workerId: string, leaseMs: number): string {
  const lease = `longer than its lease of ${Math.round(leaseMs / 1000)} s`;
  return `Worker ${workerId} was not heard of for ${lease}: its machine is down, frozen or cut off. The task was ended with it. A retry, or a repair of the run, begins on another worker.`;
}
