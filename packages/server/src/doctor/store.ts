/**
 * What the doctor looks for. Every query goes along an index, has a limit, and reads only: all together take 20 ms
 * with 2,000 active runs among 200,000, 1,000,000 attempts, PostgreSQL 18 on two busy cores, 2026-11.
 */
import { isEndpoint } from '../attempts/endpoint-attempts.ts';
import type { Querier } from '../db/connect.ts';

export interface Suspect {
  readonly run_id: number | null;
  readonly task_key: string | null;
  readonly attempt_id: number | null;
  readonly worker_id: string | null;
  /** What tells one suspicion of this row from another, and what the sentence about it needs. */
  readonly detail: string | null;
}

/** More of one kind would not tell anybody more. */
const suspectsMax = 100;
/** The database's own clock, as leases are kept by it. */
const databaseNow = '(extract(epoch from clock_timestamp()) * 1000)::bigint';

/** Held by a worker that is not known, or that has not been heard of for `silentMs`. */
export function findUnattended(db: Querier, silentMs: number): Promise<Suspect[]> {
  return db.query<Suspect>({
    name: 'doctor-unattended',
    text: `
select t.run_id, t.task_key, t.attempt_id, t.worker_id,
  case
    when w.worker_id is null then 'unknown'
    when w.is_local then 'local'
    else 'remote'
  end as detail
from task_runs t
left join workers w on w.worker_id = t.worker_id
where t.state in ('claimed', 'running', 'stopping')
  and (w.worker_id is null or greatest(w.heartbeat_at_ms, w.lease_expires_at_ms) < ${databaseNow} - $1)
order by t.attempt_id
limit ${suspectsMax}`,
    values: [silentMs],
  });
}

/**
 * Active runs that nothing will move: no attempt queued or held, no step of the engine due, no moment to wake at, no
 * run that they wait for. A moment that passed before `overdueBeforeMs` is none.
 */
export function findStuckRuns(db: Querier, overdueBeforeMs: number): Promise<Suspect[]> {
  return db.query<Suspect>({
    name: 'doctor-stuck-runs',
    text: `
select r.run_id, null as task_key, null::bigint as attempt_id, null as worker_id, r.phase as detail
from runs r
where r.phase <> 'ended'
  and r.phase <> 'queued'
  and r.deleted_at_ms is null
  and r.created_at_ms < $1
  and (r.wake_at_ms is null or r.wake_at_ms < $1)
  and not exists (
    select from task_runs t
    where t.run_id = r.run_id
      and t.state in ('queued', 'ready', 'claimed', 'running', 'stopping')
  )
  and not exists (
    select from task_runs t
    join runs c on c.run_id = t.child_run_id
    where t.run_id = r.run_id
      and t.state = 'running_parts'
      and (c.phase <> 'ended' or c.ended_at_ms > $1)
  )
order by r.created_at_ms desc, r.run_id desc
limit ${suspectsMax}`,
    values: [overdueBeforeMs],
  });
}

/** Queued runs although their job has had a place for them: the oldest of each job, as admission looks for them. */
export function findUnadmitted(db: Querier, queuedBeforeMs: number): Promise<Suspect[]> {
  return db.query<Suspect>({
    name: 'doctor-unadmitted',
    text: `
with recursive queued_jobs as (
  (select job_id, 1 as position from runs where phase = 'queued' order by job_id limit 1)
  union all
  select next.job_id, q.position + 1
  from queued_jobs q
  cross join lateral (
    select job_id from runs where phase = 'queued' and job_id > q.job_id order by job_id limit 1
  ) next
  where q.position < 1000
)
select oldest.run_id, null as task_key, null::bigint as attempt_id, null as worker_id,
  case when j.job_id is null then 'no_job' else 'free_place' end as detail
from queued_jobs q
left join jobs j on j.job_id = q.job_id
cross join lateral (
  select run_id, created_at_ms from runs
  where job_id = q.job_id and phase = 'queued'
  order by created_at_ms, run_id
  limit 1
) oldest
where oldest.created_at_ms < $1
  and (j.job_id is null or j.max_concurrent_runs > (
    select count(*) from runs r where r.job_id = q.job_id and r.phase in ('running', 'terminating')
  ))
limit ${suspectsMax}`,
    values: [queuedBeforeMs],
  });
}

