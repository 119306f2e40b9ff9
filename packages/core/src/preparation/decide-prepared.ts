/** Which hosts wait for jobs that are expected, within a memory budget. */

/** A host that a job will want. */
export interface PreparedWish {
  readonly jobId: number;
  /** When the job is expected at the earliest. */
  readonly fromMs: number;
  /** The run has begun: what waits for it may still be taken, and nothing is started any more. */
  readonly isMet: boolean;
  /** What the host is started with, in a few letters. */
  readonly profile: string;
  readonly memoryMb: number;
}

/** One that a worker told of. */
export interface PreparedHost {
  readonly hostKey: string;
  readonly profile: string;
  readonly state: 'starting' | 'running' | 'stopping';
  /** Its driver is ready, or will not be. */
  readonly isSettled: boolean;
}

export interface PreparedDecision<Wish> {
  readonly stop: readonly string[];
  /** At most one at a time: a JVM that starts takes a processor for seconds. */
  readonly start: Wish | null;
  /** Those that the budget has no room for. */
  readonly refused: readonly Wish[];
}

/**
 * Wishes are served in the order in which their jobs are expected, those whose run has begun last. Nothing starts while
 * a host that is to go is there or another one starts, so what waits never takes more than the budget.
 */
export function decidePrepared<Wish extends PreparedWish>(
  wishes: readonly Wish[],
  hosts: readonly PreparedHost[],
  budgetMb: number,
): PreparedDecision<Wish> {
  const waiting = hosts.filter(({ state }) => state !== 'stopping');
  const kept = new Set<string>();
  const missing: Wish[] = [];
  const refused: Wish[] = [];
  let roomMb = budgetMb;
  for (const wish of [...wishes].sort(byUrgency)) {
    const host = waiting.find(({ hostKey, profile }) => profile === wish.profile && !kept.has(hostKey));
    if (host === undefined && wish.isMet) continue;
    if (wish.memoryMb > roomMb) {
      refused.push(wish);
      continue;
    }
    roomMb -= wish.memoryMb;
    if (host === undefined) missing.push(wish);
    else kept.add(host.hostKey);
  }
  const stop = waiting.filter(({ hostKey }) => !kept.has(hostKey)).map(({ hostKey }) => hostKey);
  const isQuiet = hosts.every(({ hostKey, isSettled }) => kept.has(hostKey) && isSettled);
  return { stop, start: isQuiet ? (missing[0] ?? null) : null, refused };
}

/** Of two wishes, the one that is served first. */
export function byUrgency(a: PreparedWish, b: PreparedWish): number {
  return Number(a.isMet) - Number(b.isMet) || a.fromMs - b.fromMs || a.jobId - b.jobId;
}
