/**
 * Whether silence says anything. While this process or the store was away workers could not renew their leases, and a
 * clock of the store that was set forward ends all of them at once: whoever judges by leases asks here first.
 */

/** After as many turns missed we, or the store, were away. */
const missedTurnsMax = 3;
/**
 * The store's clock went forward by such a part of a lease more than ours: it was set, or this machine slept. Less than
 * what lies between the moment at which a worker has ended everything and the end of its lease.
 */
const stepsPerLease = 30;

interface Moment {
  readonly nowMs: number;
  readonly askedAtMs: number;
}

export interface AbsenceWatch {
  /** The store's clock, and whether every lease is to get a full period before any may run out. */
  look(): Promise<{ readonly nowMs: number; readonly wasAway: boolean }>;
  /** What follows from the last look is done: until then the next one sees the same absence. */
  settle(): void;
  /** The turn has ended without an error. */
  endTurn(): void;
}

export function createAbsenceWatch(options: {
  /** By the clock that leases are kept by. */
  readonly readNowMs: () => Promise<number>;
  /** Monotonic. */
  readonly elapsedMs: () => number;
  readonly everyMs: number;
  readonly leaseMs: number;
}): AbsenceWatch {
  const { readNowMs, elapsedMs, everyMs, leaseMs } = options;
  let lastTurnAtMs: number | null = null;
  let settled: Moment = { nowMs: 0, askedAtMs: 0 };
  let looked: Moment = settled;
  return {
    async look() {
      const askedAtMs = elapsedMs();
      const hasMissedTurns = lastTurnAtMs === null || askedAtMs - lastTurnAtMs > missedTurnsMax * everyMs;
      const nowMs = await readNowMs();
      const passedMs = elapsedMs() - settled.askedAtMs;
      const hasStepped = nowMs - settled.nowMs > passedMs + leaseMs / stepsPerLease;
      looked = { nowMs, askedAtMs };
      return { nowMs, wasAway: hasMissedTurns || hasStepped };
    },
    settle() {
      settled = looked;
    },
    endTurn() {
      lastTurnAtMs = elapsedMs();
    },
  };
}
