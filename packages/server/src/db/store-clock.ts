/**
 * The time by PostgreSQL's clock, which all servers of a store share: when a retry is due or a run has taken too long is
 * written by one of them and judged by another, and the clock of a machine may step. Between two looks this process
 * counts by itself, on a clock that never steps.
 */
import type { Loop } from '../loops/driver.ts';
import type { Clock } from '../services.ts';
import type { Querier } from './connect.ts';

export interface StoreClock extends Clock {
  readonly loop: Loop;
}

/** Quartzes part by less than 1 ms in this time; a machine that slept is late by as much at most. */
const everyMs = 10_000;
/** A correction of less than this holds time still instead of turning it back. */
const stillMsMax = 1_000;

export async function startStoreClock(db: Querier, elapsedMs: () => number): Promise<StoreClock> {
  let offsetMs = (await look(db, elapsedMs)).offsetMs;
  let toldMs = 0;
  return {
    nowMs() {
      const nowMs = Math.round(elapsedMs() + offsetMs);
      const isStill = nowMs < toldMs && toldMs - nowMs < stillMsMax;
      if (!isStill) toldMs = nowMs;
      return toldMs;
    },
    loop: {
      name: 'clock',
      everyMs,
      async turn() {
        const seen = await look(db, elapsedMs);
        // Within what the answer's way leaves open nothing is known to be wrong.
        if (Math.abs(seen.offsetMs - offsetMs) > seen.openMs) offsetMs = seen.offsetMs;
        return 'idle';
      },
    },
  };
}

async function look(
  db: Querier,
  elapsedMs: () => number,
): Promise<{ readonly offsetMs: number; readonly openMs: number }> {
  const askedMs = elapsedMs();
  const rows = await db.query<{ now_ms: number }>({
    name: 'read-store-clock',
    text: 'select (extract(epoch from clock_timestamp()) * 1000)::bigint as now_ms',
    values: [],
  });
  const heardMs = elapsedMs();
  const nowMs = rows[0]?.now_ms;
  if (nowMs === undefined) throw new Error('bug: the store does not tell the time');
  return { offsetMs: nowMs - (askedMs + heardMs) / 2, openMs: (heardMs - askedMs) / 2 + 1 };
}
