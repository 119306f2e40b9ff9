/**
 * Who waits for attempts, and which attempts wait. Entries may be out of date: whoever takes one asks the run
 * whether the attempt is still queued.
 */
import type { AttemptId, RunId } from '@headrace/core';
import type { ClaimedAttempt } from '@headrace/worker';

export interface WaitingClaimer {
  readonly workerId: string;
  readonly freeSlots: () => number;
  readonly prepare: (attempts: readonly ClaimedAttempt[]) => void;
  /** Called once, after the commit; the claimer no longer waits then. */
  readonly deliver: (attempts: readonly ClaimedAttempt[]) => void;
}

export interface QueuedAttempt {
  readonly runId: RunId;
  readonly attemptId: AttemptId;
}

export class ClaimQueue {
  readonly #claimers = new Set<WaitingClaimer>();
  /** In the order in which they became ready; a Map keeps it. */
  readonly #queued = new Map<AttemptId, QueuedAttempt>();
  /** Set whenever the store may know of queued attempts that this queue does not; true at the start. */
  mayHaveMoreInStore = true;

  addClaimer(claimer: WaitingClaimer): void {
    this.#claimers.add(claimer);
  }

  /** False when it does not wait any more. */
  removeClaimer(claimer: WaitingClaimer): boolean {
    return this.#claimers.delete(claimer);
  }

  /** With the free slots of each, asked now. */
  offers(): { claimer: WaitingClaimer; free: number }[] {
    return [...this.#claimers]
      .map((claimer) => ({ claimer, free: claimer.freeSlots() }))
      .filter(({ free }) => free > 0);
  }

  add(attempt: QueuedAttempt): void {
    if (!this.#queued.has(attempt.attemptId)) this.#queued.set(attempt.attemptId, attempt);
  }

  take(): QueuedAttempt | null {
    const [first] = this.#queued.values();
    if (!first) return null;
    this.#queued.delete(first.attemptId);
    return first;
  }

  get size(): number {
    return this.#queued.size;
  }

  /** Nobody waits. */
  get isIdle(): boolean {
    return this.#claimers.size === 0;
  }
}
