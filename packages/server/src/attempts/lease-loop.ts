/**
 * Calls attempts lost whose remote worker has let its lease run out. Local workers are never lost by time: their
 * hosts are on this machine, and their death can be proven. The clock is the database's alone.
 */
import type { AttemptId } from '@headrace/core';
import type { Loop } from '../loops/driver.ts';
import type { RunAdvancer } from '../runs/advance-run.ts';
import type { Services } from '../services.ts';
import { leaseMs } from './attempt-source.ts';
import { type DbNow, databaseNow, extendLeases, findLostAttempts } from './store.ts';

const everyMs = 10_000;
/** A turn takes no more; the next one follows at once. */
const lostPerTurnMax = 200;
/** We, or the database, were away: workers could not renew, so silence says nothing yet. */
const awayMs = 3 * everyMs;

export const leaseLoopName = 'lease';

export function createLeaseLoop(
  options: Pick<Services, 'db' | 'log'> & {
    readonly advancer: RunAdvancer;
    readonly dbNow?: DbNow;
    /** Monotonic milliseconds. */
    readonly elapsedMs: () => number;
  },
): Loop {
  const { db, log, advancer, elapsedMs } = options;
  const dbNow = options.dbNow ?? databaseNow;
  let lastTurnAtMs: number | null = null;
  return {
    name: leaseLoopName,
    everyMs,
    async turn() {
      const wasAway = lastTurnAtMs === null || elapsedMs() - lastTurnAtMs > awayMs;
      if (wasAway) await extendLeases(db, { dbNow, leaseMs });
      const lost = await findLostAttempts(db, { dbNow, limit: lostPerTurnMax });
      await Promise.all(
        lost.map(({ attemptId, epoch, run_id, state, worker_id }) => {
          log.warn(
            { run_id, attempt: attemptId, worker: worker_id },
            'the lease has run out: the attempt is lost',
          );
          const message = `worker ${worker_id} has not been heard of`;
          // Without proof of start no user line ran; the remote host ends what it holds on its own timer.
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
