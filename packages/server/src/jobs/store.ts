/** The only SQL for jobs. */
import { type Kysely, sql } from 'kysely';
import type { Database, Querier } from '../db/connect.ts';
import { toStorableJson } from '../db/storable-json.ts';
import type { Document } from '../runs/run-facts.ts';

export interface JobRow {
  readonly job_id: number;
  readonly name: string;
  readonly settings: Document;
  readonly creator_user_name: string;
  readonly created_at_ms: number;
  readonly deleted_at_ms: number | null;
}

export interface JobWrite {
  readonly jobId: number;
  readonly name: string;
  readonly settings: Document;
  readonly runsMax: number;
  readonly nowMs: number;
}

export async function insertJob(
  db: Querier,
  job: JobWrite & { readonly ownerId: number; readonly creatorUserName: string },
): Promise<void> {
  await db.query({
    name: 'jobs-insert',
    text: `
insert into jobs (
  job_id, name, settings, max_concurrent_runs, owner_id, creator_user_name, created_at_ms, updated_at_ms)
values ($1, $2, $3, $4, $5, $6, $7, $7)`,
    values: [
      job.jobId,
      job.name,
      toStorableJson(job.settings),
      job.runsMax,
      job.ownerId,
      job.creatorUserName,
      job.nowMs,
    ],
  });
}

const jobColumns = 'job_id, name, settings, creator_user_name, created_at_ms, deleted_at_ms';

/** Deleted jobs are not found. */
export async function readJob(db: Querier, jobId: number): Promise<JobRow | null> {
  const rows = await db.query<JobRow>({
    name: 'jobs-read',
    text: `
select ${jobColumns}
from jobs
where job_id = $1
  and deleted_at_ms is null`,
    values: [jobId],
  });
  return rows[0] ?? null;
}

/** Holds the job until the transaction ends, so that two updates do not undo each other. */
export async function lockJob(db: Querier, jobId: number): Promise<JobRow | null> {
  const rows = await db.query<JobRow>({
    name: 'jobs-lock',
    text: `
select ${jobColumns}
from jobs
where job_id = $1
  and deleted_at_ms is null
for update`,
    values: [jobId],
  });
  return rows[0] ?? null;
}

export async function updateJob(db: Querier, job: JobWrite): Promise<void> {
  await db.query({
    name: 'jobs-update',
    text: `
update jobs
set name = $2, settings = $3, max_concurrent_runs = $4, updated_at_ms = $5
where job_id = $1`,
    values: [job.jobId, job.name, toStorableJson(job.settings), job.runsMax, job.nowMs],
  });
}

/** False when there was no such job. */
export async function markJobDeleted(db: Querier, jobId: number, nowMs: number): Promise<boolean> {
  const rows = await db.query({
    name: 'jobs-mark-deleted',
    text: `
update jobs
-- A run that is being admitted at this moment is decided again, and finds no job.
set deleted_at_ms = $2, admissions = admissions + 1
where job_id = $1
  and deleted_at_ms is null
returning job_id`,
    values: [jobId, nowMs],
  });
  return rows.length > 0;
}

/** Says to jobs which version of which deployment they belong to; those that say nothing of a bundle are left. */
export async function markDeployment(
  db: Querier,
  jobIds: readonly number[],
  { deploymentId, version }: { readonly deploymentId: number; readonly version: number },
): Promise<void> {
  await db.query({
    name: 'jobs-mark-deployment',
    text: `
update jobs
set settings = jsonb_set(
  settings,
  '{deployment}',
  settings -> 'deployment' || jsonb_build_object('deployment_id', $2::bigint, 'version', $3::integer))
where job_id = any($1::bigint[])
  and settings #>> '{deployment,kind}' = 'BUNDLE'`,
    values: [jobIds, deploymentId, version],
  });
}

export interface DeployedJobRow {
  readonly job_id: number;
  /** As whoever saved the job wrote it. */
  readonly deployment_id: string | null;
}

/** Holds those of the jobs that exist, and says which deployment they belong to. */
export async function lockDeployedJobs(db: Querier, jobIds: readonly number[]): Promise<DeployedJobRow[]> {
  return db.query<DeployedJobRow>({
    name: 'jobs-lock-deployed',
    text: `
select job_id, settings #>> '{deployment,deployment_id}' as deployment_id
from jobs
where job_id = any($1::bigint[])
  and deleted_at_ms is null
order by job_id
for update`,
    values: [jobIds],
  });
}

