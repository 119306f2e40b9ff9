/**
 * Renews the leases, tells which hosts there are, and hears what to stop and what to start. The answer comes at once when
 * there is something to do.
 */
import type { HostPool } from './host-pool.ts';
import { fieldsOf, type WorkerLog } from './log.ts';
import type { AttemptRef, AttemptSource, Heartbeat } from './ports.ts';
import type { Supervised } from './supervise.ts';
import { waitBackingOff, waitMs } from './wait.ts';

/** Several beats within any sensible lease, and few enough to be free of cost when idle. */
const heartbeatWaitMs = 5_000;
const stopsKnownWaitMs = 250;

/** A server that is back right before the lease lapses must still be met: what runs is ended otherwise. */
const backOffMaxMs = 500;

export interface HeartbeatLoopOptions {
  readonly source: AttemptSource;
  readonly workerId: string;
  readonly live: ReadonlyMap<number, Supervised>;
  readonly pool: HostPool;
  readonly log: WorkerLog;
  readonly signal: AbortSignal;
}

export function refsOf(live: ReadonlyMap<number, Supervised>): AttemptRef[] {
  return [...live.values()].map(({ attempt: { attemptId, epoch } }) => ({ attemptId, epoch }));
}

export async function keepLeases(options: HeartbeatLoopOptions): Promise<void> {
  const { source, workerId, live, pool, signal, log } = options;
  for (let failures = 0; !signal.aborted; ) {
    try {
      const held = refsOf(live);
      const hosts = pool.describe();
      const answer = await source.heartbeat({ workerId, held, hosts, waitMs: heartbeatWaitMs, signal });
      const { stop, gone, orders } = answer;
      pool.forgetFailures(hosts);
      let news = orders === undefined ? 0 : pool.follow(orders);
      for (const { attemptId, epoch, reason } of stop) {
        const supervised = live.get(attemptId);
        if (supervised?.attempt.epoch !== epoch || supervised.isStopRequested) continue;
        news += 1;
        supervised.events.push({ kind: 'stop', reason });
      }
      for (const { attemptId, epoch } of gone) {
        const supervised = live.get(attemptId);
        // What has ended is gone for the server as soon as its report is recorded.
        if (supervised?.attempt.epoch !== epoch || supervised.phase === 'ended' || supervised.isGone)
          continue;
        news += 1;
        log.warn(
          { loop: 'heartbeat', ...fieldsOf(supervised.attempt), epoch },
          'the attempt is no longer ours; ending it',
        );
        supervised.events.push({ kind: 'gone' });
      }
      failures = 0;
      // Answered at once because of stops that are already under way: don't spin until they are done.
      if (news === 0 && stop.length + gone.length + countOrders(answer) > 0)
        await waitMs(stopsKnownWaitMs, signal);
    } catch (error) {
      if (signal.aborted) return;
      failures += 1;
      log.warn({ loop: 'heartbeat', err: error }, 'cannot renew leases; trying again');
      await waitBackingOff(failures, signal, backOffMaxMs);
    }
  }
}

function countOrders({ orders }: Heartbeat): number {
  return orders === undefined ? 0 : orders.start.length + orders.stop.length;
}
