/** When things ended, in the documents of runs, where word of it came late. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAttemptSource } from '../../../packages/server/src/attempts/attempt-source.ts';
import { StopBells } from '../../../packages/server/src/attempts/stop-bells.ts';
import { fakeTask, startTestEngine, type TestEngine } from './engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine({ hasWorker: false });
});
afterAll(() => engine.close());

/** Of a machine whose clock is off. */
function aSource(offMs: number) {
  return createAttemptSource({
    ...engine.runs.services,
    bells: new StopBells(),
    recordHostReport: async () => undefined,
    orderHosts: async () => null,
    revealSecrets: async () => [],
    labels: {},
    // Nothing is claimed through it.
    claims: undefined as never,
    machineNowMs: () => Date.now() + offMs,
  });
}

test.each([
  ['as the server’s', 0],
  ['an hour ahead', 3_600_000],
  ['an hour behind', -3_600_000],
])('the end is that of the process, and not of its report, by a clock %s', async (_, offMs) => {
  const { run_id: runId = 0 } = await engine.client.runsSubmit({
    run_name: 'late',
    tasks: [fakeTask('load')],
  });
  const request = {
    workerId: 'w',
    freeSlots: () => 1,
    prepare: () => {},
    signal: AbortSignal.timeout(5_000),
  };
  const [attempt] = await engine.runs.source.claim(request);
  if (!attempt) throw new Error('nothing was claimed');
  const { attemptId, epoch } = attempt;
  const source = aSource(offMs);
  const startedAtMs = Date.now() + offMs;
  await source.report('w', [{ kind: 'started', attemptId, epoch, startedAtMs }]);
  // The outage.
  await delay(1_500);
  const ended = { outcome: { kind: 'succeeded' }, taskValues: {}, exitValue: null } as const;
  await source.report('w', [{ kind: 'ended', attemptId, epoch, ...ended, endedAtMs: startedAtMs + 400 }]);

  const run = await engine.client.runsGet({ run_id: runId });
  const task = run.tasks?.[0];

  // The store's clock is looked at over a connection: it may be off by some milliseconds.
  expect(task?.execution_duration).toBeGreaterThan(300);
  expect(task?.execution_duration).toBeLessThan(500);
  expect(run.end_time).toBe(task?.end_time);
  expect(run.run_duration).toBeLessThan(1_500);
});