/** Of those that exist; deleted ones do not. */
export async function readManySettings(
  db: Querier,
  jobIds: readonly number[],
): Promise<{ readonly job_id: number; readonly settings: Document; readonly chars: number }[]> {
  return db.query({
    name: 'jobs-read-many-settings',
    text: `
select job_id, settings, length(settings::text) as chars
from jobs
where job_id = any($1::bigint[])
  and deleted_at_ms is null`,
    values: [jobIds],
  });
}

/** Ids may have been stored as texts. A job's single task may stand at the top of its settings. */
const childJobIds = `
    select (id #>> '{}')::bigint as job_id
    from (
      select jsonb_path_query(jobs.settings, '$.tasks[*].run_job_task.job_id')
      union all
      select jsonb_path_query(jobs.settings, '$.tasks[*].for_each_task.task.run_job_task.job_id')
      union all
      select jsonb_path_query(jobs.settings, '$.run_job_task.job_id')
    ) written (id)
    where id #>> '{}' ~ '^[0-9]{1,16}$'`;

/** Those of the given jobs that exist; deleted ones do not. */
export async function readExistingJobIds(db: Querier, jobIds: readonly number[]): Promise<number[]> {
  const rows = await db.query<{ readonly job_id: number }>({
    name: 'jobs-read-existing-ids',
    text: `
select job_id
from jobs
where job_id = any($1::bigint[])
  and deleted_at_ms is null`,
    values: [jobIds],
  });
  return rows.map((row) => row.job_id);
}

/** Any number that no other advisory lock of this database has. */
const runJobEdgesLock = 7_041;

/** Held until the transaction ends: which job runs which is changed by one save at a time. */
export async function lockRunJobEdges(db: Querier): Promise<void> {
  await db.query({
    name: 'jobs-lock-run-job-edges',
    text: 'select pg_advisory_xact_lock($1)',
    values: [runJobEdgesLock],
  });
}

export interface RunJobEdgesRow {
  readonly job_id: number;
  /** The jobs that its tasks run, those of its for-each tasks too; each once. */
  readonly child_job_ids: readonly number[];
}

/** The given jobs and all that they run, and so on; only those that run some. */
export async function listRunJobEdges(
  db: Querier,
  jobIds: readonly number[],
  limit: number,
): Promise<RunJobEdgesRow[]> {
  const rows = await db.query<{ readonly job_id: number; readonly child_job_ids: readonly string[] }>({
    name: 'jobs-list-run-job-edges',
    text: `
with recursive reached (job_id) as (
  select unnest($1::bigint[])
  union
  select child.job_id
  from reached
  join jobs on jobs.job_id = reached.job_id and jobs.deleted_at_ms is null
  cross join lateral (${childJobIds}) child
)
select reached.job_id, array_agg(distinct child.job_id::text) as child_job_ids
from reached
join jobs on jobs.job_id = reached.job_id and jobs.deleted_at_ms is null
cross join lateral (${childJobIds}) child
group by reached.job_id
limit $2`,
    values: [jobIds, limit],
  });
  // An array of bigint arrives as texts.
  return rows.map((row) => ({ ...row, child_job_ids: row.child_job_ids.map(Number) }));
}

interface JobsTables {
  readonly jobs: JobRow;
}

export interface JobsPage {
  readonly name: string | null;
  /** The last row of the page before. */
  readonly after: { readonly createdAtMs: number; readonly id: number } | null;
  readonly offset: number;
  readonly limit: number;
}

/** Newest first. */
export async function listJobRows(db: Database, page: JobsPage): Promise<JobRow[]> {
  let query = (db.kysely as unknown as Kysely<JobsTables>)
    .selectFrom('jobs')
    .select(['job_id', 'name', 'settings', 'creator_user_name', 'created_at_ms', 'deleted_at_ms'])
    .where('deleted_at_ms', 'is', null)
    .orderBy('created_at_ms', 'desc')
    .orderBy('job_id', 'desc')
    .limit(page.limit)
    .offset(page.offset);
  if (page.name !== null) query = query.where(sql<boolean>`lower(name) = lower(${page.name})`);
  if (page.after) {
    query = query.where(
      sql<boolean>`(created_at_ms, job_id) < (${page.after.createdAtMs}::bigint, ${page.after.id}::bigint)`,
    );
  }
  return query.execute();
}
