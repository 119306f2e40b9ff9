import { pino } from 'pino';
import { expect, test, vi } from 'vitest';
import { createLoopDriver, isStuck, type Loop } from './driver.ts';

const clock = { nowMs: () => 7 };
const createDriver = () => createLoopDriver({ log: pino({ level: 'silent' }), clock });
const never = 1_000_000;

/** A loop whose turns end when the test says so. */
function manualLoop(name = 'manual') {
  const turns: { end: (outcome: 'again' | 'idle') => void; fail: (error: Error) => void }[] = [];
  let open = 0;
  let openMax = 0;
  const loop: Loop = {
    name,
    everyMs: never,
    async turn() {
      open += 1;
      openMax = Math.max(openMax, open);
      try {
        return await new Promise<'again' | 'idle'>((end, fail) => turns.push({ end, fail }));
      } finally {
        open -= 1;
      }
    },
  };
  const until = (count: number) => vi.waitFor(() => expect(turns.length).toBe(count), { interval: 1 });
  return { loop, turns, until, openMax: () => openMax };
}

test('a loop turns at once, again while there is work, and rests when idle', async () => {
  const driver = createDriver();
  const { loop, turns, until } = manualLoop();
  driver.add(loop);

  await until(1);
  turns[0]?.end('again');
  await until(2);
  turns[1]?.end('idle');
  await driver.stop();

  expect(turns).toHaveLength(2);
  expect(driver.status()).toEqual([
    {
      name: 'manual',
      everyMs: never,
      lastTurnAtMs: 7,
      lateMs: 0,
      lastError: null,
      turns: 2,
      failures: 0,
    },
  ]);
});

test('a wake during a turn makes another one follow, never two at a time', async () => {
  const driver = createDriver();
  const { loop, turns, until, openMax } = manualLoop();
  driver.add(loop);
  await until(1);

  driver.wake('manual');
  driver.wake('manual');
  turns[0]?.end('idle');
  await until(2);
  turns[1]?.end('idle');
  await vi.waitFor(() => expect(driver.status()[0]?.lastTurnAtMs).toBe(7));
  driver.wake('manual');
  await until(3);
  turns[2]?.end('idle');
  await driver.stop();

  expect(openMax()).toBe(1);
  expect(turns).toHaveLength(3);
});

test('a turn that fails is told, and tried again by itself', async () => {
  const driver = createDriver();
  const { loop, turns, until } = manualLoop();
  driver.add(loop);
  await until(1);

  turns[0]?.fail(new Error('no database'));
  await vi.waitFor(() => expect(driver.status()[0]?.lastError).toBe('no database'));
  await until(2);
  turns[1]?.end('idle');
  await vi.waitFor(() => expect(driver.status()[0]?.lastError).toBeNull());

  await driver.stop();
});

test('a store that is away for a minute is not hammered, and is found again within ten seconds', async () => {
  vi.useFakeTimers();
  try {
    const driver = createDriver();
    let isAway = true;
    const outcomes: boolean[] = [];
    driver.add({
      name: 'patient',
      everyMs: never,
      turn() {
        outcomes.push(!isAway);
        return isAway ? Promise.reject(new Error('connection refused')) : Promise.resolve('idle');
      },
    });

    await vi.advanceTimersByTimeAsync(60_000);
    const triedWhileAway = outcomes.length;
    isAway = false;
    await vi.advanceTimersByTimeAsync(10_000);

    expect(triedWhileAway).toBeGreaterThan(8);
    expect(triedWhileAway).toBeLessThan(20);
    expect(outcomes.at(-1)).toBe(true);
    await driver.stop();
  } finally {
    vi.useRealTimers();
  }
});

test('a stop waits for the turn under way', async () => {
  const driver = createDriver();
  const { loop, turns, until } = manualLoop();
  driver.add(loop);
  await until(1);
  let hasStopped = false;

  const stopped = driver.stop().then(() => {
    hasStopped = true;
  });
  await Promise.resolve();
  expect(hasStopped).toBe(false);
  turns[0]?.end('again');
  await stopped;

  expect(turns).toHaveLength(1);
});

test('a loop is stuck in a turn that does not end, or when its next one does not come, whatever the clock says', async () => {
  let elapsedMs = 0;
  let nowMs = 0;
  const log = pino({ level: 'silent' });
  const driver = createLoopDriver({ log, clock: { nowMs: () => nowMs }, elapsedMs: () => elapsedMs });
  const { loop, turns, until } = manualLoop();
  driver.add(loop);
  await until(1);
  const stuckAfter = (ms: number) => {
    elapsedMs += ms;
    return driver.status().some(isStuck);
  };

  nowMs += 3_600_000;
  const inTurn = [stuckAfter(180_000), stuckAfter(1)];
  turns[0]?.end('idle');
  await vi.waitFor(() => expect(driver.status()[0]?.lastTurnAtMs).toBe(nowMs));
  nowMs += 3_600_000;
  const atRest = [stuckAfter(never + 180_000), stuckAfter(1)];
  await driver.stop();

  expect(inTurn).toEqual([false, true]);
  expect(atRest).toEqual([false, true]);
});
