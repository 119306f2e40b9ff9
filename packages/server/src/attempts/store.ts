/** The only SQL for workers and what a worker asks about its attempts. Moving attempts is the advancer's. */

import type { StopReason, WorkerLabels } from '@headrace/core';
import type { AttemptRef } from '@headrace/worker';
import { assert } from '../assert.ts';
import type { Querier } from '../db/connect.ts';
import { isEndpoint } from './endpoint-attempts.ts';

/** Now, in epoch ms, as an SQL expression. Leases compare the database's clock only; tests put their own here. */
export interface DbNow {
  /** Part of the names of the statements that it stands in. */
  readonly name: string;
  readonly sql: string;
}
export const databaseNow: DbNow = {
  name: 'database',
  sql: '(extract(epoch from clock_timestamp()) * 1000)::bigint',
};

export async function upsertWorker(
  db: Querier,
  worker: {
    readonly workerId: string;
    readonly slots: number;
    readonly backend: string;
    readonly isLocal: boolean;
    readonly labels: WorkerLabels;
  },
  lease: { readonly dbNow: DbNow; readonly leaseMs: number },
): Promise<void> {
  await db.query({
    name: `attempts-upsert-worker-${lease.dbNow.name}`,
    text: `
insert into workers (
  worker_id, backend, slots, is_local, registered_at_ms, heartbeat_at_ms, lease_expires_at_ms, labels)
values ($1, $2, $3, $4, ${lease.dbNow.sql}, ${lease.dbNow.sql}, ${lease.dbNow.sql} + $5, $6)
on conflict (worker_id) do update
set backend = excluded.backend, slots = excluded.slots, is_local = excluded.is_local,
  registered_at_ms = excluded.registered_at_ms, heartbeat_at_ms = excluded.heartbeat_at_ms,
  lease_expires_at_ms = excluded.lease_expires_at_ms, labels = excluded.labels`,
    values: [
      worker.workerId,
      worker.backend,
      worker.slots,
      worker.isLocal,
      lease.leaseMs,
      JSON.stringify(worker.labels),
    ],
  });
}

export async function renewLease(
  db: Querier,
  workerId: string,
  lease: { readonly dbNow: DbNow; readonly leaseMs: number },
): Promise<void> {
  await db.query({
    name: `attempts-renew-lease-${lease.dbNow.name}`,
    text: `
update workers
set heartbeat_at_ms = ${lease.dbNow.sql}, lease_expires_at_ms = ${lease.dbNow.sql} + $2
where worker_id = $1`,
    values: [workerId, lease.leaseMs],
  });
}

export interface HeldRow {
  readonly attempt_id: number;
  readonly run_id: number;
  readonly task_key: string;
  readonly epoch: number;
  readonly state: 'claimed' | 'running' | 'stopping';
  readonly stop_reason: StopReason | null;
  readonly worker_id: string;
  /** Task tokens are good for the claim, however often its worker came back since. */
  readonly claim_epoch: number;
}

/** What the store says of attempts that a worker believes to hold; those that are not live are left out. */
export function readHeld(db: Querier, attemptIds: readonly number[]): Promise<HeldRow[]> {
  return db.query<HeldRow>({
    name: 'attempts-read-held',
    text: `
select attempt_id, run_id, task_key, epoch, state, stop_reason, worker_id, claim_epoch
from task_runs
where attempt_id = any($1::bigint[])
  and state in ('claimed', 'running', 'stopping')`,
    values: [attemptIds],
  });
}

/** More than any worker has slots. */
const heldMax = 5_000;

export function findHeldBy(
  db: Querier,
  workerId: string,
): Promise<(HeldRow & { readonly is_endpoint: boolean })[]> {
  return db.query({
    name: 'attempts-find-held-by',
    text: `
select attempt_id, run_id, task_key, epoch, state, stop_reason, worker_id, claim_epoch,
  ${isEndpoint('worker_labels')} as is_endpoint
from task_runs
where worker_id = $1
  and state in ('claimed', 'running', 'stopping')
order by attempt_id
limit ${heldMax}`,
    values: [workerId],
  });
}

