/** Hears at once when the run of an endpoint changes, so that its statements do not wait for the loop's next look. */
import type { RunEventBus } from '../event-bus.ts';

export class EndpointWatch {
  readonly #events: RunEventBus;
  readonly #onChange: () => void;
  readonly #watched = new Map<number, () => void>();

  constructor(events: RunEventBus, onChange: () => void) {
    this.#events = events;
    this.#onChange = onChange;
  }

  add(runId: number): void {
    if (!this.#watched.has(runId)) this.#watched.set(runId, this.#events.subscribe(runId, this.#onChange));
  }

  remove(runId: number): void {
    this.#watched.get(runId)?.();
    this.#watched.delete(runId);
  }
}