/** Live attempts of runs that have ended, were deleted, or do not exist. Each state has an index of its own. */
export function findLiveInEnded(db: Querier): Promise<Suspect[]> {
  return db.query<Suspect>({
    name: 'doctor-live-in-ended',
    text: `
select t.run_id, t.task_key, t.attempt_id, t.worker_id, t.state as detail
from (
  select * from task_runs where state = 'queued'
  union all
  select * from task_runs where state = 'ready'
  union all
  select * from task_runs where state in ('claimed', 'running', 'stopping')
) t
left join runs r on r.run_id = t.run_id
where r.run_id is null or r.phase in ('ended', 'queued') or r.deleted_at_ms is not null
limit ${suspectsMax}`,
    values: [],
  });
}

/** Kinds of workers that are looked at. */
const labelSetsMax = 100;
/** Sets of labels that are asked for. */
const wishesMax = 1_000;

/** A hash of what an attempt asks for, as the index has it. */
const wish = "coalesce(md5(worker_labels::text), '')";

/**
 * Of each set of labels that queued attempts ask for, the one that has waited longest: from set to set in the index, so
 * that ten thousand which nobody can take cost no more than one.
 */
const longestWaiting = `
wishes as (
  (select ${wish} as hash, 1 as position from task_runs where state = 'queued' order by ${wish} limit 1)
  union all
  select next.hash, w.position + 1
  from wishes w
  cross join lateral (
    select ${wish} as hash from task_runs where state = 'queued' and ${wish} > w.hash order by ${wish} limit 1
  ) next
  where w.position < ${wishesMax}
),
longest_waiting as (
  select t.*
  from wishes w
  cross join lateral (
    select run_id, task_key, attempt_id, queued_at_ms, worker_labels from task_runs
    where state = 'queued' and ${wish} = w.hash
    order by queued_at_ms, attempt_id
    limit 1
  ) t
)`;

/** Of each set of labels: the queued attempt that waits longest, although a worker that may take it has free slots. */
export function findUnclaimed(db: Querier, queuedBeforeMs: number): Promise<Suspect[]> {
  return db.query<Suspect>({
    name: 'doctor-unclaimed',
    text: `
with recursive ${longestWaiting},
free as (
  select w.labels, min(w.worker_id) as worker_id
  from workers w
  where w.heartbeat_at_ms > ${databaseNow} - 30000
    and (w.signed_off_at_ms is null or w.signed_off_at_ms < w.registered_at_ms)
    and w.slots > (
      select count(*) from task_runs t
      where t.worker_id = w.worker_id and t.state in ('claimed', 'running', 'stopping')
        and not ${isEndpoint('t.worker_labels')}
    )
  group by w.labels
  limit ${labelSetsMax}
)
select t.run_id, t.task_key, t.attempt_id, f.worker_id, null as detail
from longest_waiting t
cross join lateral (
  select worker_id from free
  where free.labels @> coalesce(t.worker_labels, '{}')
  order by worker_id
  limit 1
) f
where t.queued_at_ms < $1
order by t.queued_at_ms, t.attempt_id
limit ${suspectsMax}`,
    values: [queuedBeforeMs],
  });
}

/** Of each set of labels that no worker has, and that is asked for: the attempt that has waited longest, if it is long. */
export function findUngranted(db: Querier, queuedBeforeMs: number): Promise<Suspect[]> {
  return db.query<Suspect>({
    name: 'doctor-ungranted',
    text: `
with recursive ${longestWaiting}
select t.run_id, t.task_key, t.attempt_id, null as worker_id,
  (select string_agg(l.key || '=' || l.value, ', ' order by l.key) from jsonb_each_text(t.worker_labels) l) as detail
from longest_waiting t
where t.worker_labels is not null
  and not ${isEndpoint('t.worker_labels')}
  and t.queued_at_ms < $1
  and not exists (
    select from workers
    where lease_expires_at_ms >= ${databaseNow}
      and labels @> t.worker_labels
  )
order by t.queued_at_ms, t.attempt_id
limit ${suspectsMax}`,
    values: [queuedBeforeMs],
  });
}

