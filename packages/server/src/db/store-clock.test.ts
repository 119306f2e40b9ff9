import { expect, test } from 'vitest';
import type { Querier } from './connect.ts';
import { startStoreClock } from './store-clock.ts';

const hourMs = 3_600_000;

/** A store whose clock shows `storeMs`, and whose answers take `wayMs`. */
function aStore() {
  const state = { storeMs: 5_000_000, elapsedMs: 0, wayMs: 0 };
  const pass = (ms: number) => {
    state.storeMs += ms;
    state.elapsedMs += ms;
  };
  const db = {
    async query() {
      pass(state.wayMs / 2);
      const rows = [{ now_ms: state.storeMs }];
      pass(state.wayMs / 2);
      return rows;
    },
  } as unknown as Querier; // It is asked nothing else.
  return { state, pass, db, elapsedMs: () => state.elapsedMs };
}

test('time goes on by the clock of the store, whatever the way to it takes', async () => {
  const store = aStore();
  store.state.wayMs = 400;
  const clock = await startStoreClock(store.db, store.elapsedMs);

  store.pass(70_000);
  store.state.wayMs = 4_000;
  await clock.loop.turn();

  expect(clock.nowMs()).toBe(store.state.storeMs);
});

test('what the clock of the store did is followed with the next look', async () => {
  const store = aStore();
  const clock = await startStoreClock(store.db, store.elapsedMs);
  clock.nowMs();

  for (const stepMs of [hourMs, -2 * hourMs, 3_000, -3_000]) {
    store.state.storeMs += stepMs;
    await clock.loop.turn();
    expect(clock.nowMs()).toBe(store.state.storeMs);
  }
});

test('a small correction holds time still and does not turn it back', async () => {
  const store = aStore();
  const clock = await startStoreClock(store.db, store.elapsedMs);
  const toldMs = clock.nowMs();

  store.state.storeMs -= 500;
  await clock.loop.turn();

  expect(clock.nowMs()).toBe(toldMs);
  store.pass(501);
  expect(clock.nowMs()).toBe(toldMs + 1);
});
