/** Tasks whose work is the run of another job. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  attemptsOf,
  childrenOf,
  type Json,
  resultsOf,
  runJob,
  startJob,
  taskOf,
  waitForTask,
} from './control.ts';
import { fakeTask, startTestEngine, type TestEngine } from './engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(() => engine.close());

async function makeJob(fake: object, rest: object = {}): Promise<number> {
  const settings = { name: 'child', max_concurrent_runs: 10, tasks: [fakeTask('work', { fake })], ...rest };
  return (await engine.client.jobsCreate(settings)).job_id;
}
const runs = (jobId: number | string, rest: Json = {}) => ({
  task_key: 'other',
  run_job_task: { job_id: jobId },
  ...rest,
});
const succeed = { kind: 'succeed' };
const hang = { kind: 'hang' };

async function waitForChild(runId: number) {
  return engine.waitFor('the child', async () => {
    const [child] = await childrenOf(engine, runId);
    if (!child) return null;
    const run = await engine.client.runsGet({ run_id: child.run_id });
    return run.tasks?.[0]?.state.life_cycle_state === 'RUNNING' && child.run_id;
  });
}

describe('how it ends', () => {
  test('the task knows its run, and the run says what started it', async () => {
    const run = await runJob(engine, { tasks: [runs(await makeJob(succeed))] });

    const [child] = await childrenOf(engine, run.run_id);
    const [attempt] = await attemptsOf(engine, run.run_id, 'other');
    expect(attempt?.child_run_id).toBe(child?.run_id);
    expect(await engine.client.runsGet({ run_id: child?.run_id ?? 0 })).toMatchObject({
      trigger: 'RUN_JOB_TASK',
      creator_user_name: 'ada',
    });
  });

  test('a run that fails fails the task, which tells what failed there', async () => {
    const boom = { kind: 'fail', failure: { message: 'ValueError: no rows' } };

    const run = await runJob(engine, {
      tasks: [runs(await makeJob(boom)), fakeTask('after', { after: ['other'] })],
    });

    expect(resultsOf(run)).toEqual({ other: 'FAILED', after: 'UPSTREAM_FAILED' });
    expect(taskOf(run, 'other').state.state_message).toMatch(
      /Run \d+ failed\. Task work: .*ValueError: no rows/,
    );
  });

  test('a failed run is started again as the policy of the task says: each attempt has its own', async () => {
    const run = await runJob(engine, { tasks: [runs(await makeJob({ kind: 'fail' }), { max_retries: 2 })] });

    const attempts = await attemptsOf(engine, run.run_id, 'other');
    expect(attempts.map(({ attempt, result }) => [attempt, result])).toEqual([
      [0, 'failed'],
      [1, 'failed'],
      [2, 'failed'],
    ]);
    expect(new Set(attempts.map(({ child_run_id }) => child_run_id)).size).toBe(3);
  });

  test('a run that someone cancels cancels the task', async () => {
    const { runId } = await startJob(engine, {
      tasks: [runs(await makeJob(hang)), fakeTask('after', { after: ['other'] })],
    });

    await engine.client.runsCancel({ run_id: await waitForChild(runId) });

    expect(resultsOf(await engine.waitForEnd(runId))).toEqual({
      other: 'CANCELED',
      after: 'UPSTREAM_CANCELED',
    });
  });

  test('parameters of the task and of its job go down, the job wins on the same key, references are resolved', async () => {
    const jobId = await makeJob(succeed, {
      parameters: ['day', 'town', 'own', 'list'].map((name) => ({ name, default: 'none' })),
      tasks: [{ task_key: 'book', notebook_task: { notebook_path: '/book' } }],
    });

    const run = await runJob(engine, {
      parameters: [{ name: 'day', default: 'monday' }],
      tasks: [
        fakeTask('list', { fake: { kind: 'succeed', taskValues: { found: [1, 2] } } }),
        {
          ...runs(jobId, { depends_on: [{ task_key: 'list' }] }),
          run_job_task: {
            job_id: jobId,
            job_parameters: {
              day: 'friday',
              town: '{{job.parameters.day}} in Ulm',
              list: '{{tasks.list.values.found}}',
            },
            notebook_params: { book_only: '{{task.name}}' },
          },
        },
      ],
    });

    const [child] = await childrenOf(engine, run.run_id);
    const shown = await engine.client.runsGet({ run_id: child?.run_id ?? 0, include_resolved_values: true });
    expect(shown.tasks?.[0]?.resolved_values).toEqual({
      notebook_task: {
        base_parameters: {
          day: 'monday',
          town: 'monday in Ulm',
          own: 'none',
          list: '[1,2]',
          book_only: 'other',
        },
      },
    });
  });
});

describe('it ends with its parent', () => {
  test('cancelling the run cancels the other run, as the system does', async () => {
    const { runId } = await startJob(engine, { tasks: [runs(await makeJob(hang))] });
    const childId = await waitForChild(runId);

    await engine.client.runsCancel({ run_id: runId });

    expect((await engine.waitForEnd(runId)).status.termination_details?.code).toBe('USER_CANCELED');
    expect((await engine.waitForEnd(childId)).status.termination_details?.code).toBe('CANCELED');
  });

  test('cancelling the task run alone does too', async () => {
    const { runId } = await startJob(engine, { tasks: [runs(await makeJob(hang)), fakeTask('beside')] });
    const childId = await waitForChild(runId);

    await engine.client.runsCancel({ run_id: (await waitForTask(engine, runId, 'other', 'RUNNING')).run_id });

    expect(resultsOf(await engine.waitForEnd(runId))).toEqual({ other: 'CANCELED', beside: 'SUCCESS' });
    expect((await engine.waitForEnd(childId)).state.result_state).toBe('CANCELED');
  });

  test('a task past its limit is timed out, and its run cancelled', async () => {
    const run = await runJob(engine, { tasks: [runs(await makeJob(hang), { timeout_seconds: 1 })] });

    expect(resultsOf(run)).toEqual({ other: 'TIMEDOUT' });
    expect((await childrenOf(engine, run.run_id)).map(({ result }) => result)).toEqual([
      'cancelled_by_system',
    ]);
  });

  test('a job past its limit is timed out, and the runs of its tasks cancelled', async () => {
    const run = await runJob(engine, { timeout_seconds: 1, tasks: [runs(await makeJob(hang))] });

    expect(run.state.result_state).toBe('TIMEDOUT');
    expect((await childrenOf(engine, run.run_id)).map(({ result }) => result)).toEqual([
      'cancelled_by_system',
    ]);
  });

  test('a run that was repaired while it was active is cancelled with its parent too', async () => {
    const tasks = [fakeTask('work', { fake: hang }), fakeTask('bad', { fake: { kind: 'fail' } })];
    const { runId } = await startJob(engine, { tasks: [runs(await makeJob({}, { tasks }))] });
    const childId = await waitForChild(runId);
    await waitForTask(engine, childId, 'bad', 'FAILED');
    await engine.client.runsRepair({
      run_id: childId,
      rerun_tasks: ['bad'],
      headrace: { while_active: true },
    });

    await engine.client.runsCancel({ run_id: runId });

    expect((await engine.waitForEnd(runId)).state.result_state).toBe('CANCELED');
    expect((await engine.waitForEnd(childId)).status.termination_details?.code).toBe('CANCELED');
  });

  test('a cancel goes down through several runs', async () => {
    const leaf = await makeJob(hang);
    const middle = await makeJob(succeed, { tasks: [runs(leaf)] });
    const { runId } = await startJob(engine, { tasks: [runs(middle)] });
    const middleRun = await engine.waitFor(
      'the middle',
      async () => (await childrenOf(engine, runId))[0]?.run_id,
    );
    const leafRun = await waitForChild(middleRun);

    await engine.client.runsCancel({ run_id: runId });

    for (const id of [runId, middleRun, leafRun]) {
      expect((await engine.waitForEnd(id)).state.result_state).toBe('CANCELED');
    }
  });
});

describe('places of the other job', () => {
  test('no place and no queue fails the task and says so', async () => {
    const busy = await makeJob(hang, { max_concurrent_runs: 1 });
    const { run_id } = await engine.client.jobsRunNow({ job_id: busy });

    const run = await runJob(engine, { tasks: [runs(busy)] });

    expect(resultsOf(run)).toEqual({ other: 'FAILED' });
    expect(taskOf(run, 'other').state.state_message).toContain('its job had no place for another run');
    await engine.client.runsCancel({ run_id });
  });

  test('with a queue the run waits for its place, and the task for the run', async () => {
    const busy = await makeJob(
      { kind: 'succeed', afterMs: 20 },
      { max_concurrent_runs: 1, queue: { enabled: true } },
    );
    const started = await Promise.all([1, 2, 3].map(() => startJob(engine, { tasks: [runs(busy)] })));

    const ended = await Promise.all(started.map(({ runId }) => engine.waitForEnd(runId)));

    expect(ended.map(resultsOf)).toEqual([1, 2, 3].map(() => ({ other: 'SUCCESS' })));
  });

  test('a queued run is cancelled with its parent', async () => {
    const busy = await makeJob(hang, { max_concurrent_runs: 1, queue: { enabled: true } });
    const first = await engine.client.jobsRunNow({ job_id: busy });
    const { runId } = await startJob(engine, { tasks: [runs(busy)] });
    const child = await engine.waitFor('the child', async () => (await childrenOf(engine, runId))[0]);
    expect(child.phase).toBe('queued');

    await engine.client.runsCancel({ run_id: runId });

    expect((await engine.waitForEnd(child.run_id)).state.result_state).toBe('CANCELED');
    expect((await engine.waitForEnd(runId)).state.result_state).toBe('CANCELED');
    await engine.client.runsCancel({ run_id: first.run_id });
  });
});

describe('what cannot be started', () => {
  test('a job that would come back to itself is refused when it is saved', async () => {
    const a = await makeJob(succeed);
    const b = await makeJob(succeed, { tasks: [runs(a)] });

    await expect(
      engine.client.jobsReset({ job_id: a, new_settings: { name: 'a', tasks: [runs(b)] } }),
    ).rejects.toMatchObject({
      code: 'INVALID_PARAMETER_VALUE',
      message: expect.stringContaining('in a circle'),
    });
  });

  test('and when it is run: a run keeps the settings with which it began', async () => {
    const a = await makeJob(succeed);
    const b = await makeJob(succeed, { tasks: [runs(a)] });
    // The run of a is frozen before b can be reached from it; then the circle is closed the other way round.
    await engine.client.jobsReset({ job_id: b, new_settings: { name: 'b', tasks: [fakeTask('work')] } });
    await engine.client.jobsReset({
      job_id: a,
      new_settings: {
        name: 'a',
        tasks: [
          fakeTask('wait', { fake: { kind: 'succeed', afterMs: 300 } }),
          runs(b, { depends_on: [{ task_key: 'wait' }] }),
        ],
      },
    });
    const { run_id } = await engine.client.jobsRunNow({ job_id: a });
    await engine.client.jobsReset({ job_id: a, new_settings: { name: 'a', tasks: [fakeTask('work')] } });
    await engine.client.jobsReset({ job_id: b, new_settings: { name: 'b', tasks: [runs(a)] } });

    const run = await engine.waitForEnd(run_id);

    expect(resultsOf(run)).toEqual({ wait: 'SUCCESS', other: 'FAILED' });
    const [child] = await childrenOf(engine, run_id);
    const shown = await engine.client.runsGet({ run_id: child?.run_id ?? 0 });
    expect(taskOf(shown, 'other').state.state_message).toContain(`Job ${a} would start itself`);
  });

  test('a job that is deleted meanwhile fails the task and is named', async () => {
    const gone = await makeJob(succeed);
    const { job_id } = await engine.client.jobsCreate({ name: 'parent', tasks: [runs(gone)] });
    await engine.client.jobsDelete({ job_id: gone });

    const { run_id } = await engine.client.jobsRunNow({ job_id });
    const run = await engine.waitForEnd(run_id);

    expect(resultsOf(run)).toEqual({ other: 'FAILED' });
    expect(taskOf(run, 'other').state.state_message).toContain(`Job ${gone} does not exist`);
  });

  test('a chain of more than ten runs ends with a message', async () => {
    let job = await makeJob(succeed);
    for (let depth = 0; depth < 11; depth++) job = await makeJob(succeed, { tasks: [runs(job)] });

    const { run_id } = await engine.client.jobsRunNow({ job_id: job });
    const run = await engine.waitForEnd(run_id);

    expect(run.state.result_state).toBe('FAILED');
    expect(taskOf(run, 'other').state.state_message).toContain('may be 10 deep');
  });
});

test('a success of the other run that comes after a cancel was asked for still lets both end', async () => {
  const { runId } = await startJob(engine, {
    tasks: [runs(await makeJob({ kind: 'succeed', afterMs: 30 }))],
  });
  const childId = await engine.waitFor('the child', async () => (await childrenOf(engine, runId))[0]?.run_id);

  await engine.client.runsCancel({ run_id: runId });

  expect((await engine.waitForEnd(runId)).state.result_state).toBe('CANCELED');
  await engine.waitForEnd(childId);
});

test('crashes while tasks start runs and hear of their end: each run exists once, and all end', async () => {
  const child = await makeJob({ kind: 'succeed', afterMs: 10 }, { max_concurrent_runs: 100 });
  const second = { ...runs(child), task_key: 'second', depends_on: [{ task_key: 'other' }] };
  const parents = await Promise.all(
    Array.from({ length: 12 }, () => startJob(engine, { tasks: [runs(child), second] })),
  );

  for (const afterMs of [5, 25, 60]) {
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    await engine.crash();
  }
  const ended = await Promise.all(parents.map(({ runId }) => engine.waitForEnd(runId)));

  expect(ended.map(resultsOf)).toEqual(parents.map(() => ({ other: 'SUCCESS', second: 'SUCCESS' })));
  for (const { runId } of parents) {
    expect((await childrenOf(engine, runId)).map(({ result }) => result)).toEqual(['succeeded', 'succeeded']);
  }
});

test('a run that cannot be started for a moment is started later', async () => {
  const child = await makeJob(succeed);
  const { job_id } = await engine.client.jobsCreate({ name: 'patient', tasks: [runs(child)] });
  // What only the start of a run reads; all else goes on.
  await engine.db.pool.query('alter table principals rename to principals_away');

  const { run_id } = await engine.client.jobsRunNow({ job_id });
  await new Promise((resolve) => setTimeout(resolve, 300));
  const [waiting] = await attemptsOf(engine, run_id, 'other');
  await engine.db.pool.query('alter table principals_away rename to principals');
  const run = await engine.waitForEnd(run_id);

  expect(waiting?.state).toBe('ready');
  expect(resultsOf(run)).toEqual({ other: 'SUCCESS' });
  expect(await childrenOf(engine, run_id)).toHaveLength(1);
});

test('cancels at any moment while runs are started leave none of them behind', async () => {
  const child = await makeJob(hang, { max_concurrent_runs: 100 });
  const { job_id } = await engine.client.jobsCreate({
    name: 'cancelled soon',
    max_concurrent_runs: 100,
    tasks: [
      runs(child),
      {
        task_key: 'loop',
        for_each_task: {
          inputs: '[1, 2, 3]',
          concurrency: 2,
          task: { task_key: 'one', run_job_task: { job_id: child } },
        },
      },
    ],
  });

  const ended = await Promise.all(
    Array.from({ length: 20 }, async (_, at) => {
      const { run_id } = await engine.client.jobsRunNow({ job_id });
      await new Promise((resolve) => setTimeout(resolve, at * 2));
      await engine.client.runsCancel({ run_id });
      return engine.waitForEnd(run_id);
    }),
  );

  expect(new Set(ended.map(({ state }) => state.result_state))).toEqual(new Set(['CANCELED']));
  await engine.waitFor('the last of the runs to end', async () => {
    const { runs: active = [] } = await engine.client.runsList({ job_id: child, active_only: true });
    return active.length === 0;
  });
});

test('a crash right after a cancel: the runs of the tasks are cancelled all the same', async () => {
  const child = await makeJob(hang, { max_concurrent_runs: 100 });
  const parents = await Promise.all([1, 2, 3].map(() => startJob(engine, { tasks: [runs(child)] })));
  const children = await Promise.all(parents.map(({ runId }) => waitForChild(runId)));

  await Promise.all(parents.map(({ runId }) => engine.client.runsCancel({ run_id: runId })));
  await engine.crash();

  for (const id of [...children, ...parents.map(({ runId }) => runId)]) {
    expect((await engine.waitForEnd(id)).state.result_state).toBe('CANCELED');
  }
});

test('a job that is deleted takes its runs and theirs with it', async () => {
  const child = await makeJob(hang, { max_concurrent_runs: 100 });
  const { jobId, runId } = await startJob(engine, { tasks: [runs(child)] });
  const childRun = await waitForChild(runId);

  await engine.client.jobsDelete({ job_id: jobId });

  expect((await engine.waitForEnd(runId)).state.result_state).toBe('CANCELED');
  expect((await engine.waitForEnd(childRun)).state.result_state).toBe('CANCELED');
});
