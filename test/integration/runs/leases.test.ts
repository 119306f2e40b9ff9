import type { AttemptSource, ClaimedAttempt } from '@headrace/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLeaseLoop } from '../../../packages/server/src/attempts/lease-loop.ts';
import { admin, fakeTask, startTestEngine, type TestEngine } from './engine.ts';

let engine: TestEngine;
let source: AttemptSource;
beforeAll(async () => {
  engine = await startTestEngine({ hasWorker: false });
  source = engine.runs.source;
});
afterAll(() => engine.close());

/** A run of one task, claimed by a worker that this test plays. */
async function claimOne(workerId: string, task: Record<string, unknown> = {}): Promise<ClaimedAttempt> {
  await engine.client.runsSubmit({ run_name: 'claimed', tasks: [fakeTask('load', task)] });
  const signal = AbortSignal.timeout(5_000);
  const [attempt] = await source.claim({ workerId, freeSlots: () => 1, prepare: () => {}, signal });
  if (!attempt) throw new Error('nothing was claimed');
  return attempt;
}

const refOf = ({ attemptId, epoch }: ClaimedAttempt) => ({ attemptId, epoch });

async function taskOf({ runId }: ClaimedAttempt) {
  const run = await engine.client.runsGet({ run_id: runId });
  return run.tasks?.[0];
}

/** A loop that has had its first turn: that one gives every lease a full period, as after any absence. */
async function aRunningLeaseLoop() {
  const { db, log, advancer } = engine.runs.services;
  const loop = createLeaseLoop({ db, log, advancer, elapsedMs: () => performance.now() });
  await loop.turn();
  return loop;
}

const runOut = (workerId: string) =>
  engine.db.pool.query('update workers set lease_expires_at_ms = 1 where worker_id = $1', [workerId]);

test('a remote worker that lets its lease run out loses its attempts; one that has not started is dispatched again', async () => {
  await source.register({ workerId: 'far', slots: 1, backend: 'remote' });
  const attempt = await claimOne('far');
  await runOut('far');

  const loop = await aRunningLeaseLoop();
  expect((await taskOf(attempt))?.state.life_cycle_state).toBe('PENDING');
  await runOut('far');
  await loop.turn();

  const signal = AbortSignal.timeout(5_000);
  const [again] = await source.claim({ workerId: 'near', freeSlots: () => 1, prepare: () => {}, signal });
  expect(again).toMatchObject({ attemptId: attempt.attemptId, epoch: attempt.epoch + 1 });
});

test('a local worker is never called lost by time', async () => {
  await source.register({ workerId: 'here', slots: 1, backend: 'local' });
  const attempt = await claimOne('here');
  const loop = await aRunningLeaseLoop();

  await runOut('here');
  await loop.turn();

  expect((await taskOf(attempt))?.state.life_cycle_state).toBe('PENDING');
  const { rows } = await engine.db.pool.query('select epoch, state from task_runs where attempt_id = $1', [
    attempt.attemptId,
  ]);
  expect(rows).toEqual([{ epoch: 1, state: 'claimed' }]);
});

test('a worker that comes back takes its attempts under a new epoch, and the old one writes no more', async () => {
  await source.register({ workerId: 'back', slots: 1, backend: 'local' });
  const attempt = await claimOne('back');
  const ended = { kind: 'ended', outcome: { kind: 'succeeded' }, taskValues: {}, exitValue: null } as const;

  const [resumed] = await source.register({ workerId: 'back', slots: 1, backend: 'local' });
  await source.report('back', [{ ...ended, ...refOf(attempt) }]);
  const afterOld = await taskOf(attempt);
  await source.report('back', [{ ...ended, attemptId: attempt.attemptId, epoch: attempt.epoch + 1 }]);

  expect(resumed).toMatchObject({ attemptId: attempt.attemptId, epoch: attempt.epoch + 1, state: 'claimed' });
  expect(afterOld?.state.life_cycle_state).toBe('PENDING');
  expect((await taskOf(attempt))?.state.result_state).toBe('SUCCESS');
});

test('a heartbeat that waits hears at once of what is to be stopped, and of what is gone', async () => {
  await source.register({ workerId: 'beating', slots: 1, backend: 'local' });
  const attempt = await claimOne('beating');
  const held = [refOf(attempt), { attemptId: attempt.attemptId, epoch: attempt.epoch - 1 }];
  const beat = (refs: typeof held) =>
    source.heartbeat({ workerId: 'beating', held: refs, waitMs: 10_000, signal: AbortSignal.timeout(9_000) });
  const startedAt = performance.now();

  const waiting = beat([refOf(attempt)]);
  await engine.client.runsCancel({ run_id: attempt.runId });
  const heard = await waiting;
  const gone = await beat(held);

  expect(performance.now() - startedAt).toBeLessThan(5_000);
  expect(heard).toEqual({ stop: [{ ...refOf(attempt), reason: 'cancelled_by_user' }], gone: [] });
  expect(gone.gone).toEqual([held[1]]);
});

test('an attempt that is given back is claimed again', async () => {
  const attempt = await claimOne('leaving');

  await source.release('leaving', [refOf(attempt)]);

  const signal = AbortSignal.timeout(5_000);
  const [again] = await source.claim({ workerId: 'staying', freeSlots: () => 1, prepare: () => {}, signal });
  expect(again).toMatchObject({ attemptId: attempt.attemptId, epoch: attempt.epoch + 1 });
});

test("a task's token is good while its claim is live, also after its worker came back, and no longer", async () => {
  await source.register({ workerId: 'token', slots: 1, backend: 'local' });
  const attempt = await claimOne('token');
  const { token } = attempt.document.api;
  const verify = () => engine.runs.verifyTaskToken(token);

  const [resumed] = await source.register({ workerId: 'token', slots: 1, backend: 'local' });
  const epoch = resumed?.epoch ?? 0;
  expect(await verify()).toEqual(admin);
  expect(epoch).toBe(attempt.epoch + 1);
  const ended = { kind: 'ended', outcome: { kind: 'succeeded' }, taskValues: {}, exitValue: null } as const;
  await source.report('token', [{ ...ended, attemptId: attempt.attemptId, epoch }]);

  // An answer is remembered for a second.
  await engine.waitFor('the token to be refused', async () => (await verify()) === null);
});
