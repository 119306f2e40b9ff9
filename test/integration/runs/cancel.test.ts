import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDeletedJobLoop } from '../../../packages/server/src/runs/deleted-job-loop.ts';
import { waitForTask } from './control.ts';
import { fakeTask, startTestEngine, type TestEngine } from './engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(() => engine.close());

const hang = { kind: 'hang' };

test('a cancelled run stops what runs and starts no further task', async () => {
  const { run_id } = await engine.client.runsSubmit({
    run_name: 'long',
    tasks: [fakeTask('load', { fake: hang }), fakeTask('report', { after: ['load'], run_if: 'ALL_DONE' })],
  });
  await engine.waitFor('the task to run', async () => {
    const run = await engine.client.runsGet({ run_id });
    return run.tasks?.[0]?.state.life_cycle_state === 'RUNNING';
  });
  const asked = performance.now();

  await engine.client.runsCancel({ run_id });
  const run = await engine.waitForEnd(run_id);

  expect(performance.now() - asked).toBeLessThan(3_000);
  expect(run.state).toMatchObject({
    life_cycle_state: 'TERMINATED',
    result_state: 'CANCELED',
    user_cancelled_or_timedout: true,
  });
  expect(run.status.termination_details).toMatchObject({ code: 'USER_CANCELED', type: 'SUCCESS' });
  expect(run.tasks?.map((task) => task.state.result_state)).toEqual(['CANCELED', 'CANCELED']);
});

test('cancelling an ended run again is no mistake', async () => {
  const { run_id } = await engine.client.runsSubmit({ run_name: 'short', tasks: [fakeTask('load')] });
  await engine.waitForEnd(run_id);

  await engine.client.runsCancel({ run_id });

  expect((await engine.client.runsGet({ run_id })).state.result_state).toBe('SUCCESS');
});

test('an unknown run cannot be cancelled', async () => {
  await expect(engine.client.runsCancel({ run_id: 999_999_999 })).rejects.toMatchObject({
    code: 'RESOURCE_DOES_NOT_EXIST',
    message: 'Run 999999999 does not exist.',
  });
});

test('deleting a job cancels its runs', async () => {
  const { job_id } = await engine.client.jobsCreate({
    name: 'doomed',
    tasks: [fakeTask('load', { fake: hang })],
  });
  const { run_id } = await engine.client.jobsRunNow({ job_id });

  await engine.client.jobsDelete({ job_id });

  expect((await engine.waitForEnd(run_id)).state.result_state).toBe('CANCELED');
  await expect(engine.client.jobsGet({ job_id })).rejects.toMatchObject({ code: 'INVALID_PARAMETER_VALUE' });
});

test('a server that dies while it deletes a job leaves its runs to any other, and those of other jobs alone', async () => {
  const settings = { queue: { enabled: true }, tasks: [fakeTask('load', { fake: hang })] };
  const deleted = await engine.client.jobsCreate({ name: 'half deleted', ...settings });
  const kept = await engine.client.jobsCreate({ name: 'kept', ...settings });
  const run = await engine.client.jobsRunNow({ job_id: deleted.job_id });
  const other = await engine.client.jobsRunNow({ job_id: kept.job_id });
  await waitForTask(engine, run.run_id, 'load', 'RUNNING');
  await engine.db.pool.query('update jobs set deleted_at_ms = 1 where job_id = $1', [deleted.job_id]);

  await createDeletedJobLoop(engine.runs.services).turn();

  expect((await engine.waitForEnd(run.run_id)).state.result_state).toBe('CANCELED');
  expect((await engine.client.runsGet({ run_id: other.run_id })).state.life_cycle_state).not.toBe(
    'TERMINATED',
  );
  await engine.client.runsCancel({ run_id: other.run_id });
  await engine.waitForEnd(other.run_id);
});

test('asked again after a crash in the middle, deleting a job still cancels its runs', async () => {
  const { job_id } = await engine.client.jobsCreate({
    name: 'half deleted',
    queue: { enabled: true },
    tasks: [fakeTask('load', { fake: hang })],
  });
  const runs = [await engine.client.jobsRunNow({ job_id }), await engine.client.jobsRunNow({ job_id })];
  await engine.db.pool.query('update jobs set deleted_at_ms = 1 where job_id = $1', [job_id]);

  await engine.client.jobsDelete({ job_id });

  for (const { run_id } of runs) {
    expect((await engine.waitForEnd(run_id)).state.result_state).toBe('CANCELED');
  }
  await expect(engine.client.jobsDelete({ job_id })).rejects.toMatchObject({
    code: 'RESOURCE_DOES_NOT_EXIST',
  });
});
