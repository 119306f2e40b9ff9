/** A run that breaks a rule of ours stands still; all others go on. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fakeTask, startTestEngine, type TestEngine } from './engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(() => engine.close());

test('what the store holds of one run cannot be read: it is refused, and the others run', async () => {
  const hangs = fakeTask('load', { fake: { kind: 'hang' } });
  const broken = await engine.client.runsSubmit({
    run_name: 'broken',
    tasks: [hangs, fakeTask('next', { after: ['load'] })],
  });
  await engine.waitFor('its start', async () => engine.starts.length > 0);
  await engine.db.pool.query(
    `update task_runs set claimed_at_ms = null where run_id = $1 and task_key = 'load'`,
    [broken.run_id],
  );
  await engine.db.pool.query(`update runs set wake_at_ms = 1, version = version + 1 where run_id = $1`, [
    broken.run_id,
  ]);
  const refused = expect(engine.client.runsCancel({ run_id: broken.run_id })).rejects.toThrow(
    'the server made a mistake',
  );
  const sound = await engine.client.runsSubmit({
    run_name: 'sound',
    tasks: [fakeTask('load'), fakeTask('next', { after: ['load'] })],
  });

  await refused;
  expect((await engine.waitForEnd(sound.run_id)).state.result_state).toBe('SUCCESS');
  await engine.db.pool.query('delete from task_runs where run_id = $1', [broken.run_id]);
  await engine.db.pool.query('delete from runs where run_id = $1', [broken.run_id]);
});
