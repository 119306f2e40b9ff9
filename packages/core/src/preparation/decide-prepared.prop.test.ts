/** What must hold of the hosts that wait for expected jobs, whatever is expected and whatever clusters take. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decidePrepared, type PreparedHost, type PreparedWish } from './decide-prepared.ts';

const memoryOf: Readonly<Record<string, number>> = { a: 700, b: 700, c: 1_500 };
const wishes = fc.array(
  fc
    .record({
      jobId: fc.integer({ min: 1, max: 5 }),
      fromMs: fc.nat({ max: 10 }),
      isMet: fc.boolean(),
      profile: fc.constantFrom('a', 'b', 'c'),
    })
    .map((wish): PreparedWish => ({ ...wish, memoryMb: memoryOf[wish.profile] ?? 0 })),
  { maxLength: 8 },
);
const budgets = fc.constantFrom(0, 699, 700, 1_500, 2_200, 5_000);
/** What is wished at each look; whether the host that starts gets ready, and which host a cluster takes. */
const looks = fc.array(fc.record({ wishes, isReady: fc.boolean(), taken: fc.option(fc.nat({ max: 5 })) }), {
  maxLength: 12,
});

const memoryIn = (hosts: readonly PreparedHost[]) =>
  hosts.reduce((sum, { profile }) => sum + (memoryOf[profile] ?? 0), 0);

/** A worker that does what it is told between two looks. */
function follow(
  hosts: readonly PreparedHost[],
  wished: readonly PreparedWish[],
  budgetMb: number,
  key: string,
) {
  const { stop, start } = decidePrepared(wished, hosts, budgetMb);
  const left = hosts
    .filter(({ state }) => state !== 'stopping')
    .map((host) => (stop.includes(host.hostKey) ? { ...host, state: 'stopping' as const } : host));
  const begun = { hostKey: key, profile: start?.profile ?? '', state: 'starting', isSettled: false } as const;
  return start === null ? left : [...left, begun];
}

const settle = (hosts: readonly PreparedHost[]): PreparedHost[] =>
  hosts.map((host) =>
    host.state === 'starting' ? { ...host, state: 'running' as const, isSettled: true } : host,
  );

test('what waits never takes more than the budget, nor does more than one host start at a time', () => {
  fc.assert(
    fc.property(budgets, looks, (budgetMb, steps) => {
      let hosts: readonly PreparedHost[] = [];
      return steps.every(({ wishes: wished, isReady, taken }, index) => {
        hosts = follow(hosts, wished, budgetMb, `host-${index}`);
        const starting = hosts.filter(({ isSettled }) => !isSettled).length;
        const isWithin = memoryIn(hosts) <= budgetMb && starting <= 1;
        hosts = (isReady ? settle(hosts) : hosts).filter((_, place) => place !== taken);
        return isWithin;
      });
    }),
  );
});

test('left alone it comes to rest with every wish served that the budget has room for, the earliest first', () => {
  fc.assert(
    fc.property(budgets, wishes, (budgetMb, given) => {
      const wished = given.map((wish) => ({ ...wish, isMet: false }));
      let hosts: readonly PreparedHost[] = [];
      for (let look = 0; look < 20; look += 1)
        hosts = settle(follow(hosts, wished, budgetMb, `host-${look}`));
      const { stop, start, refused } = decidePrepared(wished, hosts, budgetMb);

      expect({ stop, start }).toEqual({ stop: [], start: null });
      expect(hosts.length + refused.length).toBe(wished.length);
      const earliest = [...wished].sort((a, b) => a.fromMs - b.fromMs || a.jobId - b.jobId)[0];
      if (earliest && earliest.memoryMb <= budgetMb) expect(refused).not.toContain(earliest);
    }),
  );
});

test('without wishes everything ends', () => {
  fc.assert(
    fc.property(budgets, wishes, (budgetMb, given) => {
      let hosts: readonly PreparedHost[] = [];
      for (let look = 0; look < 10; look += 1) hosts = settle(follow(hosts, given, budgetMb, `host-${look}`));
      return follow(follow(hosts, [], budgetMb, 'x'), [], budgetMb, 'y').length === 0;
    }),
  );
});

test('for a run that has begun nothing starts, and what waits for it stays', () => {
  const met: PreparedWish = { jobId: 1, fromMs: 0, isMet: true, profile: 'a', memoryMb: 700 };
  const host: PreparedHost = { hostKey: 'a-1', profile: 'a', state: 'running', isSettled: true };

  expect(decidePrepared([met], [], 700)).toEqual({ stop: [], start: null, refused: [] });
  expect(decidePrepared([met], [host], 700)).toEqual({ stop: [], start: null, refused: [] });
});
