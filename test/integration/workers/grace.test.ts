/** A server that was away gives every worker a full lease again before it calls anything lost. */
import type { ClaimedAttempt } from '@headrace/worker';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createLeaseLoop } from '../../../packages/server/src/attempts/lease-loop.ts';
import { fakeTask, startTestEngine, type TestEngine } from '../runs/engine.ts';

const leaseMs = 60_000;
let engine: TestEngine;
let attempt: ClaimedAttempt;
let elapsedMs: number;
beforeAll(async () => {
  engine = await startTestEngine({ hasWorker: false });
});
afterAll(() => engine.close());
beforeEach(async () => {
  elapsedMs = 0;
  await engine.runs.source.register({ workerId: 'far', slots: 1, backend: 'remote' });
  await engine.client.runsSubmit({ run_name: 'claimed', tasks: [fakeTask('load')] });
  const signal = AbortSignal.timeout(5_000);
  const claim = { workerId: 'far', freeSlots: () => 1, prepare: () => {}, signal };
  const [claimed] = await engine.runs.source.claim(claim);
  if (!claimed) throw new Error('nothing was claimed');
  attempt = claimed;
});

const runOut = () =>
  engine.db.pool.query("update workers set lease_expires_at_ms = 1 where worker_id = 'far'");

async function isLost(): Promise<boolean> {
  const { rows } = await engine.db.pool.query('select state, epoch from task_runs where attempt_id = $1', [
    attempt.attemptId,
  ]);
  return rows[0]?.state !== 'claimed' || rows[0]?.epoch !== attempt.epoch;
}

function aLoop() {
  const { db, log, advancer } = engine.runs.services;
  return createLeaseLoop({ db, log, advancer, leaseMs, elapsedMs: () => elapsedMs });
}

test.each([
  ['that has just started', 0],
  ['that was frozen, or without its database, for three turns', 30_001],
])('a server %s calls nothing lost before a full lease has passed', async (_name, awayMs) => {
  const loop = aLoop();
  if (awayMs > 0) await loop.turn();
  elapsedMs += awayMs;
  await runOut();

  await loop.turn();
  const atOnce = await isLost();
  const { rows } = await engine.db.pool.query(
    `select lease_expires_at_ms - (extract(epoch from clock_timestamp()) * 1000)::bigint as left_ms
     from workers where worker_id = 'far'`,
  );
  await runOut();
  await loop.turn();

  expect(atOnce).toBe(false);
  expect(rows[0].left_ms).toBeGreaterThan(leaseMs - 5_000);
  expect(await isLost()).toBe(true);
});

test('a turn that is late by less is no absence', async () => {
  const loop = aLoop();
  await loop.turn();
  await runOut();

  elapsedMs += 25_000;
  await loop.turn();

  expect(await isLost()).toBe(true);
});
