/** Conditions, for-each, runs of other jobs: through the API, with fake hosts. */
import type { JobSettings, RunDocument } from '@headrace/api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fakeTask, startTestEngine, type TestEngine } from './engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(() => engine.close());

async function runJob(settings: JobSettings, parameters: Record<string, string> = {}): Promise<RunDocument> {
  const { job_id } = await engine.client.jobsCreate(settings);
  const { run_id } = await engine.client.jobsRunNow({ job_id, job_parameters: parameters });
  return engine.waitForEnd(run_id);
}

function resultsOf(run: RunDocument): Record<string, string | undefined> {
  return Object.fromEntries((run.tasks ?? []).map((task) => [task.task_key, task.state.result_state]));
}

const setsScore = (score: string) => fakeTask('check', { fake: { kind: 'succeed', taskValues: { score } } });
const isGood = {
  task_key: 'is_good',
  depends_on: [{ task_key: 'check' }],
  condition_task: {
    op: 'EQUAL_TO' as const,
    left: '{{tasks.check.values.score}}',
    right: '{{job.parameters.wanted}}',
  },
};
const branch = (key: string, outcome: string) =>
  fakeTask(key, { depends_on: [{ task_key: 'is_good', outcome }] });

test('the branch of a condition runs, the other is excluded, and the comparison is shown', async () => {
  const run = await runJob({
    name: 'branches',
    parameters: [{ name: 'wanted', default: 'GOOD' }],
    tasks: [setsScore('GOOD'), isGood, branch('load', 'true'), branch('skip', 'false')],
  });

  expect(run.state.result_state).toBe('SUCCESS');
  expect(resultsOf(run)).toEqual({ check: 'SUCCESS', is_good: 'SUCCESS', load: 'SUCCESS', skip: 'EXCLUDED' });
  const condition = run.tasks?.find((task) => task.task_key === 'is_good')?.condition_task;
  expect(condition).toMatchObject({ outcome: 'true' });
});

test('a guarded task runs when its condition holds and is excluded, with what follows, when not', async () => {
  const guarded = (key: string, right: string) =>
    fakeTask(key, {
      after: ['check'],
      condition_task: { op: 'EQUAL_TO', left: '{{tasks.check.values.score}}', right },
    });
  const run = await runJob({
    name: 'guarded',
    tasks: [
      setsScore('FAIR'),
      guarded('full', 'GOOD'),
      guarded('limited', 'FAIR'),
      fakeTask('after', { after: ['full'] }),
    ],
  });

  expect(resultsOf(run)).toEqual({
    check: 'SUCCESS',
    full: 'EXCLUDED',
    limited: 'SUCCESS',
    after: 'EXCLUDED',
  });
});

test('a for-each runs its task for each input, and its values come back as lists', async () => {
  const run = await runJob({
    name: 'each',
    tasks: [
      fakeTask('list', {
        fake: { kind: 'succeed', taskValues: { towns: [{ name: 'Ulm' }, { name: 'Bonn' }] } },
      }),
      {
        task_key: 'towns',
        depends_on: [{ task_key: 'list' }],
        for_each_task: {
          inputs: '{{tasks.list.values.towns}}',
          concurrency: 2,
          task: {
            task_key: 'town',
            spark_python_task: {
              python_file: '/fake.py',
              parameters: ['--fake={"kind":"succeed","taskValues":{"seen":"{{input.name}}"}}'],
            },
          },
        },
      },
      {
        task_key: 'both',
        depends_on: [{ task_key: 'towns' }],
        condition_task: { op: 'EQUAL_TO', left: '{{tasks.towns.values.seen}}', right: '["Ulm","Bonn"]' },
      },
    ],
  });

  expect(resultsOf(run)).toMatchObject({ list: 'SUCCESS', towns: 'SUCCESS', both: 'SUCCESS' });
  expect(run.tasks?.find((task) => task.task_key === 'both')?.condition_task).toMatchObject({
    outcome: 'true',
  });
});

test('a task may be the run of another job, which gets its parameters', async () => {
  const child = await engine.client.jobsCreate({
    name: 'child',
    parameters: [{ name: 'day', default: 'none' }],
    tasks: [
      {
        task_key: 'is_monday',
        condition_task: { op: 'EQUAL_TO', left: '{{job.parameters.day}}', right: 'monday' },
      },
      fakeTask('work', { depends_on: [{ task_key: 'is_monday', outcome: 'true' }] }),
    ],
  });
  const run = await runJob({
    name: 'parent',
    tasks: [
      { task_key: 'other', run_job_task: { job_id: child.job_id, job_parameters: { day: 'monday' } } },
      fakeTask('after', { after: ['other'] }),
    ],
  });

  expect(resultsOf(run)).toEqual({ other: 'SUCCESS', after: 'SUCCESS' });
  const children = await engine.client.runsList({ job_id: child.job_id, expand_tasks: true });
  expect(children.runs?.map(resultsOf)).toEqual([{ is_monday: 'SUCCESS', work: 'SUCCESS' }]);
  expect(children.runs?.[0]?.trigger).toBe('RUN_JOB_TASK');
});

test('a run that is repaired runs the failed task again and what depends on it', async () => {
  const settings = (fake: object) => ({
    name: 'repaired',
    tasks: [fakeTask('a'), fakeTask('b', { after: ['a'], fake }), fakeTask('c', { after: ['b'] })],
  });
  const { job_id } = await engine.client.jobsCreate(settings({ kind: 'fail' }));
  const { run_id } = await engine.client.jobsRunNow({ job_id });
  const failed = await engine.waitForEnd(run_id);
  expect(resultsOf(failed)).toEqual({ a: 'SUCCESS', b: 'FAILED', c: 'UPSTREAM_FAILED' });
  await engine.client.jobsReset({ job_id, new_settings: settings({ kind: 'succeed' }) });

  const preview = await engine.client.runsRepairPreview({ run_id, rerun_all_failed_tasks: true });
  const { repair_id } = await engine.client.runsRepair({ run_id, rerun_all_failed_tasks: true });
  const run = await engine.waitFor('the repair', async () => {
    const now = await engine.client.runsGet({ run_id, include_history: true });
    return now.state.life_cycle_state === 'TERMINATED' && now;
  });

  expect(preview.tasks.map(({ task_key, action }) => [task_key, action])).toEqual([
    ['a', 'reuse'],
    ['b', 'rerun'],
    ['c', 'rerun'],
  ]);
  expect(run.state.result_state).toBe('SUCCESS');
  expect(
    engine.starts.filter((start) => start.startsWith(`${run_id} `)).map((start) => start.split(' ')[1]),
  ).toEqual(['a', 'b', 'b', 'c']);
  await expect(engine.client.runsRepair({ run_id, rerun_tasks: ['a'] })).rejects.toThrow(String(repair_id));
});
