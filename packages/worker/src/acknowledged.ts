/** The ends that a host was told to forget of late: should it die before it wrote that down, its journal is told. */
import type { HostedAttempt } from './hosts/host-protocol.ts';
import type { AttemptRef } from './ports.ts';

/** More than a host can have open at once, even if it was frozen for long. */
const keptMax = 2_000;

export class Acknowledged {
  /** Oldest first. */
  readonly #refs = new Map<number, AttemptRef>();

  add(ref: AttemptRef): void {
    this.#refs.delete(ref.attemptId);
    this.#refs.set(ref.attemptId, ref);
    const [oldest] = this.#refs.keys();
    if (this.#refs.size > keptMax && oldest !== undefined) this.#refs.delete(oldest);
  }

  amongst(attempts: readonly HostedAttempt[]): AttemptRef[] {
    return attempts.flatMap(({ attempt_id }) => this.#refs.get(attempt_id) ?? []);
  }
}
