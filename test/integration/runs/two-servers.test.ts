/** Two servers over one store: fences decide, and neither knows of the other. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fakeTask, startTestEngine, type TestEngine } from './engine.ts';

let one: TestEngine;
let other: TestEngine;
beforeAll(async () => {
  one = await startTestEngine({ workerId: 'one', slots: 3 });
  other = await startTestEngine({ workerId: 'other', slots: 3, beside: one });
});
afterAll(async () => {
  await other.close();
  await one.close();
});

test('each attempt is started once, by one of the two workers', async () => {
  const keys = ['a', 'b', 'c', 'd'];
  const tasks = keys.map((key, index) =>
    fakeTask(key, { after: keys.slice(0, index), fake: { kind: 'succeed', afterMs: 3 } }),
  );

  const runs = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      (index % 2 === 0 ? one : other).client.runsSubmit({ run_name: `shared ${index}`, tasks }),
    ),
  );
  const ended = await Promise.all(runs.map(({ run_id }) => one.waitForEnd(run_id)));

  expect(ended.map((run) => run.state.result_state)).toEqual(runs.map(() => 'SUCCESS'));
  const starts = [...one.starts, ...other.starts];
  expect(starts).toHaveLength(80);
  expect(new Set(starts).size).toBe(80);
});

test('the places of a job are given away once', async () => {
  const { job_id } = await one.client.jobsCreate({
    name: 'narrow',
    max_concurrent_runs: 2,
    tasks: [fakeTask('load', { fake: { kind: 'hang' } })],
  });

  const runs = await Promise.all(
    Array.from({ length: 10 }, (_, index) => (index % 2 === 0 ? one : other).client.jobsRunNow({ job_id })),
  );

  const shown = await Promise.all(runs.map(({ run_id }) => one.client.runsGet({ run_id })));
  expect(shown.filter((run) => run.state.life_cycle_state === 'RUNNING')).toHaveLength(2);
  expect(shown.filter((run) => run.state.life_cycle_state === 'SKIPPED')).toHaveLength(8);
  await one.client.jobsDelete({ job_id });
  await Promise.all(runs.map(({ run_id }) => one.waitForEnd(run_id)));
});

test('a run that one server moves is cancelled through the other', async () => {
  const { run_id } = await one.client.runsSubmit({
    run_name: 'far',
    tasks: [fakeTask('load', { fake: { kind: 'hang' } })],
  });
  await one.waitFor('the task to run', async () => {
    const run = await one.client.runsGet({ run_id });
    return run.tasks?.[0]?.state.life_cycle_state === 'RUNNING';
  });

  await other.client.runsCancel({ run_id });

  expect((await other.waitForEnd(run_id)).state.result_state).toBe('CANCELED');
});

test('of one token, two servers make one run', async () => {
  const submit = (engine: TestEngine) =>
    engine.client.runsSubmit({ run_name: 'once', idempotency_token: 'shared', tasks: [fakeTask('load')] });

  const runs = await Promise.all([submit(one), submit(other), submit(one), submit(other)]);

  expect(new Set(runs.map(({ run_id }) => run_id)).size).toBe(1);
});
