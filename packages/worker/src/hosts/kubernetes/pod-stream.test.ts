import { expect, onTestFinished, test, vi } from 'vitest';
import { keepStreamOpen } from './pod-stream.ts';

test('a host that stays away is tried less and less often', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  let tries = 0;
  const mended = keepStreamOpen({
    first: null,
    open() {
      tries += 1;
      return Promise.reject(new Error('no route to host'));
    },
    onFrame: () => undefined,
    onMended: () => undefined,
    onFailed: () => undefined,
  });

  await vi.advanceTimersByTimeAsync(60_000);

  expect(tries).toBeGreaterThan(10);
  expect(tries).toBeLessThan(30);
  mended.close();
  const before = tries;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(tries).toBe(before);
});
