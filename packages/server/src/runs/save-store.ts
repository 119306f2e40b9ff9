/** The hot statements: load a run whole, save a batch of changed runs in one round trip, one commit. */

import { endpointLabel, type JsonValue, type WorkerLabels } from '@headrace/core';
import { isEndpoint } from '../attempts/endpoint-attempts.ts';
import type { NamedQuery, Querier } from '../db/connect.ts';
import { toStorableJson } from '../db/storable-json.ts';
import type { GenerationRow, RunRow, TaskRunRow, TaskValueRow } from './run-rows.ts';

export interface RunSave extends RunRow {
  /** null: a new run. */
  readonly expected_version: number | null;
  /** Takes one of its job's places, or queues for one: the job must be as it was when that was decided. */
  readonly takes_place: boolean;
}

export interface TaskRunSave extends TaskRunRow {
  /** null: a new attempt. */
  readonly expected_epoch: number | null;
  readonly created_at_ms: number;
  readonly cluster_id: string | null;
  /** With a claim only. */
  readonly claim_epoch: number | null;
  readonly exit_value: string | null;
  readonly resolved: JsonValue;
  /** Of a new attempt that asks for some. */
  readonly worker_labels: WorkerLabels | null;
}

export interface TaskValueSave extends TaskValueRow {
  readonly attempt_id: number;
  readonly set_at_ms: number;
}

export interface HistorySave {
  readonly run_id: number;
  readonly at_ms: number;
  readonly task_key: string | null;
  readonly attempt_id: number | null;
  readonly kind: string;
  readonly detail: JsonValue;
}

export interface PlacesSave {
  readonly job_id: number;
  readonly expected_admissions: number;
  readonly taken: number;
}

export interface BatchSave {
  readonly runs: readonly RunSave[];
  readonly places: readonly PlacesSave[];
  readonly generations: readonly GenerationRow[];
  /** How generations ended that a repair has followed. */
  readonly followed: readonly Pick<GenerationRow, 'run_id' | 'generation' | 'phase'>[];
  readonly taskRuns: readonly TaskRunSave[];
  readonly taskValues: readonly TaskValueSave[];
  readonly history: readonly HistorySave[];
}

/**
 * A run row is the fence: a stale version changes nothing of that run. An attempt is fenced again by its epoch.
 * One statement is one transaction, so nothing here can be half done.
 *
 * Whether a row's run was saved is asked with `is true`: that keeps the planner from making a join of it, which under
 * the settings of this connection would compare every row with every run, and lets it look into a hash table.
 */
export function saveBatchQuery(batch: BatchSave): NamedQuery {
  return {
    name: 'runs-save-batch',
    text: saveBatchText,
    values: [
      toStorableJson(batch.runs),
      toStorableJson(batch.places),
      toStorableJson(batch.generations),
      toStorableJson(batch.taskRuns),
      toStorableJson(batch.taskValues),
      toStorableJson(batch.history),
      toStorableJson(batch.followed),
    ],
  };
}

