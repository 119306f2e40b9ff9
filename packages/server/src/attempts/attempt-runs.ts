/**
 * Which run an attempt belongs to: known from its claim, else from the store. An attempt that ends without a report, as
 * one that is lost does, is never forgotten by name; so the oldest go.
 */
import type { Querier } from '../db/connect.ts';
import { findRunsOf } from './store.ts';

/** More than all workers of a server hold at a time; what is not remembered costs a question. */
const rememberedMax = 10_000;

export class AttemptRuns {
  readonly #db: Querier;
  /** In the order in which they were claimed. */
  readonly #known = new Map<number, number>();

  constructor(db: Querier) {
    this.#db = db;
  }

  get size(): number {
    return this.#known.size;
  }

  remember(attemptId: number, runId: number): void {
    this.#known.delete(attemptId);
    this.#known.set(attemptId, runId);
    if (this.#known.size <= rememberedMax) return;
    const [oldest] = this.#known.keys();
    if (oldest !== undefined) this.#known.delete(oldest);
  }

  forget(attemptId: number): void {
    this.#known.delete(attemptId);
  }

  async find(attemptIds: readonly number[]): Promise<ReadonlyMap<number, number>> {
    const unknown = attemptIds.filter((id) => !this.#known.has(id));
    const found = new Map<number, number>();
    for (const id of attemptIds) {
      const runId = this.#known.get(id);
      if (runId !== undefined) found.set(id, runId);
    }
    if (unknown.length === 0) return found;
    for (const { attempt_id, run_id } of await findRunsOf(this.#db, unknown)) found.set(attempt_id, run_id);
    return found;
  }
}
