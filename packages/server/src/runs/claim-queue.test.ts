import { toAttemptId, toRunId, type WorkerLabels } from '@headrace/core';
import { expect, test } from 'vitest';
import { ClaimQueue, lineAttemptsMax, unwantedMs, type WaitingClaimer } from './claim-queue.ts';

let nextId = 1;
function anAttempt(asked: WorkerLabels = {}, queuedAtMs = 0) {
  return { runId: toRunId(1), attemptId: toAttemptId(nextId++), asked, queuedAtMs };
}

function aClaimer(labels: WorkerLabels = {}, free = 1): WaitingClaimer {
  return { workerId: 'w', labels, freeSlots: () => free, prepare() {}, deliver() {} };
}

function aQueue(...attempts: ReturnType<typeof anAttempt>[]): ClaimQueue {
  const queue = new ClaimQueue();
  for (const attempt of attempts) queue.add(attempt);
  return queue;
}

/** Lines that `act` looked at. */
function countLooks(queue: ClaimQueue, act: () => void): number {
  const before = queue.looksCount;
  act();
  return queue.looksCount - before;
}

test('the one that has waited longest is taken, whatever it asks for', () => {
  const [first, second, third] = [anAttempt({ zone: 'a' }), anAttempt(), anAttempt({ gpu: 'yes' })];
  const queue = aQueue(first, second, third);
  const labels = { gpu: 'yes', zone: 'a' };

  const taken = [queue.take(labels), queue.take(labels), queue.take(labels), queue.take(labels)];

  expect(taken).toMatchObject([first, second, third, expect.toSatisfy((value) => value === null)]);
});

test('all labels must be there, with these values', () => {
  const queue = aQueue(anAttempt({ gpu: 'yes', zone: 'a' }));

  for (const labels of [{}, { gpu: 'yes' }, { zone: 'a' }, { gpu: 'yes', zone: 'b' }, { gpu: '', zone: 'a' }])
    expect(queue.take(labels as WorkerLabels)).toBeNull();
  expect(queue.take({ zone: 'a', size: 'xl', gpu: 'yes' })).not.toBeNull();
});

test('what nobody can take does not block, and is not looked at', () => {
  const wanted = anAttempt();
  const others = Array.from({ length: 10_000 }, () => anAttempt({ gpu: 'yes' }));
  const queue = aQueue(...others, wanted);

  const looks = countLooks(queue, () => {
    expect(queue.take({ zone: 'a' })).toMatchObject(wanted);
    expect(queue.take({ zone: 'a' })).toBeNull();
  });

  expect(looks).toBeLessThanOrEqual(2);
  expect(queue.size).toBe(10_000);
});

test('nor is it when each asks for a label of its own', () => {
  const wanted = anAttempt({ zone: 'a' });
  const others = Array.from({ length: 5_000 }, (_, index) => anAttempt({ host: `h${index}`, zone: 'a' }));
  const queue = aQueue(...others, wanted);

  const looks = countLooks(queue, () => {
    expect(queue.take({ zone: 'a' })).toMatchObject(wanted);
    queue.addClaimer(aClaimer({ zone: 'a' }));
    expect(queue.canServe).toBe(false);
  });

  expect(looks).toBeLessThanOrEqual(4);
});

test('a line that is full leaves the rest to the store, and keeps nobody else out', () => {
  const queue = aQueue(...Array.from({ length: lineAttemptsMax }, () => anAttempt({ gpu: 'yes' })));
  const offers = [{ claimer: aClaimer(), free: 1 }];
  queue.noteAllTaken({});

  queue.add(anAttempt({ gpu: 'yes' }));
  queue.add(anAttempt());

  expect(queue.labelsToLookFor(offers)).toEqual([{}]);
  expect(queue.size).toBe(lineAttemptsMax + 1);
  expect(queue.take({})).not.toBeNull();
});

test('the store is asked once for each kind of worker, until it may have more', () => {
  const queue = new ClaimQueue();
  const offers = [aClaimer({ gpu: 'yes' }), aClaimer(), aClaimer({ gpu: 'yes' })].map((claimer) => ({
    claimer,
    free: 1,
  }));

  const first = queue.labelsToLookFor(offers);
  for (const labels of first) queue.noteAllTaken(labels);
  const then = queue.labelsToLookFor(offers);
  queue.lookInStoreAgain();

  expect(first).toEqual([{ gpu: 'yes' }, {}]);
  expect(then).toEqual([]);
  expect(queue.labelsToLookFor(offers)).toHaveLength(2);
});

test('there is enough only if nobody can take what another counts on', () => {
  const queue = aQueue(anAttempt({ gpu: 'yes' }), anAttempt({ gpu: 'yes' }));
  const plain = { claimer: aClaimer(), free: 1 };
  const special = { claimer: aClaimer({ gpu: 'yes' }), free: 1 };

  expect(queue.hasEnoughFor([special])).toBe(true);
  expect(queue.hasEnoughFor([plain])).toBe(false);
  expect(queue.hasEnoughFor([special, plain])).toBe(false);
});

test('workers with the fewest labels are served first', () => {
  const queue = new ClaimQueue();
  const [many, none, one] = [aClaimer({ gpu: 'yes', zone: 'a' }), aClaimer(), aClaimer({ zone: 'a' })];
  for (const claimer of [many, none, one]) queue.addClaimer(claimer);

  expect(queue.offers().map(({ claimer }) => claimer)).toEqual([none, one, many]);
});

test('what ended in the queue is forgotten, with its line', () => {
  const attempt = anAttempt({ gpu: 'yes' });
  const queue = aQueue(attempt);

  queue.remove(attempt);
  queue.remove(attempt);

  expect(queue.size).toBe(0);
  expect(countLooks(queue, () => queue.take({ gpu: 'yes' }))).toBe(0);
});

test('what no worker comes for is left to the store after a while', () => {
  const queue = aQueue(anAttempt(), anAttempt({ gpu: 'yes' }), anAttempt({ zone: 'a' }));
  const [waiting, gone] = [aClaimer(), aClaimer({ zone: 'a' })];
  for (const claimer of [waiting, gone]) queue.addClaimer(claimer);
  queue.removeClaimer(gone);
  for (const labels of [{}, { gpu: 'yes' }]) queue.noteAllTaken(labels);

  queue.dropUnwanted(unwantedMs);
  const afterOne = queue.size;
  queue.dropUnwanted(2 * unwantedMs - 1);
  const tooSoon = queue.size;
  queue.dropUnwanted(2 * unwantedMs);

  expect([afterOne, tooSoon, queue.size]).toEqual([2, 2, 1]);
  expect(queue.take({ gpu: 'yes', zone: 'a' })?.asked).toEqual({});
  expect(queue.take({ gpu: 'yes', zone: 'a' })).toBeNull();
  expect(queue.labelsToLookFor([{ claimer: aClaimer({ gpu: 'yes' }), free: 1 }])).toHaveLength(1);
});
