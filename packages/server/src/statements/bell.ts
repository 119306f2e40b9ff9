/**
 * Wakes those of this process who wait for a statement, or for something to do. It only wakes: what there is stands in the
 * store, and whoever waits looks there from time to time, for another server may have written it.
 */
export interface Ear {
  /** Resolves at the next ring since the ear was opened, or since the last wait; after `ms`; or when the signal aborts. */
  wait(ms: number, signal?: AbortSignal): Promise<void>;
  close(): void;
}

export class Bell {
  readonly #ears = new Map<string, Set<() => void>>();

  ring(name: string): void {
    for (const wake of [...(this.#ears.get(name) ?? [])]) wake();
  }

  listen(name: string): Ear {
    let isRung = false;
    let wake: (() => void) | null = null;
    const ear = () => {
      isRung = true;
      wake?.();
    };
    const ears = this.#ears.get(name) ?? new Set();
    this.#ears.set(name, ears.add(ear));
    return {
      wait: (ms, signal) =>
        new Promise((resolve) => {
          const done = () => {
            clearTimeout(timer);
            signal?.removeEventListener('abort', done);
            wake = null;
            isRung = false;
            resolve();
          };
          const timer = setTimeout(done, ms);
          wake = done;
          signal?.addEventListener('abort', done);
          if (isRung || signal?.aborted) done();
        }),
      close: () => {
        ears.delete(ear);
        if (ears.size === 0 && this.#ears.get(name) === ears) this.#ears.delete(name);
      },
    };
  }
}
