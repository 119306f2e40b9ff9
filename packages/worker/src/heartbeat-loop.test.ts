import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { keepLeases } from './heartbeat-loop.ts';
import type { HostPool } from './host-pool.ts';
import { createMemorySource, silentLog } from './testing/memory-source.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('a server that is away for long is asked twice a second: what runs is ended when it comes back too late', async () => {
  let tries = 0;
  const heartbeat = () => {
    tries += 1;
    return Promise.reject(new Error('away'));
  };
  const stop = new AbortController();
  // Only these are asked of it while no heartbeat is answered.
  const pool = { describe: () => [] } as unknown as HostPool;
  const source = { ...createMemorySource(), heartbeat };
  const keeping = keepLeases({
    ...{ source, workerId: 'w', live: new Map(), pool, log: silentLog, signal: stop.signal },
  });
  await vi.advanceTimersByTimeAsync(30_000);
  const before = tries;

  await vi.advanceTimersByTimeAsync(5_000);
  stop.abort();
  await keeping;

  expect(tries - before).toBe(10);
});
