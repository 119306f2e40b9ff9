/** Repairs of runs that are at work, and repairs that need a place. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { attemptsOf, resultsOf, startJob, waitForTask } from './control.ts';
import { fakeTask, startTestEngine, type TestEngine } from './engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine({ slots: 8 });
});
afterAll(() => engine.close());

const fail = { kind: 'fail' };
const hang = { kind: 'hang' };
const whileActive = { headrace: { while_active: true } };
const startsOf = (runId: number, key: string) =>
  engine.starts.filter((start) => start.startsWith(`${runId} ${key} `)).length;
const stateOf = async (run_id: number) => (await engine.client.runsGet({ run_id })).state.life_cycle_state;

describe('while the run is active', () => {
  /** `bad` has failed, `live` is at work, `join` waits for it. */
  async function activeRun(live: object = { kind: 'succeed', afterMs: 400 }) {
    const { runId } = await startJob(engine, {
      tasks: [
        fakeTask('bad', { fake: fail }),
        fakeTask('after_bad', { after: ['bad'] }),
        fakeTask('live', { fake: live }),
        fakeTask('after_live', { after: ['live'] }),
        fakeTask('join', { after: ['bad', 'live'], run_if: 'ALL_DONE' }),
      ],
    });
    await waitForTask(engine, runId, 'after_bad', 'UPSTREAM_FAILED');
    await waitForTask(engine, runId, 'live', 'RUNNING');
    return runId;
  }

  test('it is refused unless it is asked for', async () => {
    const run_id = await activeRun();

    await expect(engine.client.runsRepair({ run_id, rerun_tasks: ['bad'] })).rejects.toMatchObject({
      code: 'INVALID_STATE',
      message: expect.stringContaining('the run is active'),
    });

    await engine.waitForEnd(run_id);
    expect(startsOf(run_id, 'bad')).toBe(1);
  });

  test('what failed runs again, and what is live goes on and counts once', async () => {
    const run_id = await activeRun();

    await engine.client.runsRepair({ run_id, rerun_all_failed_tasks: true, ...whileActive });
    const run = await engine.waitForEnd(run_id);

    expect(resultsOf(run)).toEqual({
      bad: 'FAILED',
      after_bad: 'UPSTREAM_FAILED',
      live: 'SUCCESS',
      after_live: 'SUCCESS',
      join: 'SUCCESS',
    });
    expect([startsOf(run_id, 'bad'), startsOf(run_id, 'live'), startsOf(run_id, 'join')]).toEqual([2, 1, 1]);
    expect(await attemptsOf(engine, run_id, 'live')).toHaveLength(1);
  });

  test('a chosen task that is live is refused, and nothing changes', async () => {
    const run_id = await activeRun();
    const request = { run_id, rerun_tasks: ['bad', 'live'], ...whileActive };

    await expect(engine.client.runsRepair(request)).rejects.toThrow('live: has not ended');
    await expect(engine.client.runsRepairPreview(request)).rejects.toThrow('live: has not ended');

    await engine.waitForEnd(run_id);
    expect([startsOf(run_id, 'bad'), startsOf(run_id, 'live')]).toEqual([1, 1]);
  });

  test('a chosen task on which a live one depends is refused', async () => {
    const { runId } = await startJob(engine, {
      tasks: [fakeTask('first'), fakeTask('second', { after: ['first'], fake: hang })],
    });
    await waitForTask(engine, runId, 'second', 'RUNNING');

    await expect(
      engine.client.runsRepair({ run_id: runId, rerun_tasks: ['first'], ...whileActive }),
    ).rejects.toThrow('second: depends on a task to run again and is under way');

    await engine.client.runsCancel({ run_id: runId });
    await engine.waitForEnd(runId);
  });

  test('with what depends on it: a task that has not begun waits for the new attempt too', async () => {
    const run_id = await activeRun();

    await engine.client.runsRepair({
      run_id,
      rerun_tasks: ['bad'],
      rerun_dependent_tasks: true,
      ...whileActive,
    });
    const run = await engine.waitForEnd(run_id);

    expect(resultsOf(run)).toMatchObject({ bad: 'FAILED', join: 'SUCCESS', live: 'SUCCESS' });
    expect([startsOf(run_id, 'bad'), startsOf(run_id, 'join'), startsOf(run_id, 'live')]).toEqual([2, 1, 1]);
  });

  test('a run that is being cancelled is not repaired', async () => {
    const { runId } = await startJob(engine, {
      tasks: [fakeTask('bad', { fake: fail }), fakeTask('live', { fake: hang })],
    });
    await waitForTask(engine, runId, 'bad', 'FAILED');
    await waitForTask(engine, runId, 'live', 'RUNNING');

    const results = await Promise.allSettled([
      engine.client.runsCancel({ run_id: runId }),
      engine.client.runsRepair({ run_id: runId, rerun_tasks: ['bad'], ...whileActive }),
    ]);
    const run = await engine.waitForEnd(runId);

    expect(results[0].status).toBe('fulfilled');
    expect(run.state.result_state === 'CANCELED' || results[1].status === 'fulfilled').toBe(true);
  });

  test('after it the run can be repaired again, naming it', async () => {
    const run_id = await activeRun();
    const first = await engine.client.runsRepair({ run_id, rerun_all_failed_tasks: true, ...whileActive });
    await engine.waitForEnd(run_id);

    await engine.client.runsRepair({
      run_id,
      rerun_tasks: ['bad'],
      latest_repair_id: first.repair_id,
    });
    await engine.waitForEnd(run_id);

    expect((await attemptsOf(engine, run_id, 'bad')).map(({ generation }) => generation)).toEqual([0, 1, 2]);
  });

  test('a crash right after it: what was live has run once', async () => {
    const run_id = await activeRun();
    await engine.client.runsRepair({ run_id, rerun_all_failed_tasks: true, ...whileActive });

    await engine.crash();
    const run = await engine.waitForEnd(run_id);

    expect(resultsOf(run)).toMatchObject({ bad: 'FAILED', live: 'SUCCESS', after_live: 'SUCCESS' });
    expect([startsOf(run_id, 'bad'), startsOf(run_id, 'live')]).toEqual([2, 1]);
  });
});

