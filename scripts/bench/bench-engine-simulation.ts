/** How fast seeded histories of crashing servers and workers are played, in one thread. */
import { simulate } from '../../packages/core/src/simulation/simulate.ts';
import { median, printRow } from './statistics.ts';

const seed = 1;
const warmUp = 2_000;
const histories = 5_000;
const turns = 3;

export async function benchEngineSimulation(): Promise<void> {
  simulate({ seed, from: 0, to: warmUp });
  const rates: number[] = [];
  for (let turn = 0; turn < turns; turn++) {
    const from = warmUp + turn * histories;
    const startedAt = performance.now();
    const { failed } = simulate({ seed, from, to: from + histories });
    if (failed > 0) throw new Error(`${failed} histories of seed ${seed} broke a promise`);
    rates.push(histories / ((performance.now() - startedAt) / 1_000));
  }
  printRow('histories a second, in one thread', median(rates).toFixed(0), '');
}
