import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { attemptsOf, childrenOf, resultsOf, runJob, startJob, taskOf, waitForTask } from './control.ts';
import { fakeTask, startTestEngine, type TestEngine } from './engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine({ slots: 8 });
});
afterAll(() => engine.close());

interface ForEachSketch {
  readonly inputs: unknown;
  readonly concurrency?: number;
  readonly fake?: object;
  readonly nested?: object;
  readonly outer?: object;
}

function forEach({ inputs, concurrency, fake, nested, outer }: ForEachSketch) {
  return {
    task_key: 'loop',
    for_each_task: {
      inputs,
      ...(concurrency === undefined ? {} : { concurrency }),
      task: { ...fakeTask('one', fake ? { fake } : {}), ...nested },
    },
    ...outer,
  };
}

describe('inputs', () => {
  test('an empty list succeeds without an iteration, and what follows runs', async () => {
    const run = await runJob(engine, {
      tasks: [forEach({ inputs: '[]' }), fakeTask('after', { after: ['loop'] })],
    });

    expect(resultsOf(run)).toMatchObject({ loop: 'SUCCESS', after: 'SUCCESS' });
    expect(await attemptsOf(engine, run.run_id, 'one')).toEqual([]);
  });

  test('an empty list from an earlier task succeeds too', async () => {
    const run = await runJob(engine, {
      tasks: [
        fakeTask('list', { fake: { kind: 'succeed', taskValues: { found: [] } } }),
        forEach({
          inputs: '{{tasks.list.values.found}}',
          outer: { depends_on: [{ task_key: 'list' }] },
        }),
      ],
    });

    expect(resultsOf(run)).toMatchObject({ list: 'SUCCESS', loop: 'SUCCESS' });
  });

  test.each([
    ['an object', '{{job.parameters.object}}', 'not a JSON array but an object'],
    ['a text', '{{job.parameters.text}}', "not JSON; expected a JSON array, got 'abc'"],
    ['nothing', '{{job.parameters.empty}}', 'the text is empty'],
    ['a reference to a value that nobody set', '{{tasks.quiet.values.list}}', 'not JSON'],
  ])('%s instead of a list fails the task and says so', async (_, inputs, told) => {
    const run = await runJob(engine, {
      parameters: [
        { name: 'empty', default: '' },
        { name: 'object', default: '{"a": 1}' },
        { name: 'text', default: 'abc' },
      ],
      tasks: [fakeTask('quiet'), forEach({ inputs, outer: { depends_on: [{ task_key: 'quiet' }] } })],
    });

    expect(resultsOf(run)).toMatchObject({ quiet: 'SUCCESS', loop: 'FAILED' });
    expect(taskOf(run, 'loop').state.state_message).toContain(told);
    expect(run.state).toMatchObject({ life_cycle_state: 'INTERNAL_ERROR', result_state: 'FAILED' });
    expect(run.state.state_message).toContain('Task loop failed with message:');
  });

  test('a job parameter may be the list, and its entries may be objects and texts with quotes', async () => {
    const inputs = [{ name: 'Ulm "Süd"', nested: { at: [1, null] } }, 'two\nlines', 3, null, true];

    const run = await runJob(
      engine,
      {
        parameters: [{ name: 'towns', default: '[]' }],
        tasks: [
          forEach({
            inputs: '{{job.parameters.towns}}',
            nested: {
              spark_python_task: { python_file: '/f.py', parameters: ['{{input}}', '{{input.name}}'] },
            },
          }),
        ],
      },
      { job_parameters: { towns: JSON.stringify(inputs) } },
    );

    expect(run.state.result_state).toBe('SUCCESS');
    expect((await attemptsOf(engine, run.run_id, 'one')).map(({ input }) => input)).toEqual(inputs);
  });

  test('more than 5,000 inputs fail the task', async () => {
    const run = await runJob(engine, {
      tasks: [
        fakeTask('list', {
          fake: { kind: 'succeed', taskValues: { many: Array.from({ length: 5_001 }, () => 1) } },
        }),
        forEach({ inputs: '{{tasks.list.values.many}}', outer: { depends_on: [{ task_key: 'list' }] } }),
      ],
    });

    expect(taskOf(run, 'loop').state.state_message).toContain('5001 inputs; at most 5000 are allowed');
  });
});

