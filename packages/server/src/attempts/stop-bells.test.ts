import { expect, test } from 'vitest';
import { StopBells } from './stop-bells.ts';

const signal = new AbortController().signal;

test('rings for workers that never ask here do not pile up, and the newest is heard', async () => {
  const bells = new StopBells();

  for (let index = 0; index < 5_000; index += 1) bells.ring(`w${index}`);

  expect(bells.size).toBe(1_000);
  expect(await bells.wait('w4999', 60_000, signal)).toBe(true);
  expect(bells.size).toBe(999);
});

test('a worker that waits is woken, and leaves nothing behind', async () => {
  const bells = new StopBells();

  const waiting = bells.wait('w', 60_000, signal);
  bells.ring('w');

  expect(await waiting).toBe(true);
  expect(bells.size).toBe(0);
});

test('a worker that gives up waiting leaves nothing behind', async () => {
  const bells = new StopBells();
  const gone = new AbortController();

  const waiting = bells.wait('w', 60_000, gone.signal);
  gone.abort();

  expect(await waiting).toBe(false);
  expect(bells.size).toBe(0);
});
