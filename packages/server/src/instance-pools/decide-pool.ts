/** How many hosts a pool is to keep ready now. */

export interface PoolFacts {
  readonly minIdle: number;
  /** Null: no limit. */
  readonly capacityMax: number | null;
  readonly idleMs: number;
  /** Hosts that clusters have or start. */
  readonly used: number;
  /** The most that clusters had at once, and when. */
  readonly peak: number;
  readonly peakAtMs: number;
}

export interface PoolDecision {
  /** Hosts that wait, in all. */
  readonly idle: number;
  readonly peak: number;
  readonly peakAtMs: number;
}

/**
 * A host that a cluster gives back ends, since it has run somebody's code; a fresh one waits in its place for the idle
 * time, so that the next cluster finds it: as many as clusters had at once within that time.
 */
export function decidePool(facts: PoolFacts, nowMs: number): PoolDecision {
  const { minIdle, capacityMax, idleMs, used, peak, peakAtMs } = facts;
  const isOver = used >= peak || nowMs - peakAtMs >= idleMs;
  const kept = isOver ? used : peak;
  const wanted = Math.max(minIdle, kept - used);
  const room = capacityMax === null ? wanted : Math.max(0, capacityMax - used);
  return { idle: Math.min(wanted, room), peak: kept, peakAtMs: isOver ? nowMs : peakAtMs };
}
