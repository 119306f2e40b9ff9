/** What only the answer to "why" asks of the store. */

import {
  type EndedResult,
  endpointLabel,
  type RunDefinition,
  type RunIf,
  sqlEndpointsMax,
  type WorkerLabels,
} from '@headrace/core';
import { isEndpoint } from '../attempts/endpoint-attempts.ts';
import type { Querier } from '../db/connect.ts';
import { toldMax } from './explain-facts.ts';
import type { PhaseRow } from './run-rows.ts';
import { type TaskRunView, taskRunColumns } from './store.ts';
import { silentAfterMs, type WorkerSilence } from './worker-silence.ts';

/** Beyond it, the place in a queue is told as if it were this one. */
const positionMax = 100_000;

export async function readDefinition(
  db: Querier,
  { runId, generation }: { readonly runId: number; readonly generation: number },
): Promise<RunDefinition> {
  const rows = await db.query<{ definition: RunDefinition }>({
    name: 'runs-read-definition',
    text: `
select definition
from run_generations
where run_id = $1
  and generation = $2`,
    values: [runId, generation],
  });
  return rows[0]?.definition ?? { tasks: [], timeoutMs: null };
}

export async function countQueuedRunsBefore(
  db: Querier,
  run: { readonly job_id: number | null; readonly created_at_ms: number; readonly run_id: number },
): Promise<number> {
  const rows = await db.query<{ ahead: number }>({
    name: 'runs-count-queued-before',
    text: `
select count(*) as ahead
from (
  select from runs
  where job_id = $1
    and phase = 'queued'
    and (created_at_ms, run_id) < ($2, $3)
  limit ${positionMax}
) q`,
    values: [run.job_id, run.created_at_ms, run.run_id],
  });
  return rows[0]?.ahead ?? 0;
}

/** Those that go before: they ask for the same, or for what one of the workers has that may take this one. */
export async function countQueuedAttemptsBefore(
  db: Querier,
  attempt: { readonly queued_at_ms: number | null; readonly attempt_id: number },
  { asked, takers }: { readonly asked: WorkerLabels; readonly takers: readonly WorkerLabels[] },
): Promise<number> {
  const rows = await db.query<{ ahead: number }>({
    name: 'runs-count-queued-attempts-before',
    text: `
select count(*) as ahead
from (
  select from task_runs
  where state = 'queued'
    and (queued_at_ms, attempt_id) < ($1, $2)
    and exists (
      select from jsonb_array_elements($3) c
      where (c.value ? '${endpointLabel}') = ${isEndpoint('worker_labels')}
        and c.value @> coalesce(worker_labels, '{}'))
  limit ${positionMax}
) q`,
    values: [attempt.queued_at_ms, attempt.attempt_id, JSON.stringify([asked, ...takers])],
  });
  return rows[0]?.ahead ?? 0;
}

/** What a host of this cluster says of its driver, or its worker of the host, while one of them does not answer. */
export async function readSilentHost(
  db: Querier,
  { clusterId, workerId }: { readonly clusterId: string; readonly workerId: string },
): Promise<string | null> {
  const rows = await db.query<{ message: string }>({
    name: 'runs-read-silent-host',
    text: `
select message
from cluster_hosts
where cluster_id = $1
  and worker_id = $2
  and state = 'running'
  and spark_state in ('not_responding', 'unknown')
order by reported_at_ms desc
limit 1`,
    values: [clusterId, workerId],
  });
  return rows[0]?.message ?? null;
}

export interface WorkerSlots {
  readonly workers: number;
  readonly slots: number;
  readonly held: number;
  /** The first ones that have no slot free. */
  readonly full_worker_ids: readonly string[];
  /** Each set that these workers have, up to a number. */
  readonly labels: readonly WorkerLabels[];
  /** The first ones that have not been heard of; they count in nothing above. */
  readonly silent: readonly WorkerSilence[];
}

/** Kinds of workers that are looked at; more would not change what is told. */
const labelSetsMax = 100;

/** One that has been away for longer is not expected back. */
const awaitedMs = 24 * 60 * 60 * 1000;

