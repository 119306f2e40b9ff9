/** `only` of run-now: some tasks of a job, with what they depend on or what depends on them. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { resultsOf, runJob, startJob } from './control.ts';
import { fakeTask, startTestEngine, type TestEngine } from './engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(() => engine.close());

// a → b → c → d, and e alone
const tasks = [
  fakeTask('a'),
  fakeTask('b', { after: ['a'] }),
  fakeTask('c', { after: ['b'] }),
  fakeTask('d', { after: ['c'] }),
  fakeTask('e'),
];

test.each([
  [['b'], ['b']],
  [['+b'], ['a', 'b']],
  [['b+'], ['b', 'c', 'd']],
  [['+b+'], ['a', 'b', 'c', 'd']],
  [
    ['a', 'c'],
    ['a', 'c'],
  ],
  [
    ['e', '+b', 'b'],
    ['a', 'b', 'e'],
  ],
])('%j runs %j', async (only, expected) => {
  const run = await runJob(engine, { tasks }, { only });

  expect(resultsOf(run)).toEqual(Object.fromEntries(expected.map((key) => [key, 'SUCCESS'])));
});

test('a task that is chosen without what it depends on does not wait for it', async () => {
  const run = await runJob(
    engine,
    { tasks: [fakeTask('a', { fake: { kind: 'fail' } }), ...tasks.slice(1)] },
    { only: ['b'] },
  );

  expect(run.state.result_state).toBe('SUCCESS');
});

test('a for-each is chosen by its own key, not by that of what it repeats', async () => {
  const loop = { task_key: 'loop', for_each_task: { inputs: '[1]', task: fakeTask('one') } };
  const run = await runJob(engine, { tasks: [loop, fakeTask('e')] }, { only: ['loop'] });
  expect(resultsOf(run)).toMatchObject({ loop: 'SUCCESS' });

  await expect(engine.client.jobsRunNow({ job_id: run.job_id ?? 0, only: ['one'] })).rejects.toMatchObject({
    code: 'INVALID_PARAMETER_VALUE',
    message: expect.stringContaining("choose 'loop'"),
  });
});

test('a task that is not there is named, and nothing is run', async () => {
  const { jobId, runId } = await startJob(engine, { tasks });
  await engine.waitForEnd(runId);

  await expect(engine.client.jobsRunNow({ job_id: jobId, only: ['+x'] })).rejects.toMatchObject({
    code: 'INVALID_PARAMETER_VALUE',
    message: "only: task 'x' is not a task of this job",
  });

  expect((await engine.client.runsList({ job_id: jobId })).runs).toHaveLength(1);
});
