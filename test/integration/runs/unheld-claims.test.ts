/** A claim that was committed after its worker had asked what is its own: nobody runs it, and it must not wait for ever. */
import type { ClaimedAttempt } from '@headrace/worker';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { UnheldClaims } from '../../../packages/server/src/attempts/unheld-claims.ts';
import { fakeTask, startTestEngine, type TestEngine } from './engine.ts';

let engine: TestEngine;
let elapsedMs: number;
let claims: UnheldClaims;
beforeAll(async () => {
  engine = await startTestEngine({ hasWorker: false });
  await engine.runs.source.register({ workerId: 'w1', slots: 1, backend: 'fake' });
});
afterAll(() => engine.close());
beforeEach(() => {
  elapsedMs = 0;
  const { db, advancer } = engine.runs.services;
  claims = new UnheldClaims({ db, advancer, elapsedMs: () => elapsedMs });
});

async function claimOne(): Promise<ClaimedAttempt> {
  await engine.client.runsSubmit({ run_name: 'claimed', tasks: [fakeTask('load')] });
  const signal = AbortSignal.timeout(5_000);
  const [claimed] = await engine.runs.source.claim({
    ...{ workerId: 'w1', freeSlots: () => 1, held: () => [], prepare: () => {}, signal },
  });
  if (!claimed) throw new Error('nothing was claimed');
  return claimed;
}

async function look(held: readonly ClaimedAttempt[]): Promise<void> {
  elapsedMs += 15_000;
  await claims.release('w1', held);
}

async function stateOf({ attemptId }: ClaimedAttempt): Promise<{ state: string; free_dispatches: number }> {
  const text = 'select state, free_dispatches from task_runs where attempt_id = $1';
  const { rows } = await engine.db.pool.query(text, [attemptId]);
  return rows[0];
}

test('it is handed out again, free of charge, once it was seen twice', async () => {
  const attempt = await claimOne();

  await look([]);
  const once = await stateOf(attempt);
  await look([]);

  expect(once.state).toBe('claimed');
  await engine.waitFor('another dispatch', async () => (await stateOf(attempt)).state !== 'claimed');
  expect((await stateOf(attempt)).free_dispatches).toBe(1);
});

test('what the worker holds, and what it got between two looks, stays its own', async () => {
  const attempt = await claimOne();

  await look([]);
  await look([attempt]);
  await look([]);

  expect((await stateOf(attempt)).state).toBe('claimed');
});

test('a claim under another epoch is another claim', async () => {
  const attempt = await claimOne();

  await look([]);
  await engine.runs.source.register({ workerId: 'w1', slots: 1, backend: 'fake' });
  await look([]);

  expect((await stateOf(attempt)).state).toBe('claimed');
});