/** Of workers that have these labels: those that were heard of a moment ago, and those that were not. SQL endpoints have room beside the slots. */
export async function readWorkerSlots(db: Querier, asked: WorkerLabels): Promise<WorkerSlots> {
  const rows = await db.query<WorkerSlots>({
    name: 'runs-read-worker-slots',
    text: `
with signed_on as (
  select w.*, n.now_ms - w.heartbeat_at_ms as heard_ms_ago,
    w.heartbeat_at_ms < n.now_ms - ${silentAfterMs} or (not w.is_local and w.lease_expires_at_ms < n.now_ms) as is_silent,
    case when w.is_local then null else greatest(0, w.lease_expires_at_ms - n.now_ms) end as lease_left_ms
  from workers w
  cross join (select (extract(epoch from clock_timestamp()) * 1000)::bigint as now_ms) n
  where w.signed_off_at_ms is null
    and w.heartbeat_at_ms > n.now_ms - ${awaitedMs}
    and w.labels @> $1::jsonb - '${endpointLabel}'
)
select
  count(*) as workers,
  coalesce(sum(h.room), 0)::bigint as slots,
  coalesce(sum(h.held), 0)::bigint as held,
  coalesce((array_agg(w.worker_id order by w.worker_id) filter (where h.held >= h.room))[1:${toldMax}], '{}')
    as full_worker_ids,
  coalesce((array_agg(distinct w.labels))[1:${labelSetsMax}], '{}') as labels,
  (select coalesce(json_agg(s), '[]') from (
    select worker_id, heard_ms_ago, lease_left_ms
    from signed_on
    where is_silent
    order by heard_ms_ago, worker_id
    limit ${toldMax}
  ) s) as silent
from signed_on w
cross join lateral (
  select count(*) as held,
    case when $1::jsonb ? '${endpointLabel}' then ${sqlEndpointsMax} else w.slots end as room
  from task_runs t
  where t.worker_id = w.worker_id
    and t.state in ('claimed', 'running', 'stopping')
    and ${isEndpoint('t.worker_labels')} = ($1::jsonb ? '${endpointLabel}')
) h
where not w.is_silent`,
    values: [JSON.stringify(asked)],
  });
  return rows[0] ?? { workers: 0, slots: 0, held: 0, full_worker_ids: [], labels: [], silent: [] };
}

/** As run-history.ts writes it. */
export type RecordedDecision =
  | {
      readonly kind: 'run_if_not_met';
      readonly run_if: RunIf;
      readonly parents: readonly { readonly task_key: string; readonly result: EndedResult }[];
    }
  | { readonly kind: 'guard_not_met'; readonly left: string; readonly right: string };

/** Why the attempt ended without having run; null where nothing had to be decided. */
export async function readDecision(
  db: Querier,
  { run_id, attempt_id }: { readonly run_id: number; readonly attempt_id: number },
): Promise<RecordedDecision | null> {
  const rows = await db.query<{ decision: RecordedDecision | null }>({
    name: 'runs-read-decision',
    text: `
select detail -> 'decision' as decision
from run_events
where run_id = $1
  and attempt_id = $2
  and kind = 'attempt_ended'
order by run_event_id desc
limit 1`,
    values: [run_id, attempt_id],
  });
  return rows[0]?.decision ?? null;
}

/** A deleted run is still told of. */
export async function readPhase(db: Querier, runId: number): Promise<PhaseRow | null> {
  const rows = await db.query<PhaseRow>({
    name: 'runs-read-phase',
    text: `
select phase, started_at_ms, stop_reason, stopping_at_ms, ended_at_ms, result, cause
from runs
where run_id = $1`,
    values: [runId],
  });
  return rows[0] ?? null;
}

export async function readLatestIteration(
  db: Querier,
  slot: { readonly runId: number; readonly nestedKey: string; readonly iteration: number },
): Promise<TaskRunView | null> {
  const rows = await db.query<TaskRunView>({
    name: 'runs-read-latest-iteration',
    text: `
select ${taskRunColumns}
from task_runs t
where t.run_id = $1
  and t.task_key = $2
  and t.iteration = $3
  and t.parent_attempt_id is not null
order by t.generation desc, t.attempt desc
limit 1`,
    values: [slot.runId, slot.nestedKey, slot.iteration],
  });
  return rows[0] ?? null;
}
