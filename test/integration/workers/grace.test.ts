/** A server that was away gives every worker a full lease again before it calls anything lost. */
import type { ClaimedAttempt } from '@headrace/worker';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createLeaseLoop } from '../../../packages/server/src/attempts/lease-loop.ts';
import { type DbNow, databaseNow } from '../../../packages/server/src/attempts/store.ts';
import { fakeTask, startTestEngine, type TestEngine } from '../runs/engine.ts';

const leaseMs = 60_000;
let engine: TestEngine;
let attempt: ClaimedAttempt;
let aheadMs: number;
beforeAll(async () => {
  engine = await startTestEngine({ hasWorker: false });
});
afterAll(() => engine.close());
beforeEach(async () => {
  aheadMs = 0;
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

function aLoop(options: { readonly dbNow?: DbNow } = {}) {
  const { db, log, advancer } = engine.runs.services;
  return createLeaseLoop({
    db,
    log,
    advancer,
    leaseMs,
    elapsedMs: () => performance.now() + aheadMs,
    ...options,
  });
}

test.each([
  ['that has just started', 0],
  ['that was frozen, or without its database, for three turns', 30_001],
])('a server %s calls nothing lost before a full lease has passed', async (_name, awayMs) => {
  const loop = aLoop();
  if (awayMs > 0) await loop.turn();
  aheadMs += awayMs;
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

  aheadMs += 25_000;
  await loop.turn();

  expect(await isLost()).toBe(true);
});

test('a step of the clock of PostgreSQL by an hour takes nothing from workers that go on', async () => {
  await engine.db.pool.query('create table clock_step (ms bigint not null)');
  await engine.db.pool.query('insert into clock_step values (0)');
  const loop = aLoop({ dbNow: { name: 'stepped', sql: `${databaseNow.sql} + (select ms from clock_step)` } });
  await loop.turn();

  await engine.db.pool.query('update clock_step set ms = 3600000');
  await loop.turn();
  const atOnce = await isLost();
  await runOut();
  await loop.turn();

  expect(atOnce).toBe(false);
  expect(await isLost()).toBe(true);
});

test('a worker that is gone and holds nothing does not seem to be there again', async () => {
  await engine.runs.source.register({ workerId: 'gone', slots: 1, backend: 'remote' });
  await engine.db.pool.query("update workers set lease_expires_at_ms = 1 where worker_id = 'gone'");

  await aLoop().turn();

  const { rows } = await engine.db.pool.query(
    "select lease_expires_at_ms from workers where worker_id = 'gone'",
  );
  expect(rows).toEqual([{ lease_expires_at_ms: 1 }]);
});
