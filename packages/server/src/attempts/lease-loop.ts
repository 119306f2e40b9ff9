/**
 * Calls attempts lost whose remote worker has let its lease run out. Local workers are never lost by time: their
 * hosts are on this machine, and their death can be proven. The clock is the database's alone.
 */
import type { AttemptId } from '@headrace/core';
import { createAbsenceWatch } from '../db/absence-watch.ts';
import type { Querier } from '../db/connect.ts';
import type { Loop } from '../loops/driver.ts';
import type { RunAdvancer } from '../runs/advance-run.ts';
import { settleAll } from '../runs/settle-all.ts';
import type { Services } from '../services.ts';
import { leaseMs as leaseMsDefault } from './attempt-source.ts';
import { type DbNow, databaseNow, extendLeases, findLostAttempts, readDbNow } from './store.ts';

/** Turns within a lease: a loss is noticed this much of a lease late. */
const turnsPerLease = 6;
/** A turn takes no more; the next one follows at once. */
const lostPerTurnMax = 200;

export const leaseLoopName = 'lease';

/** Now, by the clock that leases are kept by. */
export const readLeaseClock = (db: Querier): Promise<number> => readDbNow(db, databaseNow);

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
  const absence = createAbsenceWatch({ readNowMs: () => readDbNow(db, dbNow), elapsedMs, everyMs, leaseMs });
  return {
    name: leaseLoopName,
    everyMs,
    async turn() {
      const { nowMs, wasAway } = await absence.look();
      if (wasAway) await extendLeases(db, { dbNow, leaseMs });
      absence.settle();
      const lost = await findLostAttempts(db, { nowMs, limit: lostPerTurnMax });
      // One run that cannot be moved is no absence.
      const areAllTold = await settleAll(
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
      absence.endTurn();
      return lost.length === lostPerTurnMax && areAllTold ? 'again' : 'idle';
    },
  };
}

/** For the owner of the task. The worker has ended it by its own clock, or was not there to. */
function describeSilence(workerId: string, leaseMs: number): string {
  const lease = `longer than its lease of ${Math.round(leaseMs / 1000)} s`;
  return `Worker ${workerId} was not heard of for ${lease}: its machine is down, frozen or cut off. The task was ended with it. A retry, or a repair of the run, begins on another worker.`;
}
