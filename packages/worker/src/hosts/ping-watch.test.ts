import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createPingWatch, type PingWatch } from './ping-watch.ts';

let watch: PingWatch;
let asked: number;
let silent: number[];
let answers: number;

beforeEach(() => {
  vi.useFakeTimers();
  asked = answers = 0;
  silent = [];
  watch = createPingWatch({
    ask: () => {
      asked += 1;
    },
    onSilent: (silentMs) => silent.push(silentMs),
    onAnswer: () => {
      answers += 1;
    },
    askEveryMs: 1_000,
    toldMs: 3_000,
  });
});
afterEach(() => {
  watch.end();
  vi.useRealTimers();
});

test('who answers is asked again and again, and nothing is told', () => {
  for (let turn = 0; turn < 20; turn += 1) {
    vi.advanceTimersByTime(1_000);
    watch.heard();
  }

  expect([asked, silent, answers]).toEqual([20, [], 0]);
});

test('who does not answer is told of with each look, until it does', () => {
  vi.advanceTimersByTime(6_000);
  watch.heard();
  watch.heard();

  expect([asked, silent, answers]).toEqual([1, [3_000, 4_000, 5_000], 1]);
});

test('time in which we did not run ourselves does not count', () => {
  vi.advanceTimersByTime(1_000);
  const now = performance.now();
  vi.spyOn(performance, 'now').mockReturnValue(now + 3_600_000);
  vi.advanceTimersByTime(1_000);
  vi.spyOn(performance, 'now').mockRestore();

  expect(silent).toEqual([]);
});