export function findRunsOf(
  db: Querier,
  attemptIds: readonly number[],
): Promise<{ attempt_id: number; run_id: number }[]> {
  return db.query({
    name: 'attempts-find-runs',
    text: `
select attempt_id, run_id
from task_runs
where attempt_id = any($1::bigint[])`,
    values: [attemptIds],
  });
}

/** By the clock that leases are kept by. */
export async function readDbNow(db: Querier, dbNow: DbNow): Promise<number> {
  const rows = await db.query<{ now_ms: number }>({
    name: `attempts-read-now-${dbNow.name}`,
    text: `select ${dbNow.sql} as now_ms`,
    values: [],
  });
  const nowMs = rows[0]?.now_ms;
  assert(nowMs !== undefined, 'the store does not tell the time');
  return nowMs;
}

/** Attempts of remote workers whose lease had run out by `nowMs`, on the database's clock. */
export function findLostAttempts(
  db: Querier,
  { nowMs, limit }: { readonly nowMs: number; readonly limit: number },
): Promise<(AttemptRef & { run_id: number; state: string; worker_id: string })[]> {
  return db.query({
    name: 'attempts-find-lost',
    text: `
select t.attempt_id as "attemptId", t.epoch, t.run_id, t.state, w.worker_id
from workers w
join task_runs t on t.worker_id = w.worker_id and t.state in ('claimed', 'running', 'stopping')
where not w.is_local
  and w.lease_expires_at_ms < $2
order by t.attempt_id
limit $1`,
    values: [limit, nowMs],
  });
}

/**
 * One full period, from now, for every worker that holds something. Others would only seem to be there: those that are
 * renew theirs by themselves, and most have been gone for long.
 */
export async function extendLeases(
  db: Querier,
  lease: { readonly dbNow: DbNow; readonly leaseMs: number },
): Promise<void> {
  await db.query({
    name: `attempts-extend-leases-${lease.dbNow.name}`,
    text: `
update workers w
set lease_expires_at_ms = ${lease.dbNow.sql} + $1
where not w.is_local
  and w.lease_expires_at_ms < ${lease.dbNow.sql} + $1
  and exists (
    select from task_runs t
    where t.worker_id = w.worker_id
      and t.state in ('claimed', 'running', 'stopping')
  )`,
    values: [lease.leaseMs],
  });
}

export async function readOrMakeTokenKey(db: Querier, fresh: Buffer): Promise<Buffer> {
  await db.query({
    name: 'attempts-make-token-key',
    text: `
insert into task_token_keys (secret)
values ($1)
on conflict do nothing`,
    values: [fresh],
  });
  const rows = await db.query<{ secret: Buffer }>({
    name: 'attempts-read-token-key',
    text: 'select secret from task_token_keys',
    values: [],
  });
  return rows[0]?.secret ?? fresh;
}

/** Whether the worker has an attempt of this principal, or is to have a host of a cluster of its. */
export async function worksFor(db: Querier, workerId: string, principalId: number): Promise<boolean> {
  const rows = await db.query({
    name: 'attempts-works-for',
    text: `
select 1 as found
from task_runs t
join runs r on r.run_id = t.run_id
where t.worker_id = $1
  and t.state in ('claimed', 'running', 'stopping')
  and r.owner_id = $2
union all
select 1
from clusters
where worker_id = $1
  and owner_id = $2
  and wanted = 'running'
limit 1`,
    values: [workerId, principalId],
  });
  return rows.length > 0;
}

/** The attempt is live, and still the one that the token was made for. */
export async function findLiveClaim(db: Querier, claim: AttemptIdAndEpoch): Promise<boolean> {
  const rows = await db.query({
    name: 'attempts-find-live-claim',
    text: `
select attempt_id
from task_runs
where attempt_id = $1
  and claim_epoch = $2
  and state in ('claimed', 'running', 'stopping')`,
    values: [claim.attemptId, claim.epoch],
  });
  return rows.length > 0;
}

interface AttemptIdAndEpoch {
  readonly attemptId: number;
  readonly epoch: number;
}
