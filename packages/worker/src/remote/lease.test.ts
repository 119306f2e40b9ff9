import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createLease, planLease } from './lease.ts';

/** Lapses after 40 s, is overdue after 55 s. */
const times = planLease(60_000, 10_000);
let nowMs: number;
let heard: string[];
let renewals: number[];

beforeEach(() => {
  vi.useFakeTimers();
  [nowMs, heard, renewals] = [1_000, [], []];
});
afterEach(() => vi.useRealTimers());

function aLease() {
  const lease = createLease({
    elapsedMs: () => nowMs,
    onRenewed: (overdueAtMs) => renewals.push(overdueAtMs),
  });
  lease.listen({ lapsed: () => heard.push('lapsed'), overdue: () => heard.push('overdue') });
  lease.begin(times, nowMs);
  return lease;
}

function pass(ms: number): void {
  nowMs += ms;
  vi.advanceTimersByTime(ms);
}

/** Time goes by, and no timer of this process: it is frozen. */
function freeze(ms: number): void {
  nowMs += ms;
}

test('what runs has its grace, and a margin for proof, before the store may give it to others', () => {
  expect(times).toEqual({
    ...{
      leaseMs: 60_000,
      lapseAfterMs: 40_000,
      overdueAfterMs: 55_000,
      stopGraceMs: 10_000,
      heartbeatMs: 5_000,
    },
  });
  expect(planLease(3_000, 10_000)).toMatchObject({
    stopGraceMs: 500,
    lapseAfterMs: 2_000,
    overdueAfterMs: 2_750,
  });
});

test('a lease that is renewed holds', () => {
  const lease = aLease();

  for (let beats = 0; beats < 20; beats += 1) {
    pass(5_000);
    lease.renew(nowMs - 50);
  }

  expect(lease.holds()).toBe(true);
  expect(heard).toEqual([]);
  expect(renewals.at(-1)).toBe(nowMs - 50 + times.overdueAfterMs);
});

test('a lease that is not renewed lapses, and is overdue later', () => {
  const lease = aLease();

  pass(39_999);
  expect(lease.holds()).toBe(true);
  pass(1);
  expect(lease.holds()).toBe(false);
  expect(heard).toEqual(['lapsed']);
  pass(15_000);

  expect(heard).toEqual(['lapsed', 'overdue']);
});

test('a renewal counts from when it was sent', () => {
  const lease = aLease();
  pass(30_000);

  lease.renew(nowMs - 20_000);

  pass(19_999);
  expect(lease.holds()).toBe(true);
  pass(1);
  expect(lease.holds()).toBe(false);
});

test('a renewal brings a lapsed lease back, and what was promised before stays void', () => {
  const lease = aLease();
  const { lapses } = lease;
  pass(50_000);

  lease.renew(nowMs);

  expect(lease.holds()).toBe(true);
  expect(lease.lapses).toBe(lapses + 1);
  pass(20_000);
  expect(heard).toEqual(['lapsed']);
});

test('a process that was frozen has no lease, whatever it does first', () => {
  const lease = aLease();

  freeze(300_000);

  expect(lease.holds()).toBe(false);
  expect(heard).toEqual([]);
});

test('an answer that arrives after a freeze ends what ran before it counts as a renewal', () => {
  const lease = aLease();
  freeze(300_000);

  lease.renew(nowMs - 10);

  expect(heard).toEqual(['lapsed', 'overdue']);
  expect(lease.holds()).toBe(true);
  expect(lease.lapses).toBe(1);
});

test('an answer from before a freeze renews nothing', () => {
  const lease = aLease();
  freeze(300_000);

  lease.renew(nowMs - 299_000);

  expect(lease.holds()).toBe(false);
});
