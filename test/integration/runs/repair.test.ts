import type { RequestInputOf, RunDocument, routes } from '@headrace/api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDeletedJobLoop } from '../../../packages/server/src/runs/deleted-job-loop.ts';
import { attemptsOf, childrenOf, resultsOf, runJob, startJob, taskOf, waitForTask } from './control.ts';
import { fakeTask, startTestEngine, type TestEngine } from './engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(() => engine.close());

type RepairRequest = Omit<RequestInputOf<typeof routes.runsRepair>, 'run_id'>;

const fail = { kind: 'fail' };
const hang = { kind: 'hang' };

async function repair(run_id: number, request: RepairRequest): Promise<RunDocument & { repairId: number }> {
  const { repair_id } = await engine.client.runsRepair({ run_id, ...request });
  return { ...(await engine.waitForEnd(run_id)), repairId: repair_id };
}

/** Task keys by the generation in which an attempt of them was made. */
async function attemptsByGeneration(runId: number): Promise<Record<string, string[]>> {
  const { rows } = await engine.db.pool.query<{ generation: number; task_key: string }>(
    'select generation, task_key from task_runs where run_id = $1 order by generation, task_key, iteration, attempt',
    [runId],
  );
  const byGeneration: Record<string, string[]> = {};
  for (const { generation, task_key } of rows) {
    byGeneration[generation] = [...(byGeneration[generation] ?? []), task_key];
  }
  return byGeneration;
}

/** A job whose `b` fails; `healed` are the settings with which it would not. */
async function brokenJob(rest: object = {}) {
  const settings = (fake: object) => ({
    name: 'broken',
    ...rest,
    tasks: [
      fakeTask('a'),
      fakeTask('b', { after: ['a'], fake }),
      fakeTask('c', { after: ['b'] }),
      fakeTask('d'),
    ],
  });
  const { jobId, runId } = await startJob(engine, settings(fail));
  await engine.waitForEnd(runId);
  const heal = () => engine.client.jobsReset({ job_id: jobId, new_settings: settings({ kind: 'succeed' }) });
  return { jobId, runId, heal };
}

