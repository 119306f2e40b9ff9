/** Tokens, places, queues, and what ends many runs at once. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { attemptsOf, runJob, startJob, waitForTask } from './control.ts';
import { fakeTask, startTestEngine, type TestEngine } from './engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(() => engine.close());

const hang = { kind: 'hang' };
const stateOf = async (run_id: number) => {
  const { state } = await engine.client.runsGet({ run_id });
  return state.result_state ?? state.life_cycle_state;
};

describe('idempotency tokens', () => {
  test('twenty requests at once with one token make one run', async () => {
    const { job_id } = await engine.client.jobsCreate({
      name: 'once',
      max_concurrent_runs: 50,
      tasks: [fakeTask('a')],
    });

    const asked = await Promise.all(
      Array.from({ length: 20 }, () =>
        engine.client.jobsRunNow({ job_id, idempotency_token: 'token-of-twenty' }),
      ),
    );

    expect(new Set(asked.map(({ run_id }) => run_id)).size).toBe(1);
    expect((await engine.client.runsList({ job_id })).runs).toHaveLength(1);
  });

  test('twenty requests over the last place make one run and skip none', async () => {
    const { job_id } = await engine.client.jobsCreate({
      name: 'last place',
      tasks: [fakeTask('a', { fake: { kind: 'succeed', afterMs: 50 } })],
    });

    await Promise.all(
      Array.from({ length: 20 }, () => engine.client.jobsRunNow({ job_id, idempotency_token: 'last-place' })),
    );

    const { runs = [] } = await engine.client.runsList({ job_id });
    expect(runs).toHaveLength(1);
    expect((await engine.waitForEnd(runs[0]?.run_id ?? 0)).state.result_state).toBe('SUCCESS');
  });

  test('the same token gives the same run after a crash, when the answer may have been lost', async () => {
    const request = { run_name: 'lost answer', idempotency_token: 'crash-token', tasks: [fakeTask('a')] };
    const answers = Promise.allSettled(Array.from({ length: 5 }, () => engine.client.runsSubmit(request)));

    await engine.crash();
    const [again, later] = [await engine.client.runsSubmit(request), await engine.client.runsSubmit(request)];

    const told = (await answers).flatMap((each) => (each.status === 'fulfilled' ? [each.value.run_id] : []));
    expect(new Set([...told, again.run_id, later.run_id]).size).toBe(1);
    expect((await engine.waitForEnd(again.run_id)).state.result_state).toBe('SUCCESS');
    expect(await attemptsOf(engine, again.run_id, 'a')).toHaveLength(1);
  });

  test('the token of a deleted run is an error that names the run', async () => {
    const request = { run_name: 'gone', idempotency_token: 'deleted-token', tasks: [fakeTask('a')] };
    const { run_id } = await engine.client.runsSubmit(request);
    await engine.waitForEnd(run_id);
    await engine.client.runsDelete({ run_id });

    await expect(engine.client.runsSubmit(request)).rejects.toMatchObject({
      code: 'INVALID_STATE',
      message: expect.stringContaining(`belongs to run ${run_id}, which has been deleted`),
    });
  });

  test('64 characters are taken, 65 are not, and an empty one is none', async () => {
    const submit = (idempotency_token: string) =>
      engine.client.runsSubmit({ run_name: 'long', idempotency_token, tasks: [fakeTask('a')] });

    const first = await submit('x'.repeat(64));
    expect((await submit('x'.repeat(64))).run_id).toBe(first.run_id);
    await expect(submit('x'.repeat(65))).rejects.toMatchObject({
      code: 'INVALID_PARAMETER_VALUE',
      message: 'idempotency_token: expected at most 64 characters',
    });
    expect((await submit('')).run_id).not.toBe((await submit('')).run_id);
  });

  test('a token belongs to the workspace: another job gets the run that has it', async () => {
    const make = async (name: string) =>
      (await engine.client.jobsCreate({ name, tasks: [fakeTask('a')] })).job_id;
    const [one, other] = [await make('one'), await make('other')];
    const first = await engine.client.jobsRunNow({ job_id: one, idempotency_token: 'shared' });

    const second = await engine.client.jobsRunNow({ job_id: other, idempotency_token: 'shared' });

    expect(second.run_id).toBe(first.run_id);
  });
});

describe('places', () => {
  test('the request may turn the queue on for one run', async () => {
    const { jobId, runId } = await startJob(engine, { tasks: [fakeTask('a', { fake: hang })] });

    const { run_id } = await engine.client.jobsRunNow({ job_id: jobId, queue: { enabled: true } });

    expect(await stateOf(run_id)).toBe('QUEUED');
    await engine.client.runsCancel({ run_id: runId });
    await waitForTask(engine, run_id, 'a', 'RUNNING');
    await engine.client.runsCancel({ run_id });
    await engine.waitForEnd(run_id);
  });

  test('a queued run begins after a crash as it would have without', async () => {
    const { jobId, runId } = await startJob(engine, {
      queue: { enabled: true },
      tasks: [fakeTask('a', { fake: { kind: 'succeed', afterMs: 200 } })],
    });
    const { run_id } = await engine.client.jobsRunNow({ job_id: jobId });

    await engine.crash();

    expect((await engine.waitForEnd(runId)).state.result_state).toBe('SUCCESS');
    expect((await engine.waitForEnd(run_id)).state.result_state).toBe('SUCCESS');
  });

  test('with no place at all nothing starts, queued or not', async () => {
    const { jobId, runId } = await startJob(engine, { max_concurrent_runs: 0, tasks: [fakeTask('a')] });
    const queued = await engine.client.jobsRunNow({ job_id: jobId, queue: { enabled: true } });

    expect(await stateOf(runId)).toBe('MAXIMUM_CONCURRENT_RUNS_REACHED');
    expect(await stateOf(queued.run_id)).toBe('QUEUED');
    await engine.client.runsCancelAll({ job_id: jobId });
  });

  test('a job that gets more places lets its queued runs begin', async () => {
    const { jobId, runId } = await startJob(engine, {
      queue: { enabled: true },
      tasks: [fakeTask('a', { fake: hang })],
    });
    const second = await engine.client.jobsRunNow({ job_id: jobId });

    await engine.client.jobsUpdate({ job_id: jobId, new_settings: { max_concurrent_runs: 2 } });

    await waitForTask(engine, second.run_id, 'a', 'RUNNING');
    await engine.client.runsCancelAll({ job_id: jobId });
    await engine.waitForEnd(runId);
  });
});

describe('many at once', () => {
  const settings = { queue: { enabled: true }, tasks: [fakeTask('a', { fake: hang })] };

  test('cancel-all of a job ends its active and queued runs, and those of no other', async () => {
    const mine = await startJob(engine, settings);
    const queued = await engine.client.jobsRunNow({ job_id: mine.jobId });
    const other = await startJob(engine, settings);

    await engine.client.runsCancelAll({ job_id: mine.jobId });

    for (const run_id of [mine.runId, queued.run_id]) {
      expect((await engine.waitForEnd(run_id)).state.result_state).toBe('CANCELED');
    }
    expect(await stateOf(other.runId)).toBe('RUNNING');
    await engine.client.runsCancel({ run_id: other.runId });
  });

  test('all_queued_runs ends queued runs only: of one job, or of all', async () => {
    const [one, other] = [await startJob(engine, settings), await startJob(engine, settings)];
    const [ofOne, ofOther] = [
      await engine.client.jobsRunNow({ job_id: one.jobId }),
      await engine.client.jobsRunNow({ job_id: other.jobId }),
    ];

    await engine.client.runsCancelAll({ job_id: one.jobId, all_queued_runs: true });
    await engine.waitForEnd(ofOne.run_id);
    expect(await stateOf(ofOther.run_id)).toBe('QUEUED');
    await engine.client.runsCancelAll({ all_queued_runs: true });
    await engine.waitForEnd(ofOther.run_id);

    expect([await stateOf(one.runId), await stateOf(other.runId)]).toEqual(['RUNNING', 'RUNNING']);
    for (const { jobId } of [one, other]) await engine.client.runsCancelAll({ job_id: jobId });
    for (const { runId } of [one, other]) await engine.waitForEnd(runId);
  });

  test('cancel-all of a job that does not exist is refused', async () => {
    await expect(engine.client.runsCancelAll({ job_id: 999_999_999 })).rejects.toMatchObject({
      message: 'Job 999999999 does not exist.',
    });
  });
});

describe('runs/delete', () => {
  test('an active run is refused, an ended one is gone from every list', async () => {
    const { jobId, runId } = await startJob(engine, { tasks: [fakeTask('a', { fake: hang })] });
    await expect(engine.client.runsDelete({ run_id: runId })).rejects.toMatchObject({
      code: 'INVALID_STATE',
    });
    await engine.client.runsCancel({ run_id: runId });
    const { tasks } = await engine.waitForEnd(runId);

    await engine.client.runsDelete({ run_id: runId });

    const gone = { message: `Run ${runId} does not exist.` };
    await expect(engine.client.runsGet({ run_id: runId })).rejects.toMatchObject(gone);
    await expect(engine.client.runsDelete({ run_id: runId })).rejects.toMatchObject(gone);
    await expect(engine.client.runsCancel({ run_id: runId })).rejects.toMatchObject(gone);
    await expect(engine.client.runsGet({ run_id: tasks?.[0]?.run_id ?? 0 })).rejects.toThrow(
      'does not exist',
    );
    await expect(engine.client.runsGetOutput({ run_id: tasks?.[0]?.run_id ?? 0 })).rejects.toThrow(
      'does not exist',
    );
    expect((await engine.client.runsList({ job_id: jobId })).runs ?? []).toEqual([]);
  });

  test('a run that was skipped, and one that a task started, can be deleted', async () => {
    const child = await engine.client.jobsCreate({ name: 'child', tasks: [fakeTask('a')] });
    const parent = await runJob(engine, {
      tasks: [{ task_key: 'other', run_job_task: { job_id: child.job_id } }],
    });
    const { runs = [] } = await engine.client.runsList({ job_id: child.job_id });

    await engine.client.runsDelete({ run_id: runs[0]?.run_id ?? 0 });

    expect((await engine.client.runsGet({ run_id: parent.run_id })).state.result_state).toBe('SUCCESS');
  });
});

test('queued runs of a job that was deleted by a server which then died are cancelled', async () => {
  const settings = { queue: { enabled: true }, tasks: [fakeTask('a', { fake: hang })] };
  const { jobId, runId } = await startJob(engine, settings);
  await waitForTask(engine, runId, 'a', 'RUNNING');
  const queued = await engine.client.jobsRunNow({ job_id: jobId });

  await engine.db.pool.query(
    'update jobs set deleted_at_ms = 1, admissions = admissions + 1 where job_id = $1',
    [jobId],
  );

  expect((await engine.waitForEnd(queued.run_id)).state.result_state).toBe('CANCELED');
  await engine.client.runsCancel({ run_id: runId });
  await engine.waitForEnd(runId);
});
