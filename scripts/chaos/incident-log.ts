/** What was done to whom, and when, on the two clocks that evidence comes in: CLOCK_MONOTONIC and the wall. */
export interface Incident {
  /** CLOCK_MONOTONIC, as Python's `time.monotonic`. */
  readonly atS: number;
  readonly wallMs: number;
  readonly kind: string;
  readonly what: string;
}

export class IncidentLog {
  readonly incidents: Incident[] = [];
  readonly #tell: (incident: Incident) => void;

  constructor(tell: (incident: Incident) => void) {
    this.#tell = tell;
  }

  note(kind: string, what: string): void {
    const incident = { atS: monotonicS(), wallMs: Date.now(), kind, what };
    this.incidents.push(incident);
    this.#tell(incident);
  }
}

export function monotonicS(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1e6;
}
