import { afterAll, beforeAll, expect, test } from 'vitest';
import { fakeTask, startTestEngine, type TestEngine } from './engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(() => engine.close());

test('a chain of n tasks runs in order, in at most n + 1 commits', async () => {
  const keys = Array.from({ length: 10 }, (_, index) => `t${index}`);
  const tasks = keys.map((key, index) => fakeTask(key, { after: index === 0 ? [] : [`t${index - 1}`] }));
  const warm = await engine.client.runsSubmit({ run_name: 'warm', tasks: [fakeTask('only')] });
  await engine.waitForEnd(warm.run_id);
  const before = engine.runs.services.advancer.savesCount;

  const { run_id } = await engine.client.runsSubmit({ run_name: 'chain', tasks });
  const run = await engine.waitForEnd(run_id);

  expect(engine.runs.services.advancer.savesCount - before).toBeLessThanOrEqual(keys.length + 1);
  expect(run.state.result_state).toBe('SUCCESS');
  expect(run.tasks?.map((task) => task.task_key)).toEqual(keys);
  expect(run.tasks?.every((task) => task.state.result_state === 'SUCCESS')).toBe(true);
});