describe('what runs again', () => {
  test('rerun_tasks: the named ones alone', async () => {
    const { runId, heal } = await brokenJob();
    await heal();

    const run = await repair(runId, { rerun_tasks: ['b'] });

    expect(await attemptsByGeneration(runId)).toEqual({ 0: ['a', 'b', 'c', 'd'], 1: ['b'] });
    // What depends on it was not asked for: it stays as it ended.
    expect(resultsOf(run)).toEqual({ a: 'SUCCESS', b: 'SUCCESS', c: 'UPSTREAM_FAILED', d: 'SUCCESS' });
    expect(run.state.result_state).toBe('FAILED');
  });

  test('rerun_dependent_tasks: with them all that depend on them', async () => {
    const { runId, heal } = await brokenJob();
    await heal();

    const run = await repair(runId, { rerun_tasks: ['a'], rerun_dependent_tasks: true });

    expect(await attemptsByGeneration(runId)).toEqual({ 0: ['a', 'b', 'c', 'd'], 1: ['a', 'b', 'c'] });
    expect(run.state).toMatchObject({ life_cycle_state: 'TERMINATED', result_state: 'SUCCESS' });
  });

  test('rerun_all_failed_tasks: what failed and what was skipped for it', async () => {
    const { runId, heal } = await brokenJob();
    await heal();

    const run = await repair(runId, { rerun_all_failed_tasks: true });

    expect(await attemptsByGeneration(runId)).toEqual({ 0: ['a', 'b', 'c', 'd'], 1: ['b', 'c'] });
    expect(run.state.result_state).toBe('SUCCESS');
  });

  test('a cancelled run runs again what was cancelled', async () => {
    const { runId } = await startJob(engine, {
      tasks: [fakeTask('a'), fakeTask('b', { after: ['a'], fake: { kind: 'succeed', afterMs: 300 } })],
    });
    await waitForTask(engine, runId, 'b', 'RUNNING');
    await engine.client.runsCancel({ run_id: runId });
    await engine.waitForEnd(runId);

    const run = await repair(runId, { rerun_all_failed_tasks: true });

    expect(await attemptsByGeneration(runId)).toEqual({ 0: ['a', 'b'], 1: ['b'] });
    expect(run.state.result_state).toBe('SUCCESS');
  });

  test('the definition is the current one, with tasks that the job has since, unless the original is asked for', async () => {
    const { jobId, runId } = await brokenJob();
    await engine.client.jobsReset({
      job_id: jobId,
      new_settings: { name: 'grown', tasks: [fakeTask('a'), fakeTask('b'), fakeTask('e', { after: ['b'] })] },
    });

    const original = await repair(runId, {
      rerun_all_failed_tasks: true,
      headrace: { definition: 'original' },
    });
    const current = await repair(runId, {
      rerun_all_failed_tasks: true,
      latest_repair_id: original.repairId,
    });

    expect(original.state.result_state).toBe('FAILED');
    expect(await attemptsByGeneration(runId)).toEqual({
      0: ['a', 'b', 'c', 'd'],
      1: ['b', 'c'],
      2: ['b', 'e'],
    });
    expect(current.state.result_state).toBe('SUCCESS');
  });

  test('new parameters take the place of those of the run, the others stay', async () => {
    const { jobId, runId } = await startJob(
      engine,
      {
        parameters: ['day', 'town'].map((name) => ({ name, default: 'none' })),
        tasks: [{ task_key: 'book', notebook_task: { notebook_path: '/book' } }],
      },
      { job_parameters: { day: 'monday', town: 'Ulm' } },
    );
    await engine.waitForEnd(runId);
    expect(jobId).toBeGreaterThan(0);

    await repair(runId, { rerun_tasks: ['book'], job_parameters: { day: 'friday' } });

    const shown = await engine.client.runsGet({ run_id: runId, include_resolved_values: true });
    expect(taskOf(shown, 'book').resolved_values).toEqual({
      notebook_task: { base_parameters: { day: 'friday', town: 'Ulm' } },
    });
  });

  test('task values of tasks that do not run again stay', async () => {
    const settings = (right: string) => ({
      name: 'values',
      tasks: [
        fakeTask('set', { fake: { kind: 'succeed', taskValues: { rows: 3 } } }),
        {
          task_key: 'check',
          depends_on: [{ task_key: 'set' }],
          condition_task: { op: 'GREATER_THAN' as const, left: '{{tasks.set.values.rows}}', right },
        },
      ],
    });
    const { jobId, runId } = await startJob(engine, settings('{{tasks.set.values.nothing}}'));
    expect(resultsOf(await engine.waitForEnd(runId))).toMatchObject({ check: 'FAILED' });
    await engine.client.jobsReset({ job_id: jobId, new_settings: settings('2') });

    const run = await repair(runId, { rerun_tasks: ['check'] });

    expect(resultsOf(run)).toEqual({ set: 'SUCCESS', check: 'SUCCESS' });
    expect(await attemptsByGeneration(runId)).toEqual({ 0: ['check', 'set'], 1: ['check'] });
  });

  test('a task whose work is another run starts a new one', async () => {
    const { job_id } = await engine.client.jobsCreate({
      name: 'child',
      tasks: [fakeTask('work', { fake: fail })],
    });
    const { runId } = await startJob(engine, { tasks: [{ task_key: 'other', run_job_task: { job_id } }] });
    await engine.waitForEnd(runId);
    await engine.client.jobsReset({ job_id, new_settings: { name: 'child', tasks: [fakeTask('work')] } });

    const run = await repair(runId, { rerun_all_failed_tasks: true });

    expect(run.state.result_state).toBe('SUCCESS');
    expect((await childrenOf(engine, runId)).map(({ result }) => result)).toEqual(['failed', 'succeeded']);
  });

  test('the preview says what then happens', async () => {
    const { runId, heal } = await brokenJob();
    await heal();
    const request = { run_id: runId, rerun_tasks: ['b'], rerun_dependent_tasks: true };

    const preview = await engine.client.runsRepairPreview(request);
    const before = await attemptsByGeneration(runId);
    await repair(runId, request);

    expect(before).toEqual({ 0: ['a', 'b', 'c', 'd'] });
    const rerun = preview.tasks.filter(({ action }) => action === 'rerun').map(({ task_key }) => task_key);
    expect((await attemptsByGeneration(runId))[1]).toEqual(rerun.toSorted());
  });
});

