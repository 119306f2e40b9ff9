/**
 * Calls attempts lost whose remote worker has let its lease run out. Local workers are never lost by time: their
 * hosts are on this machine, and their death can be proven. The clock is the database's alone.
 */
import type { AttemptId } from '@headrace/core';
import type { Loop } from '../loops/driver.ts';
import type { RunAdvancer } from '../runs/advance-run.ts';
import type { Services } from '../services.ts';
import { leaseMs as leaseMsDefault } from './attempt-source.ts';
import { type DbNow, databaseNow, extendLeases, findLostAttempts } from './store.ts';

/** Turns within a lease: a loss is noticed this much of a lease late. */
const turnsPerLease = 6;
/** A turn takes no more; the next one follows at once. */
const lostPerTurnMax = 200;
/** After as many turns missed we, or the database, were away: workers could not renew, so silence says nothing yet. */
const missedTurnsMax = 3;

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
  return {
    name: leaseLoopName,
    everyMs,
    async turn() {
      const wasAway = lastTurnAtMs === null || elapsedMs() - lastTurnAtMs > missedTurnsMax * everyMs;
      if (wasAway) await extendLeases(db, { dbNow, leaseMs });
      const lost = await findLostAttempts(db, { dbNow, limit: lostPerTurnMax });
      await Promise.all(
        lost.map(({ attemptId, epoch, run_id, state, worker_id }) => {
          options.onLost?.();
          log.warn(
            { run_id, attempt: attemptId, worker: worker_id },
            'the lease has run out: the attempt is lost',
          );
          const message = `worker ${worker_id} has not been heard of`;
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
