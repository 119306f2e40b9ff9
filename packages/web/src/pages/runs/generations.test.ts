import type { RepairHistoryItem, RunDocument, RunTaskDocument } from '@headrace/api';
import { expect, test } from 'vitest';
import { generationsOf, latestRepairId } from './generations.ts';

// Only the fields that generations are made from.
const task = (run_id: number) => ({ run_id, task_key: `t${run_id}` }) as RunTaskDocument;
const failed = { life_cycle_state: 'INTERNAL_ERROR', result_state: 'FAILED' } as const;
const part = (type: 'ORIGINAL' | 'REPAIR', task_run_ids: number[], id?: number) =>
  ({ type, id, task_run_ids, state: failed }) as RepairHistoryItem;

function aRun(history: RepairHistoryItem[]): RunDocument {
  const state = { life_cycle_state: 'RUNNING' } as const;
  return { tasks: [task(1), task(2), task(3), task(4)], state, repair_history: history } as RunDocument;
}

test('a run without a repair has one generation', () => {
  const [only, ...others] = generationsOf(aRun([part('ORIGINAL', [1])]));

  expect(others).toEqual([]);
  expect(only).toMatchObject({ key: undefined, label: 'Original' });
});

test('each generation has what came before it; the latest has all, and the state of the run', () => {
  const history = [part('ORIGINAL', [1, 2]), part('REPAIR', [3], 501), part('REPAIR', [], 502)];
  const generations = generationsOf(aRun(history));

  expect(generations.map(({ key, label }) => [key, label])).toEqual([
    ['original', 'Original'],
    ['501', 'Repair 1'],
    [undefined, 'Repair 2'],
  ]);
  expect(generations.map(({ tasks }) => tasks.map(({ run_id }) => run_id))).toEqual([
    [1, 2],
    [1, 2, 3],
    [1, 2, 3, 4],
  ]);
  expect(generations.map(({ state }) => state.life_cycle_state)).toEqual([
    'INTERNAL_ERROR',
    'INTERNAL_ERROR',
    'RUNNING',
  ]);
  expect(latestRepairId(aRun(history))).toBe(502);
});
