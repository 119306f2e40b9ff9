import type { Querier } from '../db/connect.ts';

export interface StoreMeasures {
  readonly queued_runs: number;
  readonly running_runs: number;
  readonly terminating_runs: number;
  readonly oldest_queued_run_ms: number | null;
  readonly queued_attempts: number;
  readonly claimed_attempts: number;
  readonly running_attempts: number;
  readonly stopping_attempts: number;
  readonly oldest_queued_attempt_ms: number | null;
}

/** One look along the partial indexes of what is active; what has ended is never counted here. */
export async function readMeasures(db: Querier): Promise<StoreMeasures | undefined> {
  const rows = await db.query<StoreMeasures>({
    name: 'metrics-read',
    text: `
select
  active.queued as queued_runs, active.running as running_runs, active.terminating as terminating_runs,
  (select min(created_at_ms) from (
    select created_at_ms from runs where phase = 'queued'
  ) q) as oldest_queued_run_ms,
  (select count(*) from task_runs where state = 'queued') as queued_attempts,
  held.claimed as claimed_attempts, held.running as running_attempts, held.stopping as stopping_attempts,
  (select queued_at_ms from task_runs where state = 'queued' order by queued_at_ms limit 1) as oldest_queued_attempt_ms
from (
  select
    count(*) filter (where phase = 'queued') as queued,
    count(*) filter (where phase = 'running') as running,
    count(*) filter (where phase = 'terminating') as terminating
  from runs
  where phase <> 'ended' and deleted_at_ms is null
) active
cross join (
  select
    count(*) filter (where state = 'claimed') as claimed,
    count(*) filter (where state = 'running') as running,
    count(*) filter (where state = 'stopping') as stopping
  from task_runs
  where state in ('claimed', 'running', 'stopping')
) held`,
    values: [],
  });
  return rows[0];
}