const saveBatchText = `
with run_input as (
  select *
  from json_to_recordset($1::json) as r(
    run_id bigint, expected_version integer, takes_place boolean, job_id bigint, version integer, run_type text,
    run_name text, trigger text, owner_id bigint, creator_user_name text, idempotency_token text,
    number_in_job bigint, created_at_ms bigint, generation integer, phase text, started_at_ms bigint,
    stop_reason text, stopping_at_ms bigint, ended_at_ms bigint, result text, cause jsonb, wake_at_ms bigint,
    parent_attempt_id bigint, parent_run_id bigint)
),
places as (
  update jobs j
  set admissions = j.admissions + p.taken
  from json_to_recordset($2::json) as p(job_id bigint, expected_admissions bigint, taken integer)
  where j.job_id = p.job_id
    and j.admissions = p.expected_admissions
  returning j.job_id
),
allowed as (
  select *
  from run_input r
  where not r.takes_place
    or exists (select from places p where p.job_id = r.job_id)
),
made as (
  insert into runs (
    run_id, job_id, version, run_type, run_name, trigger, owner_id, creator_user_name, idempotency_token,
    number_in_job, created_at_ms, generation, phase, started_at_ms, stop_reason, stopping_at_ms, ended_at_ms,
    result, cause, wake_at_ms, parent_attempt_id, parent_run_id)
  select
    run_id, job_id, version, run_type, run_name, trigger, owner_id, creator_user_name, idempotency_token,
    number_in_job, created_at_ms, generation, phase, started_at_ms, stop_reason, stopping_at_ms, ended_at_ms,
    result, cause, wake_at_ms, parent_attempt_id, parent_run_id
  from allowed
  where expected_version is null
  on conflict do nothing
  returning run_id
),
moved as (
  update runs r
  set version = i.version, generation = i.generation, phase = i.phase, started_at_ms = i.started_at_ms,
    stop_reason = i.stop_reason, stopping_at_ms = i.stopping_at_ms, ended_at_ms = i.ended_at_ms,
    result = i.result, cause = i.cause, wake_at_ms = i.wake_at_ms
  from allowed i
  where i.expected_version is not null
    and r.run_id = i.run_id
    and r.version = i.expected_version
  returning r.run_id
),
saved as (
  select run_id from made
  union all
  select run_id from moved
),
frozen as (
  insert into run_generations (
    run_id, generation, created_at_ms, definition, settings, parameters, repair_id, reuses_iterations)
  select
    run_id, g.generation, g.created_at_ms, g.definition, g.settings, g.parameters, g.repair_id, g.reuses_iterations
  from json_to_recordset($3::json) as g(
    run_id bigint, generation integer, created_at_ms bigint, definition jsonb, settings jsonb, parameters jsonb,
    repair_id bigint, reuses_iterations boolean)
  where (run_id in (select run_id from saved)) is true
),
followed as (
  update run_generations g
  set phase = f.phase
  from json_to_recordset($7::json) as f(run_id bigint, generation integer, phase jsonb)
  where (f.run_id in (select run_id from saved)) is true
    and g.run_id = f.run_id
    and g.generation = f.generation
),
task_input as (
  select t.*
  from json_to_recordset($4::json) as t(
    run_id bigint, task_key text, iteration integer, generation integer, attempt integer, attempt_id bigint,
    expected_epoch integer, epoch integer, state text, created_at_ms bigint, due_at_ms bigint, queued_at_ms bigint,
    claimed_at_ms bigint, started_at_ms bigint, stopping_at_ms bigint, ended_at_ms bigint, worker_id text,
    cluster_id text, claim_epoch integer, stop_reason text, result text, failure jsonb, exit_value text, resolved jsonb,
    free_dispatches integer, earlier_attempts integer, parent_attempt_id bigint, input jsonb, inputs jsonb, reused_iterations jsonb,
    condition jsonb, child_run_id bigint, worker_labels jsonb)
  where (run_id in (select run_id from saved)) is true
),
attempts_made as (
  insert into task_runs (
    run_id, task_key, iteration, generation, attempt, attempt_id, epoch, state, created_at_ms, due_at_ms,
    queued_at_ms, claimed_at_ms, started_at_ms, stopping_at_ms, ended_at_ms, worker_id, cluster_id, claim_epoch, stop_reason,
    result, failure, exit_value, resolved, free_dispatches, earlier_attempts, parent_attempt_id, input, inputs,
    reused_iterations, condition, child_run_id, worker_labels)
  select
    run_id, task_key, iteration, generation, attempt, attempt_id, epoch, state, created_at_ms, due_at_ms,
    queued_at_ms, claimed_at_ms, started_at_ms, stopping_at_ms, ended_at_ms, worker_id, cluster_id, claim_epoch, stop_reason,
    result, failure, exit_value, resolved, free_dispatches, earlier_attempts, parent_attempt_id, input, inputs,
    reused_iterations, condition, child_run_id, worker_labels
  from task_input
  where expected_epoch is null
),
attempts_moved as (
  update task_runs t
  set epoch = i.epoch, generation = i.generation, free_dispatches = i.free_dispatches, state = i.state,
    due_at_ms = i.due_at_ms,
    queued_at_ms = coalesce(i.queued_at_ms, t.queued_at_ms), claimed_at_ms = i.claimed_at_ms,
    started_at_ms = i.started_at_ms, stopping_at_ms = coalesce(i.stopping_at_ms, t.stopping_at_ms),
    ended_at_ms = i.ended_at_ms, worker_id = coalesce(i.worker_id, t.worker_id),
    cluster_id = coalesce(i.cluster_id, t.cluster_id), claim_epoch = coalesce(i.claim_epoch, t.claim_epoch),
    stop_reason = coalesce(i.stop_reason, t.stop_reason),
    result = i.result, failure = i.failure, exit_value = coalesce(i.exit_value, t.exit_value),
    resolved = coalesce(i.resolved, t.resolved), inputs = coalesce(i.inputs, t.inputs),
    reused_iterations = coalesce(i.reused_iterations, t.reused_iterations),
    condition = coalesce(i.condition, t.condition), child_run_id = coalesce(i.child_run_id, t.child_run_id)
  from task_input i
  where i.expected_epoch is not null
    and t.attempt_id = i.attempt_id
    and t.epoch = i.expected_epoch
    and t.state <> 'ended'
),
kept_values as (
  -- The recordset reads a JSON null as SQL's null, but here it is a value: None was set.
  insert into task_values (run_id, task_key, name, value, attempt_id, set_at_ms)
  select run_id, v.task_key, v.name, coalesce(v.value, 'null'), v.attempt_id, v.set_at_ms
  from json_to_recordset($5::json) as v(
    run_id bigint, task_key text, name text, value jsonb, attempt_id bigint, set_at_ms bigint)
  where (run_id in (select run_id from saved)) is true
  on conflict (run_id, task_key, name) do update
  set value = excluded.value, attempt_id = excluded.attempt_id, set_at_ms = excluded.set_at_ms
),
history as (
  insert into run_events (run_id, at_ms, task_key, attempt_id, kind, detail)
  select run_id, h.at_ms, h.task_key, h.attempt_id, h.kind, h.detail
  from json_to_recordset($6::json) as h(
    run_id bigint, at_ms bigint, task_key text, attempt_id bigint, kind text, detail jsonb)
  where (run_id in (select run_id from saved)) is true
)
select run_id
from saved`;

