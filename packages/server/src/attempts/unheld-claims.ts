/**
 * Claims that stand in the store for a worker that never got them: the statement of a server that died was still
 * under way, and was committed after the worker had taken back what was its own. User code follows the answer to a
 * claim, so none has begun, and the attempt is handed out again, free of charge.
 */
import type { AttemptRef } from '@headrace/worker';
import type { Querier } from '../db/connect.ts';
import type { RunAdvancer } from '../runs/advance-run.ts';
import { findHeldBy } from './store.ts';

/** Between two looks; a claim is on its way for milliseconds. */
const everyMs = 15_000;

export class UnheldClaims {
  readonly #db: Querier;
  readonly #advancer: RunAdvancer;
  readonly #elapsedMs: () => number;
  #lookedAtMs: number;
  /** Seen once: it may have been claimed while we looked. */
  #suspected: ReadonlyMap<number, number> = new Map();

  constructor(options: {
    readonly db: Querier;
    readonly advancer: RunAdvancer;
    readonly elapsedMs?: () => number;
  }) {
    this.#db = options.db;
    this.#advancer = options.advancer;
    this.#elapsedMs = options.elapsedMs ?? (() => performance.now());
    this.#lookedAtMs = this.#elapsedMs();
  }

  /** `held`: all that the worker knows of, as it was before the call. */
  async release(workerId: string, held: readonly AttemptRef[]): Promise<void> {
    if (this.#elapsedMs() - this.#lookedAtMs < everyMs) return;
    this.#lookedAtMs = this.#elapsedMs();
    const known = new Set<number>(held.map(({ attemptId }) => attemptId));
    const rows = await findHeldBy(this.#db, workerId);
    const unheld = rows.filter(({ attempt_id, state }) => state === 'claimed' && !known.has(attempt_id));
    const certain = unheld.filter(({ attempt_id, epoch }) => this.#suspected.get(attempt_id) === epoch);
    this.#suspected = new Map(unheld.map(({ attempt_id, epoch }) => [attempt_id, epoch]));
    await Promise.all(
      certain.map(({ run_id, attempt_id, epoch }) => {
        const attemptId = attempt_id as AttemptRef['attemptId']; // The store keeps ids that were branded.
        const message = `worker ${workerId} never got this claim`;
        const event = {
          kind: 'attempt_lost',
          attemptId,
          epoch,
          beforeUserCode: true,
          message,
          workerId,
        } as const;
        return this.#advancer.tell(run_id, [{ event }]);
      }),
    );
  }
}
