/** Reading runs: one, its tasks, and what a loop looks for. Lists are in list-store.ts, saves in save-store.ts. */
import type { JsonValue } from '@headrace/core';
import type { Querier } from '../db/connect.ts';
import type { Document, RunParameters } from './run-facts.ts';
import type { RunRow, TaskRunRow } from './run-rows.ts';

/** A run as lists and documents need it. */
export interface RunView extends RunRow {
  /** Of the current generation, as are the settings and the parameters. */
  readonly generation_created_at_ms: number;
  readonly settings: Document;
  readonly parameters: RunParameters;
}

/** What a for-each goes through may be large, and is only counted here. */
export interface TaskRunView extends Omit<TaskRunRow, 'inputs' | 'reused_iterations'> {
  readonly inputs_count: number | null;
  readonly reused_count: number | null;
  readonly created_at_ms: number;
  readonly cluster_id: string | null;
  readonly exit_value: string | null;
  readonly resolved: JsonValue;
  /** Null while no worker has taken it, and where the worker's row is gone. */
  readonly worker: { readonly hostname: string | null; readonly is_local: boolean } | null;
}

const runColumns = `
  r.run_id, r.job_id, r.version, r.run_type, r.run_name, r.trigger, r.owner_id, r.creator_user_name,
  r.idempotency_token, r.number_in_job, r.created_at_ms, r.generation, r.phase, r.started_at_ms, r.stop_reason,
  r.stopping_at_ms, r.ended_at_ms, r.result, r.cause, r.wake_at_ms, r.parent_attempt_id, r.parent_run_id,
  g.created_at_ms as generation_created_at_ms, g.settings, g.parameters`;

export const taskRunColumns = `
  t.run_id, t.task_key, t.iteration, t.generation, t.attempt, t.attempt_id, t.epoch, t.state, t.created_at_ms, t.due_at_ms,
  t.queued_at_ms, t.claimed_at_ms, t.started_at_ms, t.stopping_at_ms, t.ended_at_ms, t.worker_id, t.cluster_id,
  t.stop_reason, t.result, t.failure, t.exit_value, t.resolved, t.free_dispatches, t.earlier_attempts,
  t.parent_attempt_id, t.input, jsonb_array_length(t.inputs) as inputs_count,
  jsonb_array_length(t.reused_iterations) as reused_count, t.condition, t.child_run_id,
  (select json_build_object('hostname', w.host ->> 'hostname', 'is_local', w.is_local)
    from workers w where w.worker_id = t.worker_id) as worker`;

/** Deleted runs are not found. */
export async function readRun(db: Querier, runId: number): Promise<RunView | null> {
  const rows = await db.query<RunView>({
    name: 'runs-read',
    text: `
select ${runColumns}
from runs r
join run_generations g on g.run_id = r.run_id and g.generation = r.generation
where r.run_id = $1
  and r.deleted_at_ms is null`,
    values: [runId],
  });
  return rows[0] ?? null;
}

/** All attempts of all tasks of the job, in the order of their first appearance; iterations are read page by page. */
export function readTaskRuns(db: Querier, runIds: readonly number[]): Promise<TaskRunView[]> {
  return db.query<TaskRunView>({
    name: 'runs-read-task-runs',
    text: `
select ${taskRunColumns}
from task_runs t
where t.run_id = any($1::bigint[])
  and t.parent_attempt_id is null
order by t.run_id, t.attempt_id`,
    values: [runIds],
  });
}

/** Of a task or of an iteration. */
export async function readTaskRun(db: Querier, attemptId: number): Promise<TaskRunView | null> {
  const rows = await db.query<TaskRunView>({
    name: 'runs-read-task-run',
    text: `
select ${taskRunColumns}
from task_runs t
where t.attempt_id = $1`,
    values: [attemptId],
  });
  return rows[0] ?? null;
}

