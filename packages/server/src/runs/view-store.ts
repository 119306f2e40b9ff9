/** What documents show beside a run and its tasks: generations, counts of iterations, iterations page by page. */
import type { RunPhase } from '@headrace/core';
import type { Querier } from '../db/connect.ts';
import type { Document, RunParameters } from './run-facts.ts';
import { type TaskRunView, taskRunColumns } from './store.ts';

export interface GenerationView {
  readonly run_id: number;
  readonly generation: number;
  readonly created_at_ms: number;
  /** null for the original. */
  readonly repair_id: number | null;
  /** How it ended; null while it is the run's current one. */
  readonly phase: RunPhase | null;
  readonly settings: Document;
}

/** Settings are large, and empty unless asked for. */
export function readGenerations(
  db: Querier,
  runIds: readonly number[],
  { withSettings }: { readonly withSettings: boolean },
): Promise<GenerationView[]> {
  return db.query<GenerationView>({
    name: `runs-read-generations${withSettings ? '-with-settings' : ''}`,
    text: `
select run_id, generation, created_at_ms, repair_id, phase, ${withSettings ? 'settings' : `'{}'::jsonb as settings`}
from run_generations
where run_id = any($1::bigint[])
order by run_id, generation`,
    values: [runIds],
  });
}

/** Of the runs that tasks started. */
export function readParameters(
  db: Querier,
  runIds: readonly number[],
): Promise<{ run_id: number; parameters: RunParameters }[]> {
  return db.query({
    name: 'runs-read-parameters',
    text: `
select r.run_id, g.parameters
from runs r
join run_generations g on g.run_id = r.run_id and g.generation = r.generation
where r.run_id = any($1::bigint[])`,
    values: [runIds],
  });
}

/** Iterations that a for-each has begun itself: those it reuses are not among them. */
export interface IterationCounts {
  readonly attempt_id: number;
  readonly begun: number;
  readonly active: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly messages: readonly { readonly message: string; readonly count: number }[] | null;
}

const messagesMax = 10;
const messageCharsMax = 1_000;

/**
 * Each attempt after the first follows one that failed, so plain counts tell the latest attempts from earlier ones:
 * no sort, and one pass over an index range, since pages ask again and again while thousands of iterations run.
 */
export function countIterations(db: Querier, attemptIds: readonly number[]): Promise<IterationCounts[]> {
  return db.query<IterationCounts>({
    name: 'runs-count-iterations',
    text: `
select f.attempt_id, c.begun, c.active, c.succeeded, c.failed, e.messages
from unnest($1::bigint[]) f(attempt_id)
cross join lateral (
  select
    (count(*) filter (where t.attempt = 0))::integer as begun,
    (count(*) filter (where t.state <> 'ended'))::integer as active,
    (count(*) filter (where t.result = 'succeeded'))::integer as succeeded,
    (count(*) filter (where t.result in ('failed', 'timed_out', 'internal_error'))
      - count(*) filter (where t.attempt > 0))::integer as failed
  from task_runs t
  where t.parent_attempt_id = f.attempt_id
) c
cross join lateral (
  select json_agg(json_build_object('message', m.message, 'count', m.count) order by m.count desc, m.message) as messages
  from (
    select left(coalesce(t.failure ->> 'message', ''), ${messageCharsMax}) as message, count(*) as count
    from task_runs t
    where c.failed > 0
      and t.parent_attempt_id = f.attempt_id
      and t.result in ('failed', 'timed_out', 'internal_error')
      and not exists (
        select from task_runs later
        where later.parent_attempt_id = t.parent_attempt_id
          and later.iteration = t.iteration
          and later.attempt > t.attempt
      )
    group by 1
    order by 2 desc, 1
    limit ${messagesMax}
  ) m
) e`,
    values: [attemptIds],
  });
}

/** The for-each and its iterations as one attempt of it sees them: those of later repairs are not there. */
export interface IterationsRequest {
  readonly runId: number;
  readonly attemptId: number;
  readonly nestedKey: string;
  readonly generation: number;
  readonly inputsCount: number;
  /** Where the page begins; inclusive. */
  readonly from: IterationPosition;
  readonly limit: number;
}

export interface IterationPosition {
  readonly iteration: number;
  readonly generation: number;
  readonly attempt: number;
}

/**
 * The latest attempt of each iteration, reused ones among them, in the order of the inputs. Goes from one to the next,
 * so a page reads no more than it shows.
 */
export function readLatestIterations(db: Querier, request: IterationsRequest): Promise<TaskRunView[]> {
  return db.query<TaskRunView>({
    name: 'runs-read-latest-iterations',
    text: `
select t.*
from (
  select iteration
  from generate_series($3::integer, $4::integer) iteration
  order by iteration
) i
cross join lateral (
  select ${taskRunColumns}
  from task_runs t
  where t.run_id = $1
    and t.task_key = $2
    and t.iteration = i.iteration
    and t.generation <= $5
    and t.parent_attempt_id is not null
    and (t.parent_attempt_id = $6
      or t.iteration in (
        select reused::integer
        from task_runs o
        cross join jsonb_array_elements_text(o.reused_iterations) reused
        where o.attempt_id = $6))
  order by t.generation desc, t.attempt desc
  limit 1
) t
order by i.iteration
limit $7`,
    values: [
      ...[request.runId, request.nestedKey, request.from.iteration, request.inputsCount - 1],
      ...[request.generation, request.attemptId, request.limit],
    ],
  });
}

/** Every attempt of every iteration, those before a repair too. */
export function readIterationHistory(db: Querier, request: IterationsRequest): Promise<TaskRunView[]> {
  const { from } = request;
  return db.query<TaskRunView>({
    name: 'runs-read-iteration-history',
    text: `
select ${taskRunColumns}
from task_runs t
where t.run_id = $1
  and t.task_key = $2
  and (t.iteration, t.generation, t.attempt) >= ($3::integer, $4::integer, $5::integer)
  and t.generation <= $6
  and t.parent_attempt_id is not null
order by t.iteration, t.generation, t.attempt
limit $7`,
    values: [
      ...[request.runId, request.nestedKey, from.iteration, from.generation, from.attempt],
      ...[request.generation, request.limit],
    ],
  });
}
