/** The only SQL for workers on other machines. Every lease here is on the database's clock. */

import type { WorkerHostFacts } from '@headrace/api';
import type { WorkerLabels } from '@headrace/core';
import type { Querier } from '../db/connect.ts';
import { silentAfterMs } from '../runs/worker-silence.ts';
import { isEndpoint } from './endpoint-attempts.ts';
import type { DbNow } from './store.ts';

export interface Lease {
  readonly dbNow: DbNow;
  readonly leaseMs: number;
}

/** The one life of a worker that may speak for it. */
export interface Registration {
  readonly workerId: string;
  readonly registration: number;
}

export interface NewRegistration {
  readonly workerId: string;
  readonly instanceId: string;
  readonly previousInstanceId: string | null;
  readonly backend: string;
  readonly slots: number;
  readonly protocolVersion: number;
  readonly labels: WorkerLabels;
  readonly host: WorkerHostFacts;
}

/**
 * Null when another process may still act for this worker: it holds a lease, and the newcomer has no proof of its end.
 * Of two that come at once, one is refused by the other's row.
 */
export async function registerWorker(
  db: Querier,
  worker: NewRegistration,
  { dbNow, leaseMs }: Lease,
): Promise<number | null> {
  const rows = await db.query<{ registration: number }>({
    name: `attempts-register-worker-${dbNow.name}`,
    text: `
insert into workers as w (
  worker_id, backend, slots, is_local, registered_at_ms, heartbeat_at_ms, lease_expires_at_ms,
  registration, instance_id, protocol_version, labels, host)
values ($1, $2, $3, false, ${dbNow.sql}, ${dbNow.sql}, ${dbNow.sql} + $4, 1, $5, $6, $7, $8)
on conflict (worker_id) do update
set backend = excluded.backend, slots = excluded.slots, registered_at_ms = excluded.registered_at_ms,
  heartbeat_at_ms = excluded.heartbeat_at_ms, lease_expires_at_ms = excluded.lease_expires_at_ms,
  registration = w.registration + 1, instance_id = excluded.instance_id, signed_off_at_ms = null,
  protocol_version = excluded.protocol_version, labels = excluded.labels, host = excluded.host
where not w.is_local
  and (w.signed_off_at_ms is not null or w.lease_expires_at_ms < ${dbNow.sql}
    or w.instance_id = excluded.instance_id or w.instance_id = $9)
returning registration`,
    values: [
      worker.workerId,
      worker.backend,
      worker.slots,
      leaseMs,
      worker.instanceId,
      worker.protocolVersion,
      JSON.stringify(worker.labels),
      JSON.stringify(worker.host),
      worker.previousInstanceId,
    ],
  });
  return rows[0]?.registration ?? null;
}

export interface HolderRow {
  readonly is_local: boolean;
  readonly registration: number;
  readonly host: Partial<WorkerHostFacts>;
  readonly lease_left_ms: number;
}

/** Who acts for this worker now, for words. */
export async function findHolder(db: Querier, workerId: string, dbNow: DbNow): Promise<HolderRow | null> {
  const rows = await db.query<HolderRow>({
    name: `attempts-find-holder-${dbNow.name}`,
    text: `
select is_local, registration, host, lease_expires_at_ms - ${dbNow.sql} as lease_left_ms
from workers
where worker_id = $1`,
    values: [workerId],
  });
  return rows[0] ?? null;
}

/** False when it is no longer the worker's registration. */
export async function renewRegistered(
  db: Querier,
  { workerId, registration }: Registration,
  { dbNow, leaseMs }: Lease,
): Promise<boolean> {
  const rows = await db.query({
    name: `attempts-renew-registered-${dbNow.name}`,
    text: `
update workers
set heartbeat_at_ms = ${dbNow.sql}, lease_expires_at_ms = ${dbNow.sql} + $3
where worker_id = $1
  and registration = $2
  and signed_off_at_ms is null
returning worker_id`,
    values: [workerId, registration, leaseMs],
  });
  return rows.length > 0;
}

/** Its labels; null when it is no longer the worker's registration. */
export async function findRegistered(
  db: Querier,
  { workerId, registration }: Registration,
): Promise<WorkerLabels | null> {
  const rows = await db.query<{ labels: WorkerLabels }>({
    name: 'attempts-find-registered',
    text: `
select labels
from workers
where worker_id = $1
  and registration = $2
  and signed_off_at_ms is null`,
    values: [workerId, registration],
  });
  return rows[0]?.labels ?? null;
}

export async function signOff(
  db: Querier,
  { workerId, registration }: Registration,
  dbNow: DbNow,
): Promise<boolean> {
  const rows = await db.query({
    name: `attempts-sign-off-${dbNow.name}`,
    text: `
update workers
set signed_off_at_ms = ${dbNow.sql}, lease_expires_at_ms = ${dbNow.sql}
where worker_id = $1
  and registration = $2
returning worker_id`,
    values: [workerId, registration],
  });
  return rows.length > 0;
}

export interface WorkerRow {
  readonly worker_id: string;
  readonly slots: number;
  readonly running: number;
  readonly state: 'local' | 'live' | 'silent' | 'signed_off';
  readonly labels: WorkerLabels;
  readonly hostname: string | null;
  readonly heard_ms_ago: number;
  /** Null for a worker inside a server, and for one that signed off. */
  readonly lease_left_ms: number | null;
}

/** A worker that has not been heard of for this long, and holds nothing, is of no interest any more. */
const shownMs = 24 * 60 * 60 * 1000;

export function listWorkerRows(db: Querier, dbNow: DbNow): Promise<WorkerRow[]> {
  return db.query<WorkerRow>({
    name: `attempts-list-workers-${dbNow.name}`,
    text: `
select
  worker_id,
  slots,
  (select count(*) from task_runs t
    where t.worker_id = w.worker_id and t.state in ('claimed', 'running', 'stopping')
      and not ${isEndpoint('t.worker_labels')}) as running,
  case
    when signed_off_at_ms is not null then 'signed_off'
    when heartbeat_at_ms < n.now_ms - ${silentAfterMs} then 'silent'
    when is_local then 'local'
    when lease_expires_at_ms < n.now_ms then 'silent'
    else 'live'
  end as state,
  labels,
  host ->> 'hostname' as hostname,
  greatest(0, n.now_ms - heartbeat_at_ms) as heard_ms_ago,
  case
    when is_local or signed_off_at_ms is not null then null
    else greatest(0, lease_expires_at_ms - n.now_ms)
  end as lease_left_ms
from workers w
cross join (select ${dbNow.sql} as now_ms) n
where greatest(heartbeat_at_ms, lease_expires_at_ms) > n.now_ms - ${shownMs}
  or exists (
    select from task_runs t
    where t.worker_id = w.worker_id
      and t.state in ('claimed', 'running', 'stopping')
  )
order by registered_at_ms desc
limit 1000`,
    values: [],
  });
}