describe('what is refused', () => {
  test.each<[string, RepairRequest, string]>([
    ['nothing chosen', {}, 'rerun_tasks: nothing is chosen'],
    ['a task that is not there', { rerun_tasks: ['b', 'x', 'y'] }, 'rerun_tasks: x, y: no such task'],
    [
      'a repair of a run that has none',
      { rerun_tasks: ['b'], latest_repair_id: 5 },
      'has not been repaired yet',
    ],
    [
      'parameters that exclude each other',
      { rerun_tasks: ['b'], jar_params: [], notebook_params: {} },
      'jar_params and notebook_params exclude each other',
    ],
  ])('%s', async (_, request, told) => {
    const { runId } = await brokenJob();

    await expect(engine.client.runsRepair({ run_id: runId, ...request })).rejects.toThrow(told);
    await expect(engine.client.runsRepairPreview({ run_id: runId, ...request })).rejects.toThrow(told);

    expect(Object.keys(await attemptsByGeneration(runId))).toEqual(['0']);
  });

  test('a later repair that does not name the latest one, or names another', async () => {
    const { runId } = await brokenJob();
    const first = await repair(runId, { rerun_tasks: ['b'] });
    const second = await repair(runId, { rerun_tasks: ['b'], latest_repair_id: first.repairId });

    const request = { run_id: runId, rerun_tasks: ['b'] };
    await expect(engine.client.runsRepair(request)).rejects.toThrow(`its latest repair, ${second.repairId}`);
    await expect(engine.client.runsRepair({ ...request, latest_repair_id: first.repairId })).rejects.toThrow(
      `the latest repair is ${second.repairId}, not ${first.repairId}`,
    );
  });

  test('of two repairs at once, one', async () => {
    const { runId } = await brokenJob();
    const request = { run_id: runId, rerun_tasks: ['b'] };

    const results = await Promise.allSettled([1, 2, 3].map(() => engine.client.runsRepair(request)));
    await engine.waitForEnd(runId);

    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect((await attemptsByGeneration(runId))[1]).toEqual(['b']);
  });

  test('a run that is deleted, or that never was', async () => {
    const { runId } = await brokenJob();
    await engine.client.runsDelete({ run_id: runId });

    for (const run_id of [runId, 999_999_999]) {
      await expect(engine.client.runsRepair({ run_id, rerun_tasks: ['b'] })).rejects.toMatchObject({
        code: 'RESOURCE_DOES_NOT_EXIST',
        message: `Run ${run_id} does not exist.`,
      });
    }
  });

  test('a run that was skipped for lack of a place', async () => {
    const { jobId } = await startJob(engine, { tasks: [fakeTask('a', { fake: hang })] });
    const { run_id } = await engine.client.jobsRunNow({ job_id: jobId });

    await expect(engine.client.runsRepair({ run_id, rerun_tasks: ['a'] })).rejects.toThrow(
      'the run was skipped',
    );
    await engine.client.runsCancelAll({ job_id: jobId });
  });
});

describe('iterations of a for-each', () => {
  const settings = (kinds: string) => ({
    name: 'partly',
    parameters: [{ name: 'kinds', default: kinds }],
    tasks: [
      {
        task_key: 'loop',
        for_each_task: {
          inputs: '{{job.parameters.kinds}}',
          concurrency: 4,
          task: {
            task_key: 'one',
            spark_python_task: {
              python_file: '/f.py',
              parameters: ['--fake={"kind":"{{input.kind}}","taskValues":{"n":"{{input.n}}"}}'],
            },
          },
        },
      },
      {
        task_key: 'all',
        depends_on: [{ task_key: 'loop' }],
        condition_task: { op: 'EQUAL_TO' as const, left: '{{tasks.loop.values.n}}', right: '["1","2","3"]' },
      },
    ],
  });
  const kinds = (middle: string) =>
    JSON.stringify([
      { kind: 'succeed', n: 1 },
      { kind: middle, n: 2 },
      { kind: 'succeed', n: 3 },
    ]);

  test('only failed ones run again, with the values of the others kept', async () => {
    let tries = 0;
    const flaky = await startTestEngine();
    try {
      const { runId, jobId } = await startJob(flaky, settings(kinds('fail')));
      await flaky.waitForEnd(runId);
      // The inputs stay the same; what the tasks do with them does not.
      const healed = settings(kinds('fail'));
      const [loop] = healed.tasks;
      if (!loop?.for_each_task) throw new Error('the first task is the for-each');
      loop.for_each_task.task.spark_python_task.parameters = [
        '--fake={"kind":"succeed","taskValues":{"n":"{{input.n}}"}}',
      ];
      await flaky.client.jobsReset({ job_id: jobId, new_settings: healed });
      const preview = await flaky.client.runsRepairPreview({ run_id: runId, rerun_all_failed_tasks: true });
      await flaky.client.runsRepair({ run_id: runId, rerun_all_failed_tasks: true });
      const run = await flaky.waitForEnd(runId);
      tries = flaky.starts.length;

      expect(preview.tasks[0]).toMatchObject({ action: 'rerun', iterations: { total: 3, reuse: 2 } });
      expect(tries).toBe(4);
      expect(resultsOf(run)).toMatchObject({ loop: 'SUCCESS', all: 'SUCCESS' });
      const [condition] = await attemptsOf(flaky, runId, 'all').then((all) => all.slice(-1));
      expect(condition?.result).toBe('succeeded');
    } finally {
      await flaky.close();
    }
  });

  test('an input that is another now runs again, and so do all with new parameters', async () => {
    const { runId } = await startJob(engine, settings(kinds('fail')));
    await engine.waitForEnd(runId);

    const run = await repair(runId, {
      rerun_all_failed_tasks: true,
      job_parameters: { kinds: kinds('succeed') },
    });

    expect(resultsOf(run)).toMatchObject({ loop: 'SUCCESS' });
    const again = (await attemptsOf(engine, runId, 'one')).filter(({ generation }) => generation === 1);
    expect(again.map(({ iteration }) => iteration)).toEqual([0, 1, 2]);
  });
});

