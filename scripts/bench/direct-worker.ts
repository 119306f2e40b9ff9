/**
 * A worker with neither hosts nor files: it takes attempts and tells their ends one after the other, each when the
 * one before is durable. What it measures is the engine and its store, event by event.
 */
import type { ClaimedAttempt } from '@headrace/worker';
import type { WorkerWiring } from '../../packages/server/src/start-server.ts';
import type { StartBenchWorker } from './bench-server.ts';

export class DirectWorker {
  readonly slots: number;
  /** Milliseconds from telling that an attempt has ended until that is durable, in the order of the events. */
  latencies: number[] = [];
  /** When each of them was durable, by `performance.now()`. */
  endedAt: number[] = [];
  /** Nothing is told while it is false; attempts are taken all the same. */
  #isReporting = true;
  readonly #held: ClaimedAttempt[] = [];
  readonly #stopping = new AbortController();
  #wake: () => void = () => {};

  constructor(slots: number) {
    this.slots = slots;
  }

  readonly start: StartBenchWorker = async (wiring) => {
    await wiring.source.register({ workerId: wiring.workerId, slots: this.slots, backend: 'fake' });
    const ends = [this.#claim(wiring), this.#report(wiring)];
    return {
      stop: async () => {
        this.#stopping.abort();
        this.#wake();
        await Promise.all(ends);
      },
    };
  };

  setReporting(isReporting: boolean): void {
    this.#isReporting = isReporting;
    this.#wake();
  }

  async #claim({ source, workerId }: WorkerWiring): Promise<void> {
    const { signal } = this.#stopping;
    const freeSlots = () => this.slots - this.#held.length;
    while (!signal.aborted) {
      this.#held.push(...(await source.claim({ workerId, freeSlots, prepare: () => {}, signal })));
      this.#wake();
    }
  }

  async #report({ source, workerId }: WorkerWiring): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const next = this.#isReporting ? this.#held.shift() : undefined;
      if (!next) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      const { attemptId, epoch } = next;
      const end = { kind: 'ended', attemptId, epoch, outcome: { kind: 'succeeded' } } as const;
      const startedAt = performance.now();
      await source.report(workerId, [{ ...end, taskValues: {}, exitValue: null }]);
      const endedAt = performance.now();
      this.endedAt.push(endedAt);
      this.latencies.push(endedAt - startedAt);
    }
  }
}
