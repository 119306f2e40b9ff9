/**
 * Attempts with which nothing is wrong, and that could not be prepared just now: what they need is locked, or the
 * connection broke. They are left to the store for a while, or each batch would wait for them, and all other runs too.
 */
import type { AttemptId } from '@headrace/core';

/** Those that ended meanwhile are asked for by nobody. */
const keptMax = 1_000;

export class RestingAttempts {
  readonly #untilMs = new Map<AttemptId, number>();

  rest(attemptId: AttemptId, untilMs: number): void {
    if (this.#untilMs.size >= keptMax) this.#untilMs.clear();
    this.#untilMs.set(attemptId, untilMs);
  }

  isResting(attemptId: AttemptId, nowMs: number): boolean {
    const untilMs = this.#untilMs.get(attemptId);
    if (untilMs === undefined) return false;
    if (nowMs < untilMs) return true;
    this.#untilMs.delete(attemptId);
    return false;
  }
}
