/** Two servers over one store: fences decide, and neither knows of the other. */
import { toAttemptId } from '@headrace/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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

describe('what a server remembers of a run that the other has moved since', () => {
  let here: TestEngine;
  let there: TestEngine;
  beforeAll(async () => {
    here = await startTestEngine({ hasWorker: false });
    there = await startTestEngine({ hasWorker: false, beside: here });
  });
  afterAll(async () => {
    await there.close();
    await here.close();
  });

  const workerId = 'far';
  const advancerOf = (engine: TestEngine) => engine.runs.services.advancer;
  const claimAt = (engine: TestEngine) =>
    advancerOf(engine).claim({
      workerId,
      labels: {},
      freeSlots: () => 1,
      prepare() {},
      signal: AbortSignal.timeout(5_000),
    });
  const endOf = (attemptId: number, epoch: number) => [
    {
      event: {
        kind: 'attempt_ended' as const,
        attemptId: toAttemptId(attemptId),
        epoch,
        outcome: { kind: 'succeeded' as const },
        taskValues: {},
      },
    },
  ];

  test('does not make it refuse a report', async () => {
    const { run_id } = await here.client.runsSubmit({ run_name: 'far', tasks: [fakeTask('load')] });
    const [task] = (await here.client.runsGet({ run_id })).tasks ?? [];
    const attemptId = toAttemptId(task?.run_id ?? 0);
    await advancerOf(there).tell(run_id, [
      { event: { kind: 'attempt_claimed', attemptId, epoch: 1, workerId } },
    ]);

    await advancerOf(here).tell(run_id, endOf(attemptId, 1));

    expect((await here.waitForEnd(run_id)).state.result_state).toBe('SUCCESS');
  });

  test('does not keep its workers from what is queued there', async () => {
    const tasks = [fakeTask('first'), fakeTask('second', { after: ['first'] })];
    const { run_id } = await here.client.runsSubmit({ run_name: 'far', tasks });
    const [first] = await claimAt(here);
    await advancerOf(there).tell(run_id, endOf(first?.attemptId ?? 0, 1));

    const claimed = await claimAt(here);

    expect(claimed.map(({ taskKey }) => taskKey)).toEqual(['second']);
    await here.client.runsCancel({ run_id });
  });
});

test('what one server makes ready, the worker of the other begins at once', async () => {
  const full = await Promise.all(
    [1, 2, 3].map((number) =>
      one.client.runsSubmit({
        run_name: `full ${number}`,
        tasks: [fakeTask('t', { fake: { kind: 'hang' } })],
      }),
    ),
  );
  await one.waitFor('the slots of one to be taken', async () => one.starts.length + other.starts.length >= 3);
  const notes: string[] = [];
  const listener = await one.db.pool.connect();
  listener.on('notification', ({ payload }) => notes.push(payload ?? ''));
  await listener.query('listen headrace_runs');

  const { run_id } = await one.client.runsSubmit({ run_name: 'small', tasks: [fakeTask('t')] });
  const run = await other.waitForEnd(run_id);

  expect(run.state.result_state).toBe('SUCCESS');
  await one.waitFor('the servers to ring', async () => notes.some((note) => note.includes(String(run_id))));
  listener.release(true);
  await Promise.all(full.map(({ run_id: id }) => one.client.runsCancel({ run_id: id })));
  await Promise.all(full.map(({ run_id: id }) => one.waitForEnd(id)));
});

test('servers that are restarted in turn lose nothing and start nothing twice', async () => {
  const before = [...one.starts, ...other.starts].length;
  const { job_id } = await one.client.jobsCreate({
    name: 'rolling',
    max_concurrent_runs: 100,
    tasks: [
      fakeTask('a', { fake: { kind: 'succeed', afterMs: 20 } }),
      fakeTask('b', { after: ['a'], fake: { kind: 'succeed', afterMs: 20 } }),
    ],
  });
  const wanted = Array.from({ length: 40 }, (_, index) => `rolling-${index}`);

  const restarting = (async () => {
    for (const server of [one, other, one, other]) await server.restart();
  })();
  const runIds: number[] = [];
  for (const idempotency_token of wanted) {
    // A client asks whichever server answers; the token makes it safe to ask again.
    runIds.push(
      await one.waitFor('a server that answers', async () => {
        for (const { client } of [one, other]) {
          const run = await client.jobsRunNow({ job_id, idempotency_token }).catch(() => null);
          if (run) return run.run_id;
        }
        return null;
      }),
    );
  }
  await restarting;
  const ended = await Promise.all(runIds.map((runId) => one.waitForEnd(runId)));

  expect(new Set(runIds).size).toBe(wanted.length);
  expect(ended.map((run) => run.state.result_state)).toEqual(wanted.map(() => 'SUCCESS'));
  const starts = [...one.starts, ...other.starts].slice();
  expect(new Set(starts).size).toBe(starts.length);
  expect(starts.length - before).toBe(2 * wanted.length);
});
