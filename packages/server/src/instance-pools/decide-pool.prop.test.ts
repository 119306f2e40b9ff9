/** What must hold of a pool, whatever clusters do. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decidePool, type PoolFacts } from './decide-pool.ts';

const idleMs = 600_000;
const limits = fc.record({
  minIdle: fc.nat({ max: 3 }),
  capacityMax: fc.option(fc.integer({ min: 1, max: 6 })),
});
/** How many hosts clusters have, and how long they keep them. */
const uses = fc.array(fc.record({ used: fc.nat({ max: 5 }), forMs: fc.nat({ max: idleMs }) }), {
  maxLength: 8,
});

function follow(
  given: Pick<PoolFacts, 'minIdle' | 'capacityMax'>,
  steps: readonly { used: number; forMs: number }[],
) {
  let state = { peak: 0, peakAtMs: 0 };
  let nowMs = 1_000_000;
  return steps.map(({ used, forMs }) => {
    nowMs += forMs;
    const decided = decidePool({ ...given, ...state, idleMs, used }, nowMs);
    state = decided;
    return { ...decided, used };
  });
}

test('hosts that wait never take the room of clusters, and those of the minimum wait where there is room', () => {
  fc.assert(
    fc.property(limits, uses, (given, steps) =>
      follow(given, steps).every(({ idle, used }) => {
        const room =
          given.capacityMax === null ? Number.POSITIVE_INFINITY : Math.max(0, given.capacityMax - used);
        return idle >= 0 && idle <= room && idle >= Math.min(given.minIdle, room);
      }),
    ),
  );
});

test('a pool that nobody uses for the idle time comes down to its minimum', () => {
  fc.assert(
    fc.property(limits, uses, (given, steps) => {
      const quiet = [...steps, { used: 0, forMs: 0 }, { used: 0, forMs: idleMs }];
      const room = given.capacityMax ?? given.minIdle;
      return follow(given, quiet).at(-1)?.idle === Math.min(given.minIdle, room);
    }),
  );
});

test('what clusters give back waits for the idle time, and no longer', () => {
  const given = { minIdle: 0, capacityMax: null };
  const steps = [
    { used: 2, forMs: 0 },
    { used: 1, forMs: 1_000 },
    { used: 0, forMs: 1_000 },
    { used: 0, forMs: idleMs - 2_001 },
    { used: 0, forMs: 1 },
  ];

  expect(follow(given, steps).map(({ idle }) => idle)).toEqual([0, 1, 2, 2, 0]);
});
