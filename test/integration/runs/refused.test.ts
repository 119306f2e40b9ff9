import crypto from 'node:crypto';
import { toRunId } from '@headrace/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RefusedByStore } from '../../../packages/server/src/runs/advance-run.ts';
import { toRunDefinition } from '../../../packages/server/src/runs/run-definition.ts';
import type { Document } from '../../../packages/server/src/runs/run-facts.ts';
import type { NewRunOrder } from '../../../packages/server/src/runs/work-items.ts';
import { fakeTask, startTestEngine, type TestEngine } from './engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(() => engine.close());

function anOrder(runName: string): NewRunOrder {
  const settings = { tasks: [fakeTask('load')] } as unknown as Document;
  const runId = toRunId(engine.services.ids.newId());
  return {
    facts: {
      runId,
      jobId: null,
      runType: 'SUBMIT_RUN',
      runName,
      trigger: 'ONE_TIME',
      ownerId: 7,
      creatorUserName: 'ada',
      idempotencyToken: null,
      numberInJob: runId,
      settings,
      parameters: { job: [], overriding: {} },
      parent: null,
    },
    definition: toRunDefinition(settings),
    places: null,
  };
}

test('a change that the store refuses fails alone, and what shared its batch is saved', async () => {
  const { advancer } = engine.runs.services;
  const sound = [anOrder('one'), anOrder('two')];
  // A null where the store wants a value: a bug of ours, made on purpose.
  const broken = anOrder(null as unknown as string);

  const results = await Promise.allSettled([
    advancer.create(sound[0] as NewRunOrder),
    advancer.create(broken),
    advancer.create(sound[1] as NewRunOrder),
  ]);

  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  for (const { facts } of sound) {
    expect((await engine.waitForEnd(facts.runId)).state.result_state).toBe('SUCCESS');
  }
});

test('a change that the store refuses is told apart from a store that is away, also when it comes alone', async () => {
  const broken = anOrder(null as unknown as string);

  const created = engine.runs.services.advancer.create(broken);

  await expect(created).rejects.toBeInstanceOf(RefusedByStore);
});

test('a task value whose name no index can hold ends its run', async () => {
  // Random, so that it cannot be compressed into what fits.
  const name = crypto.randomBytes(8_000).toString('hex');
  const { run_id } = await engine.client.runsSubmit({
    run_name: 'long name',
    tasks: [fakeTask('load', { fake: { kind: 'succeed', taskValues: { [name]: 1 } } })],
  });

  const run = await engine.waitForEnd(run_id);

  expect(run.tasks?.[0]?.state?.state_message).toContain('could not be stored');
});

test('text that PostgreSQL cannot keep does not stop a run', async () => {
  const { run_id } = await engine.client.runsSubmit({
    run_name: 'nul',
    tasks: [
      fakeTask('load', {
        fake: { kind: 'fail', failure: { message: 'a\0b' }, taskValues: { odd: '\ud800' } },
      }),
    ],
  });

  const run = await engine.waitForEnd(run_id);

  expect(run.tasks?.[0]?.state).toMatchObject({ result_state: 'FAILED', state_message: 'a\ufffdb' });
});
