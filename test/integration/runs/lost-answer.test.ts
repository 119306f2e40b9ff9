/** The store has saved, and its answer does not come: what is asked again then must find that it is done. */
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { runJob } from './control.ts';
import { fakeTask, startTestEngine, type TestEngine } from './engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
});
afterEach(() => {
  vi.restoreAllMocks();
});
afterAll(() => engine.close());

/** Of the next save. */
function loseAnswer(): { readonly isLost: () => boolean } {
  let isLost = false;
  const query = pg.Client.prototype.query as (...values: unknown[]) => Promise<unknown>;
  const lossy = async function (this: pg.Client, ...values: unknown[]) {
    const answer = await query.apply(this, values);
    const [{ name }] = values as [{ name?: string }];
    if (isLost || name !== 'runs-save-batch') return answer;
    isLost = true;
    throw new Error('the connection was lost');
  };
  vi.spyOn(pg.Client.prototype, 'query').mockImplementation(lossy as never);
  return { isLost: () => isLost };
}

test('a run is made once', async () => {
  const answer = loseAnswer();

  const { run_id } = await engine.client.runsSubmit({ run_name: 'once', tasks: [fakeTask('a')] });

  expect(answer.isLost()).toBe(true);
  expect((await engine.waitForEnd(run_id)).state.result_state).toBe('SUCCESS');
  const { rows } = await engine.db.pool.query('select run_id from runs');
  expect(rows).toHaveLength(1);
});

test('a repair that has begun is not refused', async () => {
  const { run_id } = await runJob(engine, { tasks: [fakeTask('a', { fake: { kind: 'fail' } })] });
  const answer = loseAnswer();

  const { repair_id } = await engine.client.runsRepair({ run_id, rerun_all_failed_tasks: true });

  expect(answer.isLost()).toBe(true);
  await engine.waitForEnd(run_id);
  const { repair_history } = await engine.client.runsGet({ run_id, include_history: true });
  expect(repair_history?.map(({ id }) => id)).toEqual([undefined, repair_id]);
});
