import { expect, test } from 'vitest';
import type { Querier } from '../db/connect.ts';
import { AttemptRuns } from './attempt-runs.ts';

/** A store in which attempt n belongs to run n + 1,000,000. */
function aStore() {
  const asked: number[][] = [];
  const query = async ({ values }: { readonly values: readonly unknown[] }) => {
    const ids = values[0] as number[];
    asked.push(ids);
    return ids.map((id) => ({ attempt_id: id, run_id: id + 1_000_000 }));
  };
  return { asked, db: { query } as unknown as Querier };
}

test('attempts that never end with a report do not pile up, and the newest are known', async () => {
  const { asked, db } = aStore();
  const runs = new AttemptRuns(db);

  for (let id = 1; id <= 25_000; id += 1) runs.remember(id, id + 1_000_000);

  expect(runs.size).toBe(10_000);
  expect((await runs.find([25_000])).get(25_000)).toBe(1_025_000);
  expect(asked).toEqual([]);
});

test('what was dropped is asked of the store, together with what was never known', async () => {
  const { asked, db } = aStore();
  const runs = new AttemptRuns(db);
  for (let id = 1; id <= 10_001; id += 1) runs.remember(id, id + 1_000_000);

  const found = await runs.find([1, 2, 70_000]);

  expect(asked).toEqual([[1, 70_000]]);
  expect([...found.entries()].sort()).toEqual([
    [1, 1_000_001],
    [2, 1_000_002],
    [70_000, 1_070_000],
  ]);
});

test('one that has ended is forgotten', () => {
  const runs = new AttemptRuns(aStore().db);
  runs.remember(1, 2);

  runs.forget(1);

  expect(runs.size).toBe(0);
});
