import { toAttemptId } from '@headrace/core';
import { expect, test } from 'vitest';
import { RefusedByStore } from '../runs/advance-run.ts';
import type { RunNews } from '../runs/run-draft.ts';
import { reportAttemptEnded } from './report-attempt.ts';

const ended = {
  kind: 'ended',
  attemptId: toAttemptId(7),
  epoch: 1,
  outcome: { kind: 'succeeded' },
  taskValues: { poison: 1 },
  exitValue: 'x',
} as const;

function advancerThatFailsOnce(error: Error) {
  const told: RunNews[] = [];
  return {
    told,
    tell: async (_runId: number, [news]: readonly RunNews[]) => {
      if (news) told.push(news);
      if (told.length === 1) throw error;
      return { isKnown: true, ignored: [] };
    },
  };
}

test('a report that the store refuses ends the attempt as failed, without what was refused', async () => {
  const advancer = advancerThatFailsOnce(new RefusedByStore(new Error('null value in column')));

  await reportAttemptEnded(advancer, 1, ended);

  expect(advancer.told[1]).toMatchObject({
    event: {
      attemptId: 7,
      epoch: 1,
      outcome: { kind: 'failed', failure: { code: 'INTERNAL_ERROR' } },
      taskValues: {},
    },
  });
  expect(advancer.told[1]).not.toHaveProperty('exitValue');
});

test('a store that is away is not told something else: the worker repeats its report', async () => {
  const advancer = advancerThatFailsOnce(new Error('connection refused'));

  await expect(reportAttemptEnded(advancer, 1, ended)).rejects.toThrow('connection refused');
  expect(advancer.told).toHaveLength(1);
});