export interface LoadedRun {
  readonly run: RunRow;
  readonly generations: readonly GenerationRow[];
  readonly task_runs: readonly TaskRunRow[] | null;
  readonly task_values: readonly TaskValueRow[] | null;
}

/** One statement, so that all parts are of one version. */
export function loadRuns(db: Querier, runIds: readonly number[]): Promise<LoadedRun[]> {
  return db.query<LoadedRun>({
    name: 'runs-load',
    text: `
select
  row_to_json(r) as run,
  (select json_agg(g) from run_generations g where g.run_id = r.run_id) as generations,
  (select json_agg(t)
    from (
      select distinct on (task_key, iteration)
        run_id, task_key, iteration, generation, attempt, attempt_id, epoch, state, due_at_ms, queued_at_ms,
        claimed_at_ms, started_at_ms, stopping_at_ms, ended_at_ms, worker_id, stop_reason, result, failure,
        free_dispatches, earlier_attempts, parent_attempt_id, input, inputs, reused_iterations, condition, child_run_id
      from task_runs
      where run_id = r.run_id
      order by task_key, iteration, generation desc, attempt desc
    ) t) as task_runs,
  (select json_agg(v)
    from (select run_id, task_key, name, value from task_values where run_id = r.run_id) v) as task_values
from runs r
where r.run_id = any($1::bigint[])
  and r.deleted_at_ms is null`,
    values: [runIds],
  });
}

