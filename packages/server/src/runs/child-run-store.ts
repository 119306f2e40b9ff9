/** What the loop between tasks and the runs that are their work looks for. */
import type { RunResult } from '@headrace/core';
import type { Querier } from '../db/connect.ts';
import type { RunCause } from './run-rows.ts';

export interface ReadyParentRow {
  readonly run_id: number;
  readonly attempt_id: number;
}

/** Tasks whose run has yet to be made: no other task stays ready beyond its batch. */
export function findReadyParents(db: Querier, limit: number): Promise<ReadyParentRow[]> {
  return db.query<ReadyParentRow>({
    name: 'runs-find-ready-parents',
    text: `
select run_id, attempt_id
from task_runs
where state = 'ready'
order by queued_at_ms, attempt_id
limit $1`,
    values: [limit],
  });
}

/**
 * Active runs whose task is being stopped, or has ended without waiting for them. One that a person repairs after that
 * end is left alone.
 */
export function findOrphanedChildren(db: Querier, limit: number): Promise<{ run_id: number }[]> {
  return db.query({
    name: 'runs-find-orphaned-children',
    text: `
select r.run_id
from runs r
join task_runs t on t.attempt_id = r.parent_attempt_id
where r.parent_attempt_id is not null
  and r.phase in ('queued', 'running')
  and ((t.state = 'ended' and r.generation = 0) or (t.state = 'running_parts' and t.stop_reason is not null))
limit $1`,
    values: [limit],
  });
}

export interface EndedChildRow extends ReadyParentRow {
  readonly child_run_id: number;
  readonly result: RunResult;
  readonly cause: RunCause | null;
  readonly ended_at_ms: number;
}

export function findEndedChildren(db: Querier, limit: number): Promise<EndedChildRow[]> {
  return db.query<EndedChildRow>({
    name: 'runs-find-ended-children',
    text: `
select t.run_id, t.attempt_id, t.child_run_id, r.result, r.cause, r.ended_at_ms
from task_runs t
join runs r on r.run_id = t.child_run_id
where t.state = 'running_parts'
  and t.child_run_id is not null
  and r.phase = 'ended'
limit $1`,
    values: [limit],
  });
}

/** The jobs of a run and of the runs whose tasks it is the work of, nearest first. */
export async function readAncestorJobIds(
  db: Querier,
  runId: number,
  depthMax: number,
): Promise<(number | null)[]> {
  const rows = await db.query<{ job_id: number | null }>({
    name: 'runs-read-ancestor-jobs',
    text: `
with recursive ancestors as (
  select run_id, job_id, parent_run_id, 1 as depth from runs where run_id = $1
  union all
  select r.run_id, r.job_id, r.parent_run_id, a.depth + 1
  from ancestors a
  join runs r on r.run_id = a.parent_run_id
  where a.depth < $2
)
select job_id
from ancestors
order by depth`,
    values: [runId, depthMax],
  });
  return rows.map(({ job_id }) => job_id);
}
