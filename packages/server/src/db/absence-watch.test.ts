import { beforeEach, expect, test } from 'vitest';
import { type AbsenceWatch, createAbsenceWatch } from './absence-watch.ts';

const hourMs = 3_600_000;
let elapsedMs: number;
let aheadMs: number;
let watch: AbsenceWatch;
beforeEach(async () => {
  elapsedMs = 5_000;
  aheadMs = 1_000_000;
  watch = createAbsenceWatch({
    readNowMs: async () => elapsedMs + aheadMs,
    elapsedMs: () => elapsedMs,
    everyMs: 2_000,
    leaseMs: 60_000,
  });
});

async function turn(): Promise<boolean> {
  const { wasAway } = await watch.look();
  watch.settle();
  watch.endTurn();
  return wasAway;
}

test('the first turn knows nothing of the time before', async () => {
  expect(await turn()).toBe(true);
});

test('turns that come in time are no absence, one that is a little late is none either', async () => {
  await turn();

  elapsedMs += 2_000;
  expect(await turn()).toBe(false);
  elapsedMs += 5_900;
  expect(await turn()).toBe(false);
});

test('missed turns are an absence, once', async () => {
  await turn();

  elapsedMs += 6_100;
  expect(await turn()).toBe(true);
  elapsedMs += 2_000;
  expect(await turn()).toBe(false);
});

test('a clock of the store that is set forward by an hour is seen at the very next look', async () => {
  await turn();

  elapsedMs += 2_000;
  aheadMs += hourMs;
  expect(await turn()).toBe(true);
  elapsedMs += 2_000;
  expect(await turn()).toBe(false);
});

test.each([
  ['set back by an hour', -hourMs],
  ['corrected by a second', 1_000],
])('one that is %s ends no lease too early', async (_, byMs) => {
  await turn();

  elapsedMs += 2_000;
  aheadMs += byMs;
  expect(await turn()).toBe(false);
});

test('an absence that was not dealt with is seen again', async () => {
  await turn();
  elapsedMs += 2_000;
  aheadMs += hourMs;

  await watch.look();
  elapsedMs += 100;
  const { wasAway } = await watch.look();

  expect(wasAway).toBe(true);
});