test('a repair of a repair of a repair: every generation has its own attempts', async () => {
  const { runId, heal } = await brokenJob();
  const first = await repair(runId, { rerun_all_failed_tasks: true });
  const second = await repair(runId, { rerun_all_failed_tasks: true, latest_repair_id: first.repairId });
  await heal();

  const third = await repair(runId, { rerun_all_failed_tasks: true, latest_repair_id: second.repairId });

  expect(await attemptsByGeneration(runId)).toEqual({
    0: ['a', 'b', 'c', 'd'],
    1: ['b', 'c'],
    2: ['b', 'c'],
    3: ['b', 'c'],
  });
  expect(third.state.result_state).toBe('SUCCESS');
});

test('a run of tasks without a job can be repaired too', async () => {
  const { run_id } = await engine.client.runsSubmit({
    run_name: 'once',
    tasks: [fakeTask('a'), fakeTask('b', { after: ['a'], fake: fail })],
  });
  await engine.waitForEnd(run_id);

  const run = await repair(run_id, { rerun_all_failed_tasks: true });

  expect(run.state.result_state).toBe('FAILED');
  expect(await attemptsByGeneration(run_id)).toEqual({ 0: ['a', 'b'], 1: ['b'] });
});

test('a crash in the middle of a repair loses nothing and doubles nothing', async () => {
  const { runId } = await startJob(engine, {
    tasks: [fakeTask('a'), fakeTask('b', { after: ['a'], fake: { kind: 'fail', afterMs: 100 } })],
  });
  await engine.waitForEnd(runId);
  const asked = engine.client.runsRepair({ run_id: runId, rerun_all_failed_tasks: true });
  await asked;

  await engine.crash();
  await engine.waitForEnd(runId);

  expect(await attemptsByGeneration(runId)).toEqual({ 0: ['a', 'b'], 1: ['b'] });
  expect(engine.starts.filter((start) => start.startsWith(`${runId} b`))).toHaveLength(2);
});

test('the parameters with which only some tasks were chosen hold for the repair too', async () => {
  const run = await runJob(
    engine,
    { tasks: [fakeTask('a'), fakeTask('b', { after: ['a'], fake: fail }), fakeTask('c', { after: ['b'] })] },
    { only: ['+b'] },
  );

  await repair(run.run_id, { rerun_all_failed_tasks: true, rerun_dependent_tasks: true });

  expect(await attemptsByGeneration(run.run_id)).toEqual({ 0: ['a', 'b'], 1: ['b'] });
});

test('a run whose job has been deleted is repaired as it was, and counts in no place', async () => {
  const { jobId, runId } = await brokenJob();
  await engine.client.jobsDelete({ job_id: jobId });

  await repair(runId, { rerun_tasks: ['b'] });

  expect(await attemptsByGeneration(runId)).toEqual({ 0: ['a', 'b', 'c', 'd'], 1: ['b'] });
});

test('a repair of a run whose job was deleted before is not cancelled for it', async () => {
  const slow = fakeTask('slow', { fake: { ...fail, afterMs: 1_500 } });
  const { jobId, runId } = await startJob(engine, { name: 'gone', tasks: [slow] });
  await engine.waitForEnd(runId);
  await engine.client.jobsDelete({ job_id: jobId });
  await engine.client.runsRepair({ run_id: runId, rerun_tasks: ['slow'] });
  await waitForTask(engine, runId, 'slow', 'RUNNING');

  await createDeletedJobLoop(engine.runs.services).turn();

  expect((await engine.waitForEnd(runId)).state.result_state).toBe('FAILED');
});

test('a task whose key is the name of its run is named by it', async () => {
  const run_name = 'nightly load (EU)';
  const { run_id } = await engine.client.runsSubmit({
    run_name,
    spark_python_task: { python_file: '/fake.py', parameters: [`--fake=${JSON.stringify(fail)}`] },
  });
  await engine.waitForEnd(run_id);

  const why = await engine.client.runsWhy({ run_id, task_key: run_name });
  await repair(run_id, { rerun_tasks: [run_name] });

  expect(why.sentence).toContain(`Task '${run_name}' failed`);
  expect(await attemptsByGeneration(run_id)).toEqual({ 0: [run_name], 1: [run_name] });
});