/** Workers that hold more attempts than they have slots. */
export function findOverfull(db: Querier): Promise<Suspect[]> {
  return db.query<Suspect>({
    name: 'doctor-overfull',
    text: `
select null::bigint as run_id, null as task_key, null::bigint as attempt_id, w.worker_id,
  held.count || ' of ' || w.slots as detail
from workers w
cross join lateral (
  select count(*) as count from task_runs t
  where t.worker_id = w.worker_id and t.state in ('claimed', 'running', 'stopping')
    and not ${isEndpoint('t.worker_labels')}
) held
where held.count > w.slots
limit ${suspectsMax}`,
    values: [],
  });
}

/** Tasks and the runs that are their work, which do not agree about each other. */
export function findBrokenLinks(db: Querier, endedBeforeMs: number): Promise<Suspect[]> {
  return db.query<Suspect>({
    name: 'doctor-broken-links',
    text: `
(select t.run_id, t.task_key, t.attempt_id, null as worker_id,
  case when c.run_id is null then 'child_missing' else 'child_ended ' || c.run_id end as detail
from task_runs t
left join runs c on c.run_id = t.child_run_id
where t.state = 'running_parts'
  and t.child_run_id is not null
  and (c.run_id is null or (c.phase = 'ended' and c.ended_at_ms < $1))
limit ${suspectsMax})
union all
(select r.run_id, null, null, null, 'parent_missing'
from runs r
left join task_runs t on t.attempt_id = r.parent_attempt_id
where r.parent_attempt_id is not null
  and r.phase in ('queued', 'running')
  and t.attempt_id is null
limit ${suspectsMax})
union all
(select r.run_id, null, null, null, 'parent_ended'
from runs r
join task_runs t on t.attempt_id = r.parent_attempt_id
where r.parent_attempt_id is not null
  and r.phase in ('queued', 'running')
  and r.generation = 0
  and t.state = 'ended'
  and t.ended_at_ms < $1
limit ${suspectsMax})`,
    values: [endedBeforeMs],
  });
}

/** Of these runs: the versions that the store has. Runs that do not exist are left out. */
export function readVersions(
  db: Querier,
  runIds: readonly number[],
): Promise<{ run_id: number; version: number }[]> {
  return db.query({
    name: 'doctor-versions',
    text: 'select run_id, version from runs where run_id = any($1::bigint[])',
    values: [runIds],
  });
}

/** A page of active runs, by id. */
export async function listActiveRunIds(db: Querier, after: number, limit: number): Promise<number[]> {
  const rows = await db.query<{ run_id: number }>({
    name: 'doctor-active-runs',
    text: `
select run_id
from runs
where phase <> 'ended'
  and deleted_at_ms is null
  and run_id > $1
order by run_id
limit $2`,
    values: [after, limit],
  });
  return rows.map(({ run_id }) => run_id);
}

export interface HistoryRow {
  readonly at_ms: number;
  readonly kind: string;
  readonly task_key: string | null;
  readonly attempt_id: number | null;
  readonly detail: unknown;
}

/** The last events of a run, of one attempt where given; the newest last. */
export async function readHistory(
  db: Querier,
  of: { readonly runId: number; readonly attemptId: number | null; readonly limit: number },
): Promise<HistoryRow[]> {
  const rows = await db.query<HistoryRow>({
    name: 'doctor-history',
    text: `
select at_ms, kind, task_key, attempt_id, detail
from run_events
where run_id = $1
  and ($2::bigint is null or attempt_id is null or attempt_id = $2)
order by run_event_id desc
limit $3`,
    values: [of.runId, of.attemptId, of.limit],
  });
  return rows.reverse();
}
