/** Cancelling one task run: its run goes on. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { attemptsOf, resultsOf, startJob, taskOf, waitForTask } from './control.ts';
import { fakeTask, startTestEngine, type TestEngine } from './engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(() => engine.close());

const hang = { kind: 'hang' };

async function cancelTask(runId: number, key: string, state = 'RUNNING') {
  const { run_id } = await waitForTask(engine, runId, key, state);
  await engine.client.runsCancel({ run_id });
}

test('what depends on it is skipped as cancelled, what handles failure runs, what stands beside goes on', async () => {
  const { runId } = await startJob(engine, {
    tasks: [
      fakeTask('load', { fake: hang }),
      fakeTask('report', { after: ['load'] }),
      fakeTask('deep', { after: ['report'] }),
      fakeTask('alert', { after: ['load'], run_if: 'AT_LEAST_ONE_FAILED' }),
      fakeTask('all_failed', { after: ['load'], run_if: 'ALL_FAILED' }),
      fakeTask('none_failed', { after: ['load', 'beside'], run_if: 'NONE_FAILED' }),
      fakeTask('cleanup', { after: ['report'], run_if: 'ALL_DONE' }),
      fakeTask('beside'),
    ],
  });

  await cancelTask(runId, 'load');
  const run = await engine.waitForEnd(runId);

  expect(resultsOf(run)).toEqual({
    load: 'CANCELED',
    report: 'UPSTREAM_CANCELED',
    deep: 'UPSTREAM_CANCELED',
    alert: 'SUCCESS',
    all_failed: 'SUCCESS',
    none_failed: 'UPSTREAM_CANCELED',
    cleanup: 'SUCCESS',
    beside: 'SUCCESS',
  });
});

test('it is not tried again, although its policy has attempts left', async () => {
  const { runId } = await startJob(engine, { tasks: [fakeTask('load', { fake: hang, max_retries: 5 })] });

  await cancelTask(runId, 'load');
  await engine.waitForEnd(runId);

  expect((await attemptsOf(engine, runId, 'load')).map(({ result }) => result)).toEqual(['cancelled']);
});

test('one that waits for its next attempt is cancelled at once', async () => {
  const { runId } = await startJob(engine, {
    tasks: [
      fakeTask('load', { fake: { kind: 'fail' }, max_retries: 5, min_retry_interval_millis: 600_000 }),
      fakeTask('after', { after: ['load'] }),
    ],
  });

  await cancelTask(runId, 'load', 'WAITING_FOR_RETRY');
  const run = await engine.waitForEnd(runId);

  expect(resultsOf(run)).toEqual({ load: 'CANCELED', after: 'UPSTREAM_CANCELED' });
});

test('one that is blocked by others is cancelled before they have ended', async () => {
  const { runId } = await startJob(engine, {
    tasks: [
      fakeTask('load', { fake: { kind: 'succeed', afterMs: 300 } }),
      fakeTask('after', { after: ['load'] }),
    ],
  });
  await waitForTask(engine, runId, 'load', 'RUNNING');

  await cancelTask(runId, 'after', 'BLOCKED');
  const run = await engine.waitForEnd(runId);

  expect(resultsOf(run)).toEqual({ load: 'SUCCESS', after: 'CANCELED' });
});

test('a for-each is cancelled with its iterations, one iteration alone without the others', async () => {
  const loop = {
    task_key: 'loop',
    for_each_task: { inputs: '[1, 2, 3]', concurrency: 2, task: fakeTask('one', { fake: hang }) },
  };
  const { runId } = await startJob(engine, { tasks: [loop] });
  const running = () =>
    engine.waitFor('two iterations', async () => {
      const live = (await attemptsOf(engine, runId, 'one')).filter(({ state }) => state === 'running');
      return live.length === 2 && live;
    });
  const [first] = await running();

  await engine.client.runsCancel({ run_id: first?.attempt_id ?? 0 });
  const [second, third] = await running();
  await cancelTask(runId, 'loop');
  const run = await engine.waitForEnd(runId);

  expect([second?.iteration, third?.iteration]).toEqual([1, 2]);
  expect(taskOf(run, 'loop').state.result_state).toBe('CANCELED');
  expect((await attemptsOf(engine, runId, 'one')).map(({ result }) => result)).toEqual([
    'cancelled',
    'cancelled',
    'cancelled',
  ]);
});

test('asking again, or after the end, is no mistake and changes nothing', async () => {
  const { runId } = await startJob(engine, { tasks: [fakeTask('load')] });
  const before = await engine.waitForEnd(runId);

  await engine.client.runsCancel({ run_id: taskOf(before, 'load').run_id });

  expect(await engine.client.runsGet({ run_id: runId })).toEqual(before);
});
