/** An attempt that cannot be prepared now waits by itself: nothing is wrong with it, and others have nothing to do with it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fakeTask, startTestEngine, type TestEngine } from './engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  // As behind a row that somebody holds.
  const never = new Promise<void>(() => {});
  engine = await startTestEngine({
    beforeCluster: (taskKey) => (taskKey === 'stuck' ? never : Promise.resolve()),
  });
});
afterAll(() => engine.close());

test('it neither fails nor keeps other runs from their work', async () => {
  const stuck = await engine.client.runsSubmit({ run_name: 'stuck', tasks: [fakeTask('stuck')] });
  const tasks = ['a', 'b', 'c', 'd'].map((key, index, keys) =>
    fakeTask(key, { after: keys.slice(Math.max(0, index - 1), index) }),
  );
  const sound = await engine.client.runsSubmit({ run_name: 'sound', tasks });

  const run = await engine.waitForEnd(sound.run_id);
  const waiting = await engine.client.runsGet({ run_id: stuck.run_id });
  await engine.client.runsCancel({ run_id: stuck.run_id });

  expect(run.state.result_state).toBe('SUCCESS');
  expect(waiting.tasks?.map(({ state }) => state.life_cycle_state)).toEqual(['PENDING']);
  expect((await engine.waitForEnd(stuck.run_id)).state.result_state).toBe('CANCELED');
  expect(engine.starts.filter((start) => start.startsWith(`${stuck.run_id} `))).toEqual([]);
});