export async function findRunByToken(
  db: Querier,
  token: string,
): Promise<{ run_id: number; number_in_job: number; deleted_at_ms: number | null } | null> {
  const rows = await db.query<{ run_id: number; number_in_job: number; deleted_at_ms: number | null }>({
    name: 'runs-find-by-token',
    text: `
select run_id, number_in_job, deleted_at_ms
from runs
where idempotency_token = $1`,
    values: [token],
  });
  return rows[0] ?? null;
}

/** False when it is active. The version grows, so that a repair which was decided before changes nothing. */
export async function markRunDeleted(db: Querier, runId: number, nowMs: number): Promise<boolean> {
  const rows = await db.query({
    name: 'runs-mark-deleted',
    text: `
update runs
set deleted_at_ms = $2, version = version + 1
where run_id = $1
  and phase = 'ended'
  and deleted_at_ms is null
returning run_id`,
    values: [runId, nowMs],
  });
  return rows.length > 0;
}

/** Runs that nobody has asked to stop yet, of one job or of all, oldest first. */
export function findStoppableRunIds(
  db: Querier,
  wanted: {
    readonly jobId: number | null;
    readonly queuedOnly: boolean;
    /** Those that come after this run. */
    readonly after: number;
    readonly limit: number;
  },
): Promise<{ run_id: number }[]> {
  const phases = wanted.queuedOnly ? `phase = 'queued'` : `phase <> 'ended' and phase <> 'terminating'`;
  return db.query({
    name: `runs-find-stoppable${wanted.queuedOnly ? '-queued' : ''}${wanted.jobId === null ? '' : '-of-job'}`,
    text: `
select run_id
from runs
where ${phases}
  and ${wanted.jobId === null ? `$1::bigint is null and run_type <> 'SQL_ENDPOINT'` : 'job_id = $1'}
  and run_id > $2
  and deleted_at_ms is null
order by run_id
limit $3`,
    values: [wanted.jobId, wanted.after, wanted.limit],
  });
}

export function findDueRunIds(db: Querier, nowMs: number, limit: number): Promise<{ run_id: number }[]> {
  return db.query({
    name: 'runs-find-due',
    text: `
select run_id
from runs
where wake_at_ms <= $1
order by wake_at_ms
limit $2`,
    values: [nowMs, limit],
  });
}

export interface AdmissibleRow {
  readonly run_id: number;
  readonly job_id: number;
  readonly job_is_deleted: boolean;
}

/**
 * Of each job with queued runs, as many of the oldest as it has free places; of a deleted one as many as fit. Skips
 * from job to job in the index, so that 10,000 runs queued in one job cost no more than one.
 */
export function findAdmissibleRuns(
  db: Querier,
  limits: { readonly jobsMax: number; readonly runsMax: number },
): Promise<AdmissibleRow[]> {
  return db.query<AdmissibleRow>({
    name: 'runs-find-admissible',
    text: `
with recursive queued_jobs as (
  (select job_id, 1 as position from runs where phase = 'queued' order by job_id limit 1)
  union all
  select next.job_id, q.position + 1
  from queued_jobs q
  cross join lateral (
    select job_id from runs where phase = 'queued' and job_id > q.job_id order by job_id limit 1
  ) next
  where q.position < $1
)
select queued.run_id, queued.job_id, j.deleted_at_ms is not null as job_is_deleted
from queued_jobs q
join jobs j on j.job_id = q.job_id
cross join lateral (
  select case when j.deleted_at_ms is null then greatest(0, j.max_concurrent_runs - count(*)) else $2 end as free
  from runs r
  where r.job_id = j.job_id
    and r.phase in ('running', 'terminating')
) places
cross join lateral (
  select r.run_id, r.job_id
  from runs r
  where r.job_id = j.job_id
    and r.phase = 'queued'
  order by r.created_at_ms, r.run_id
  limit places.free
) queued
limit $2`,
    values: [limits.jobsMax, limits.runsMax],
  });
}
