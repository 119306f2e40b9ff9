/** Wakes a worker's waiting heartbeat when one of its attempts is to be stopped. A lost ring costs one heartbeat. */
/** Most are workers of other servers, which never ask here. */
const rungMax = 1_000;

export class StopBells {
  readonly #waiting = new Map<string, () => void>();
  /** Rung while nobody waited. */
  readonly #rung = new Set<string>();

  ring(workerId: string): void {
    const wake = this.#waiting.get(workerId);
    if (wake) wake();
    else this.#keep(workerId);
  }

  /** Of those that wait, and those that were rung for in vain. */
  get size(): number {
    return this.#waiting.size + this.#rung.size;
  }

  /** Another server has asked for something: whose worker it concerns only the store knows. */
  ringAll(): void {
    for (const wake of [...this.#waiting.values()]) wake();
  }

  /** The oldest go: a ring that is lost costs one heartbeat. */
  #keep(workerId: string): void {
    this.#rung.delete(workerId);
    this.#rung.add(workerId);
    const [oldest] = this.#rung;
    if (this.#rung.size > rungMax && oldest !== undefined) this.#rung.delete(oldest);
  }

  /** True when the bell rang, false after `waitMs` or when the signal aborts. */
  wait(workerId: string, waitMs: number, signal: AbortSignal): Promise<boolean> {
    if (this.#rung.delete(workerId)) return Promise.resolve(true);
    if (signal.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const end = (hasRung: boolean) => {
        clearTimeout(timer);
        signal.removeEventListener('abort', giveUp);
        // A request whose caller has gone may outlast the one that took its place.
        if (this.#waiting.get(workerId) === wake) this.#waiting.delete(workerId);
        resolve(hasRung);
      };
      const wake = () => end(true);
      const giveUp = () => end(false);
      const timer = setTimeout(giveUp, waitMs);
      signal.addEventListener('abort', giveUp);
      this.#waiting.set(workerId, wake);
    });
  }
}
