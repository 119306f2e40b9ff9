/** The queue against the plainest one: a list that is gone through from the front. */
import { type AttemptId, hasLabels, toAttemptId, toRunId, type WorkerLabels } from '@headrace/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ClaimQueue, type QueuedAttempt, type WaitingClaimer } from './claim-queue.ts';

const labels: fc.Arbitrary<WorkerLabels> = fc.dictionary(
  fc.constantFrom('a', 'b', 'c', 'a.b'),
  fc.constantFrom('', 'x', 'y', 'b=x'),
  { maxKeys: 3, noNullPrototype: true },
);
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('add' as const),
      id: fc.nat(30),
      labels,
      queuedAtMs: fc.nat(9),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('take' as const), labels }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), id: fc.nat(30) }) },
);

const claimerOf = (own: WorkerLabels): WaitingClaimer => ({
  ...{ workerId: 'w', labels: own, freeSlots: () => 1, prepare() {}, deliver() {} },
});

test('a worker is given the oldest of those that it may take, and none that it may not', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const queue = new ClaimQueue();
      const list: QueuedAttempt[] = [];
      /** An attempt asks for the same all its life. */
      const askedBy = new Map<AttemptId, WorkerLabels>();
      for (const each of steps) {
        if (each.kind === 'take') {
          const place = list.findIndex(({ asked }) => hasLabels(each.labels, asked));
          const [expected = null] = place === -1 ? [] : list.splice(place, 1);
          const offers = [{ claimer: claimerOf(each.labels), free: 1 }];
          expect(queue.hasEnoughFor(offers)).toBe(expected !== null);
          expect(queue.take(each.labels)?.attemptId ?? null).toBe(expected?.attemptId ?? null);
          continue;
        }
        const attemptId = toAttemptId(each.id + 1);
        const place = list.findIndex((known) => known.attemptId === attemptId);
        if (each.kind === 'add') {
          const asked = askedBy.get(attemptId) ?? each.labels;
          askedBy.set(attemptId, asked);
          const { queuedAtMs } = each;
          const attempt = { runId: toRunId(1), attemptId, asked: { ...asked }, queuedAtMs };
          queue.add(attempt);
          const younger = list.findIndex((known) => known.queuedAtMs > queuedAtMs);
          if (place === -1) list.splice(younger === -1 ? list.length : younger, 0, attempt);
        } else {
          queue.remove({ attemptId, asked: askedBy.get(attemptId) ?? {} });
          if (place !== -1) list.splice(place, 1);
        }
        expect(queue.size).toBe(list.length);
      }
    }),
  );
});
