/** The only SQL for expected jobs. Jobs and runs are other slices' to change: here they are only looked at. */
import type { Querier } from '../db/connect.ts';
import type { Document } from '../runs/run-facts.ts';

export interface ScheduledJobRow {
  readonly jobId: number;
  readonly expression: string;
  readonly zoneName: string;
}

/** Those whose schedule is not paused, by id. */
export function listScheduledJobs(
  db: Querier,
  { afterId, limit }: { readonly afterId: number; readonly limit: number },
): Promise<ScheduledJobRow[]> {
  return db.query<ScheduledJobRow>({
    name: 'prepared-hosts-list-scheduled-jobs',
    text: `
      select j.job_id as "jobId", j.settings #>> '{schedule,quartz_cron_expression}' as expression,
        j.settings #>> '{schedule,timezone_id}' as "zoneName"
      from jobs j
      where j.deleted_at_ms is null and j.settings ? 'schedule'
        and coalesce(j.settings #>> '{schedule,pause_status}', 'UNPAUSED') <> 'PAUSED'
        and j.job_id > $1
      order by j.job_id
      limit $2`,
    values: [afterId, limit],
  });
}

export interface ExpectedJobRow {
  readonly jobId: number;
  readonly name: string;
  readonly settings: Document;
  readonly ownerId: number;
  readonly ownerUserName: string;
  readonly createdAtMs: number;
}

export function readJobs(db: Querier, jobIds: readonly number[]): Promise<ExpectedJobRow[]> {
  return db.query<ExpectedJobRow>({
    name: 'prepared-hosts-read-jobs',
    text: `
      select j.job_id as "jobId", j.name, j.settings, j.owner_id as "ownerId",
        j.creator_user_name as "ownerUserName", j.created_at_ms as "createdAtMs"
      from jobs j
      where j.job_id = any($1::bigint[]) and j.deleted_at_ms is null`,
    values: [jobIds],
  });
}

export interface ClientStart {
  readonly jobId: number;
  readonly atMs: number;
}

/** Runs of jobs that clients started within these windows; of each window the newest. */
export function listClientStarts(
  db: Querier,
  windows: readonly { readonly fromMs: number; readonly untilMs: number }[],
  limitEach: number,
): Promise<ClientStart[]> {
  return db.query<ClientStart>({
    name: 'prepared-hosts-list-client-starts',
    text: `
      select r.job_id as "jobId", r.created_at_ms as "atMs"
      from unnest($1::bigint[], $2::bigint[]) as w (from_ms, until_ms)
      cross join lateral (
        select job_id, created_at_ms
        from runs
        where run_type = 'JOB_RUN' and deleted_at_ms is null and trigger = 'ONE_TIME'
          and created_at_ms between w.from_ms and w.until_ms
        order by created_at_ms desc
        limit $3
      ) r`,
    values: [windows.map(({ fromMs }) => fromMs), windows.map(({ untilMs }) => untilMs), limitEach],
  });
}

/** Of those that have runs. */
export function findLatestStarts(db: Querier, jobIds: readonly number[]): Promise<ClientStart[]> {
  return db.query<ClientStart>({
    name: 'prepared-hosts-find-latest-starts',
    text: `
      select j.job_id as "jobId", r.created_at_ms as "atMs"
      from unnest($1::bigint[]) as j (job_id)
      cross join lateral (
        select created_at_ms
        from runs
        where job_id = j.job_id and deleted_at_ms is null
        order by created_at_ms desc, run_id desc
        limit 1
      ) r`,
    values: [jobIds],
  });
}
