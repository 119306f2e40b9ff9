/** Many histories of one seed, and what became of them. */
import { playHistory } from './history.ts';

export interface Failed {
  readonly index: number;
  readonly broken: string;
}

export interface Tally {
  readonly passed: number;
  readonly failed: number;
  /** The first of them; more would say nothing new. */
  readonly failures: readonly Failed[];
  readonly runs: number;
  readonly steps: number;
}

const failuresKept = 10;

/** Histories `from` to `to`, without the last. */
export function simulate(options: {
  readonly seed: number;
  readonly from: number;
  readonly to: number;
}): Tally {
  const { seed, from, to } = options;
  const failures: Failed[] = [];
  let histories = 0;
  let failed = 0;
  let runs = 0;
  let steps = 0;
  for (let index = from; index < to; index++) {
    const result = playHistory({ seed, index, trace: null });
    histories += 1;
    runs += result.runs;
    steps += result.steps;
    if (result.broken === null) continue;
    failed += 1;
    if (failures.length < failuresKept) failures.push({ index, broken: result.broken });
  }
  return { passed: histories - failed, failed, failures, runs, steps };
}