export interface PlacesRow {
  readonly job_id: number;
  readonly runs_max: number;
  readonly admissions: number;
  readonly active: number;
  readonly queued: number;
}

export function readPlaces(db: Querier, jobIds: readonly number[]): Promise<PlacesRow[]> {
  return db.query<PlacesRow>({
    name: 'runs-read-places',
    text: `
select
  j.job_id,
  j.max_concurrent_runs as runs_max,
  j.admissions,
  (select count(*) from runs r where r.job_id = j.job_id and r.phase in ('running', 'terminating')) as active,
  (select count(*) from (select from runs r where r.job_id = j.job_id and r.phase = 'queued' limit 1) q) as queued
from jobs j
where j.job_id = any($1::bigint[])
  and j.deleted_at_ms is null`,
    values: [jobIds],
  });
}

/** A hash of what an attempt asks for; that of nothing is empty. As the index has it. */
const wish = "coalesce(md5(worker_labels::text), '')";

/**
 * For each of these workers the longest waiting ones that it may take; `claimer` is its place in `labels`. Goes from
 * wish to wish, of which there are few, and looks only at those that are granted: 0.4 ms behind 10,000 attempts that
 * nobody can take, 50 ms where each of them asks for something else, PostgreSQL 18 on two busy cores, 2026-11.
 */
export function findQueuedAttempts(
  db: Querier,
  { labels, limit }: { readonly labels: readonly WorkerLabels[]; readonly limit: number },
): Promise<{ claimer: number; run_id: number; attempt_id: number }[]> {
  return db.query({
    name: 'runs-find-queued',
    text: `
with recursive wishes as (
  (select ${wish} as hash, worker_labels from task_runs where state = 'queued' order by ${wish} limit 1)
  union all
  select next.hash, next.worker_labels
  from wishes w
  cross join lateral (
    select ${wish} as hash, worker_labels
    from task_runs
    where state = 'queued'
      and ${wish} > w.hash
    order by ${wish}
    limit 1
  ) next
)
select c.ordinality - 1 as claimer, q.run_id, q.attempt_id
from jsonb_array_elements($1) with ordinality c
cross join lateral (
  select oldest.*
  from wishes w
  cross join lateral (
    select run_id, attempt_id, queued_at_ms
    from task_runs
    where state = 'queued'
      and ${wish} = w.hash
    order by queued_at_ms, attempt_id
    limit $2
  ) oldest
  where (c.value ? '${endpointLabel}') = ${isEndpoint('w.worker_labels')}
    and (w.worker_labels is null or c.value @> w.worker_labels)
  order by oldest.queued_at_ms, oldest.attempt_id
  limit $2
) q
order by q.queued_at_ms, q.attempt_id`,
    values: [JSON.stringify(labels), limit],
  });
}

export interface MadeRun {
  readonly run_id: number;
  readonly idempotency_token: string | null;
  readonly parent_attempt_id: number | null;
}

/** Of a save that did not happen: whether it did after all, or another run holds the token. */
export function findMadeRuns(
  db: Querier,
  wanted: readonly {
    readonly runId: number;
    readonly token: string | null;
    readonly parentAttemptId: number | null;
  }[],
): Promise<MadeRun[]> {
  return db.query({
    name: 'runs-find-made',
    text: `
select run_id, idempotency_token, parent_attempt_id
from runs
where run_id = any($1::bigint[])
  or idempotency_token = any($2::text[])
  or parent_attempt_id = any($3::bigint[])`,
    values: [
      wanted.map(({ runId }) => runId),
      wanted.flatMap(({ token }) => token ?? []),
      wanted.flatMap(({ parentAttemptId }) => parentAttemptId ?? []),
    ],
  });
}
