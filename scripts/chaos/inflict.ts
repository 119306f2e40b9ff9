/** One fault after the other, drawn from the seed; several are under way at a time, on different targets. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../../packages/core/src/simulation/random.ts';
import { type Fault, type FaultContext, faults } from './faults.ts';

export interface Inflicting {
  /** By kind. */
  readonly counts: ReadonlyMap<string, number>;
  readonly failures: readonly string[];
  /** Resolves when everything that is under way has healed. */
  stop(): Promise<void>;
}

const pauseMs = { least: 300, most: 2_500 };

export function startInflicting(context: FaultContext, random: Random): Inflicting {
  const leave = new AbortController();
  const counts = new Map<string, number>();
  const failures: string[] = [];
  const taken = new Set<string>();
  const underWay = new Set<Promise<void>>();
  const { log, world } = context;

  function inflictOne(fault: Fault): void {
    const { targets, what, inflict } = fault.draw(random, world);
    if (targets.some((target) => taken.has(target))) return;
    for (const target of targets) taken.add(target);
    log.note(fault.kind, what);
    const healed = inflict(context)
      .then((hasHit) => {
        log.note(hasHit ? 'healed' : 'nothing there', `${fault.kind} ${what}`);
        if (hasHit) counts.set(fault.kind, (counts.get(fault.kind) ?? 0) + 1);
      })
      .catch((error: unknown) => {
        failures.push(`${fault.kind} ${what}: ${error instanceof Error ? error.stack : String(error)}`);
      })
      .finally(() => {
        for (const target of targets) taken.delete(target);
        underWay.delete(healed);
      });
    underWay.add(healed);
  }

  async function keepGoing(): Promise<void> {
    while (!leave.signal.aborted) {
      const waitMs = random.between(pauseMs.least, pauseMs.most);
      const fault = drawFault(random);
      await delay(waitMs, undefined, { signal: leave.signal }).catch(() => {});
      if (!leave.signal.aborted) inflictOne(fault);
    }
  }

  const going = keepGoing();
  return {
    counts,
    failures,
    async stop() {
      leave.abort();
      await going;
      await Promise.all(underWay);
    },
  };
}

function drawFault(random: Random): Fault {
  const total = faults.reduce((sum, { weight }) => sum + weight, 0);
  let left = random.below(total);
  for (const fault of faults) {
    left -= fault.weight;
    if (left < 0) return fault;
  }
  throw new Error('bug: weights do not add up');
}