describe('iterations', () => {
  test('no more than concurrency are under way at a time, and as many as that are', async () => {
    const run = await runJob(engine, {
      tasks: [
        forEach({
          inputs: JSON.stringify(Array.from({ length: 12 }, (_, at) => at)),
          concurrency: 3,
          fake: { kind: 'succeed', afterMs: 30 },
        }),
      ],
    });

    const spans = await attemptsOf(engine, run.run_id, 'one');
    const liveAt = (atMs: number) =>
      spans.filter(
        ({ started_at_ms, ended_at_ms }) => (started_at_ms ?? 0) <= atMs && atMs < (ended_at_ms ?? 0),
      ).length;
    const most = Math.max(...spans.map(({ started_at_ms }) => liveAt(started_at_ms ?? 0)));
    expect(spans).toHaveLength(12);
    expect(most).toBeLessThanOrEqual(3);
    expect(most).toBeGreaterThan(1);
  });

  test('without a concurrency they run one after the other, in the order of the inputs', async () => {
    const run = await runJob(engine, {
      tasks: [forEach({ inputs: '[1, 2, 3, 4]', fake: { kind: 'succeed', afterMs: 10 } })],
    });

    const spans = await attemptsOf(engine, run.run_id, 'one');
    for (const [at, span] of spans.entries()) {
      expect(span.started_at_ms ?? 0).toBeGreaterThanOrEqual(spans[at - 1]?.ended_at_ms ?? 0);
    }
  });

  test('300 iterations each run once', async () => {
    const run = await runJob(engine, {
      tasks: [
        forEach({ inputs: JSON.stringify(Array.from({ length: 300 }, (_, at) => at)), concurrency: 100 }),
      ],
    });

    expect(run.state.result_state).toBe('SUCCESS');
    const attempts = await attemptsOf(engine, run.run_id, 'one');
    expect(attempts.map(({ iteration, attempt, result }) => [iteration, attempt, result])).toEqual(
      Array.from({ length: 300 }, (_, at) => [at, 0, 'succeeded']),
    );
    expect(engine.starts.filter((start) => start.startsWith(`${run.run_id} `))).toHaveLength(300);
  });

  test('a failed iteration is retried as the nested task says; the others are not, and the task fails', async () => {
    const run = await runJob(engine, {
      tasks: [
        forEach({
          inputs: '["succeed", "fail", "succeed"]',
          concurrency: 3,
          nested: {
            spark_python_task: { python_file: '/f.py', parameters: ['--fake={"kind":"{{input}}"}'] },
            max_retries: 2,
          },
        }),
        fakeTask('after', { after: ['loop'] }),
      ],
    });

    const attempts = await attemptsOf(engine, run.run_id, 'one');
    expect(attempts.map(({ iteration, attempt, result }) => [iteration, attempt, result])).toEqual([
      [0, 0, 'succeeded'],
      [1, 0, 'failed'],
      [1, 1, 'failed'],
      [1, 2, 'failed'],
      [2, 0, 'succeeded'],
    ]);
    expect(resultsOf(run)).toMatchObject({ loop: 'FAILED', after: 'UPSTREAM_FAILED' });
    expect(taskOf(run, 'loop').state.state_message).toContain(
      '1 of 3 iterations failed; the first, iteration 1:',
    );
  });

  test('a guarded task runs for the inputs for which its condition holds', async () => {
    const run = await runJob(engine, {
      tasks: [
        forEach({
          inputs: '[1, 2, 3]',
          nested: { condition_task: { op: 'GREATER_THAN', left: '{{input}}', right: '1' } },
        }),
      ],
    });

    const attempts = await attemptsOf(engine, run.run_id, 'one');
    expect(attempts.map(({ result }) => result)).toEqual(['excluded', 'succeeded', 'succeeded']);
    expect(resultsOf(run)).toMatchObject({ loop: 'SUCCESS' });
  });

  test('each may be the run of another job, with the input as its parameter', async () => {
    const { job_id } = await engine.client.jobsCreate({
      name: 'child',
      max_concurrent_runs: 3,
      parameters: [{ name: 'town', default: '' }],
      tasks: [
        {
          task_key: 'known',
          condition_task: { op: 'EQUAL_TO', left: '{{job.parameters.town}}', right: 'Ulm' },
        },
        fakeTask('work', { depends_on: [{ task_key: 'known', outcome: 'true' }] }),
      ],
    });

    const run = await runJob(engine, {
      tasks: [
        {
          task_key: 'loop',
          for_each_task: {
            inputs: ['Ulm', 'Bonn', 'Ulm'],
            concurrency: 3,
            task: { task_key: 'one', run_job_task: { job_id, job_parameters: { town: '{{input}}' } } },
          },
        },
      ],
    });

    expect(run.state.result_state).toBe('SUCCESS');
    expect(await childrenOf(engine, run.run_id)).toHaveLength(3);
    expect(engine.starts.filter((start) => start.endsWith(' work 0'))).toHaveLength(2);
  });
});