describe('when all places of the job are taken', () => {
  /** A run that has failed, of a job whose one place another run has. */
  async function failedRun(rest: object) {
    const settings = (fake: object) => ({ name: 'narrow', ...rest, tasks: [fakeTask('a', { fake })] });
    const { jobId, runId } = await startJob(engine, settings(fail));
    await engine.waitForEnd(runId);
    await engine.client.jobsReset({ job_id: jobId, new_settings: settings(hang) });
    const { run_id: busyId } = await engine.client.jobsRunNow({ job_id: jobId });
    await waitForTask(engine, busyId, 'a', 'RUNNING');
    await engine.client.jobsReset({ job_id: jobId, new_settings: settings({ kind: 'succeed' }) });
    return { jobId, runId, busyId };
  }
  const queue = { queue: { enabled: true } };

  test('without a queue a repair is refused', async () => {
    const { runId, busyId } = await failedRun({});

    await expect(
      engine.client.runsRepair({ run_id: runId, rerun_all_failed_tasks: true }),
    ).rejects.toMatchObject({
      code: 'INVALID_STATE',
      message: expect.stringContaining('max_concurrent_runs'),
    });

    expect(await stateOf(runId)).toBe('INTERNAL_ERROR');
    await engine.client.runsCancel({ run_id: busyId });
    await engine.waitForEnd(busyId);
  });

  test('with a queue it waits, and runs when a place is free', async () => {
    const { runId, busyId } = await failedRun(queue);

    await engine.client.runsRepair({ run_id: runId, rerun_all_failed_tasks: true });
    expect(await stateOf(runId)).toBe('QUEUED');
    await engine.client.runsCancel({ run_id: busyId });

    expect((await engine.waitForEnd(runId)).state.result_state).toBe('SUCCESS');
    expect(startsOf(runId, 'a')).toBe(2);
  });

  test('a queued repair can be cancelled, and the run repaired again', async () => {
    const { runId, busyId } = await failedRun(queue);
    const { repair_id } = await engine.client.runsRepair({ run_id: runId, rerun_all_failed_tasks: true });

    await engine.client.runsCancel({ run_id: runId });
    const cancelled = await engine.waitForEnd(runId);
    await engine.client.runsCancel({ run_id: busyId });
    await engine.waitForEnd(busyId);
    await engine.client.runsRepair({
      run_id: runId,
      rerun_all_failed_tasks: true,
      latest_repair_id: repair_id,
    });

    expect(cancelled.state.result_state).toBe('CANCELED');
    expect((await engine.waitForEnd(runId)).state.result_state).toBe('SUCCESS');
    expect(startsOf(runId, 'a')).toBe(2);
  });

  test('a queued repair survives a crash', async () => {
    const { runId, busyId } = await failedRun(queue);
    await engine.client.runsRepair({ run_id: runId, rerun_all_failed_tasks: true });

    await engine.crash();
    await engine.client.runsCancel({ run_id: busyId });

    expect((await engine.waitForEnd(runId)).state.result_state).toBe('SUCCESS');
  });

  test('a run under repair takes a place itself', async () => {
    const { jobId, runId, busyId } = await failedRun(queue);
    await engine.client.runsCancel({ run_id: busyId });
    await engine.waitForEnd(busyId);
    await engine.client.jobsUpdate({
      job_id: jobId,
      new_settings: { tasks: [fakeTask('a', { fake: hang })] },
    });

    await engine.client.runsRepair({ run_id: runId, rerun_all_failed_tasks: true });
    const { run_id } = await engine.client.jobsRunNow({ job_id: jobId });

    expect(await stateOf(run_id)).toBe('QUEUED');
    await engine.client.runsCancelAll({ job_id: jobId });
    await engine.waitForEnd(runId);
  });

  test('of runs repaired at once no more are at work than the job may have', async () => {
    const settings = (fake: object) => ({
      name: 'many',
      max_concurrent_runs: 2,
      ...queue,
      tasks: [fakeTask('a', { fake })],
    });
    const { job_id } = await engine.client.jobsCreate(settings(fail));
    const runs = await Promise.all([1, 2, 3, 4, 5].map(() => engine.client.jobsRunNow({ job_id })));
    for (const { run_id } of runs) await engine.waitForEnd(run_id);
    await engine.client.jobsReset({ job_id, new_settings: settings({ kind: 'succeed', afterMs: 60 }) });

    await Promise.all(
      runs.map(({ run_id }) => engine.client.runsRepair({ run_id, rerun_all_failed_tasks: true })),
    );
    const { runs: active = [] } = await engine.client.runsList({ job_id, active_only: true });
    const ended = await Promise.all(runs.map(({ run_id }) => engine.waitForEnd(run_id)));

    expect(active.filter(({ state }) => state.life_cycle_state === 'RUNNING').length).toBeLessThanOrEqual(2);
    expect(ended.map(({ state }) => state.result_state)).toEqual(runs.map(() => 'SUCCESS'));
  });
});
