/** The promise, played through: `npm run simulate` plays more, and any history again with its trace. */
import { expect, test } from 'vitest';
import { playHistory } from './history.ts';
import { simulate } from './simulate.ts';

const histories = 2_500;

/** Chosen anew for each run of the tests and printed with a failure, so that every run looks where none has looked. */
const freshSeed = Date.now() % 2 ** 31;

test.each([
  ['a seed that stays', 20_261_121],
  ['a seed of the day', freshSeed],
])('with %s no promise is broken, and everything comes to its end (%i)', (_, seed) => {
  const { failures, passed } = simulate({ seed, from: 0, to: histories });

  const told = failures.map(
    ({ index, broken }) => `npm run simulate -- --seed ${seed} --history ${index}: ${broken}`,
  );
  expect(told).toEqual([]);
  expect(passed).toBe(histories);
});

test('the same seed gives the same history, step by step', () => {
  const traces = [1, 2].map(() => {
    const lines: string[] = [];
    for (let index = 0; index < 20; index++)
      playHistory({ seed: 7, index, trace: (line) => lines.push(line) });
    return lines;
  });

  expect(traces[0]?.length).toBeGreaterThan(100);
  expect(traces[0]).toEqual(traces[1]);
});

test('another seed gives another history', () => {
  const [one, other] = [1, 2].map((seed) => simulate({ seed, from: 0, to: 20 }).steps);

  expect(one).not.toBe(other);
});