describe('stopping', () => {
  const slow = forEach({
    inputs: '[1, 2, 3, 4, 5, 6]',
    concurrency: 2,
    fake: { kind: 'hang' },
    nested: { max_retries: 3 },
  });

  test('cancelling the run stops the live iterations and begins no others', async () => {
    const { runId } = await startJob(engine, { tasks: [slow, fakeTask('after', { after: ['loop'] })] });
    await engine.waitFor('two iterations', async () => {
      const attempts = await attemptsOf(engine, runId, 'one');
      return attempts.filter(({ state }) => state === 'running').length === 2;
    });

    await engine.client.runsCancel({ run_id: runId });
    const run = await engine.waitForEnd(runId);

    expect(resultsOf(run)).toMatchObject({ loop: 'CANCELED', after: 'CANCELED' });
    const attempts = await attemptsOf(engine, runId, 'one');
    expect(attempts.map(({ iteration, result }) => [iteration, result])).toEqual([
      [0, 'cancelled'],
      [1, 'cancelled'],
    ]);
  });

  test('a for-each that runs past its limit stops its iterations and is timed out', async () => {
    const run = await runJob(engine, { tasks: [{ ...slow, timeout_seconds: 1 }] });

    expect(resultsOf(run)).toMatchObject({ loop: 'TIMEDOUT' });
    expect(run.state.result_state).toBe('FAILED');
    const attempts = await attemptsOf(engine, run.run_id, 'one');
    expect(attempts.map(({ state, attempt }) => [state, attempt])).toEqual([
      ['ended', 0],
      ['ended', 0],
    ]);
  });

  test('a job that runs past its limit stops a for-each with its iterations', async () => {
    const run = await runJob(engine, { timeout_seconds: 1, tasks: [slow] });

    expect(run.state.result_state).toBe('TIMEDOUT');
    expect(resultsOf(run)).toMatchObject({ loop: 'TIMEDOUT' });
    expect(await attemptsOf(engine, run.run_id, 'one')).toHaveLength(2);
  });

  test('an iteration past its own limit is timed out alone, and the next one begins', async () => {
    const run = await runJob(engine, {
      tasks: [
        forEach({
          inputs: '["hang", "succeed"]',
          nested: {
            spark_python_task: { python_file: '/f.py', parameters: ['--fake={"kind":"{{input}}"}'] },
            timeout_seconds: 1,
          },
        }),
      ],
    });

    const attempts = await attemptsOf(engine, run.run_id, 'one');
    expect(attempts.map(({ result }) => result)).toEqual(['timed_out', 'succeeded']);
    expect(resultsOf(run)).toMatchObject({ loop: 'FAILED' });
  });

  test('after a crash in the middle every iteration has run once', async () => {
    const { runId } = await startJob(engine, {
      tasks: [
        forEach({
          inputs: JSON.stringify(Array.from({ length: 30 }, (_, at) => at)),
          concurrency: 4,
          fake: { kind: 'succeed', afterMs: 15 },
        }),
      ],
    });
    await waitForTask(engine, runId, 'loop', 'RUNNING');

    for (let crashes = 0; crashes < 2; crashes++) {
      await new Promise((resolve) => setTimeout(resolve, 60));
      await engine.crash();
    }
    const run = await engine.waitForEnd(runId);

    expect(run.state.result_state).toBe('SUCCESS');
    expect(engine.starts.filter((start) => start.startsWith(`${runId} `))).toHaveLength(30);
  });
});
