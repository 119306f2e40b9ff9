/** What is kept too long, and its removal in small steps. A run is first out of sight, then its rows go, its own last. */
import { backupLockKey } from '../backup/manifest.ts';
import type { Querier } from '../db/connect.ts';

/** Ended runs that nobody needs any more; none that an active run waits for. */
const isFree = `
  r.phase = 'ended'
  and r.deleted_at_ms is null
  and not exists (select from runs p where p.run_id = r.parent_run_id and p.phase <> 'ended')`;

/** The version grows, so that a repair which was decided before changes nothing. */
const hide = 'update runs set deleted_at_ms = $1, version = version + 1';

export async function hideRunsEndedBefore(
  db: Querier,
  { nowMs, beforeMs, limit }: { readonly nowMs: number; readonly beforeMs: number; readonly limit: number },
): Promise<number> {
  const rows = await db.query({
    name: 'retention-hide-old',
    text: `
${hide}
where phase = 'ended'
  and deleted_at_ms is null
  and run_id in (
    select r.run_id from runs r
    where ${isFree}
      and r.created_at_ms < $2
      and r.ended_at_ms < $2
    order by r.created_at_ms, r.run_id
    limit $3
  )
returning run_id`,
    values: [nowMs, beforeMs, limit],
  });
  return rows.length;
}

/** The next job, by id, that has runs; null behind the last one. */
export async function findNextJobId(db: Querier, after: number): Promise<number | null> {
  const rows = await db.query<{ job_id: number }>({
    name: 'retention-next-job',
    text: `
select job_id
from runs
where job_id > $1
  and deleted_at_ms is null
order by job_id
limit 1`,
    values: [after],
  });
  return rows[0]?.job_id ?? null;
}

/** Of one job: ended runs older than its newest `kept`. */
export async function hideRunsBeyond(
  db: Querier,
  of: { readonly nowMs: number; readonly jobId: number; readonly kept: number; readonly limit: number },
): Promise<number> {
  const rows = await db.query({
    name: 'retention-hide-beyond',
    text: `
${hide}
where phase = 'ended'
  and deleted_at_ms is null
  and run_id in (
    select r.run_id from runs r
    where r.job_id = $2
      and ${isFree}
      and (r.created_at_ms, r.run_id) < (
        select created_at_ms, run_id from runs
        where job_id = $2 and deleted_at_ms is null
        order by created_at_ms desc, run_id desc
        offset $3 - 1
        limit 1
      )
    order by r.created_at_ms, r.run_id
    limit $4
  )
returning run_id`,
    values: [of.nowMs, of.jobId, of.kept, of.limit],
  });
  return rows.length;
}

/** Returns those that are out of sight now. */
export async function hideRuns(db: Querier, runIds: readonly number[], nowMs: number): Promise<number[]> {
  const rows = await db.query<{ run_id: number }>({
    name: 'retention-hide',
    text: `
${hide}
where run_id in (select r.run_id from runs r where r.run_id = any($2::bigint[]) and ${isFree})
returning run_id`,
    values: [nowMs, runIds],
  });
  return rows.map(({ run_id }) => run_id);
}

export interface HiddenRun {
  readonly run_id: number;
  /** Its token is not needed any more: the row itself may go. */
  readonly may_forget: boolean;
}

/**
 * Runs out of sight that still have something to remove. One with an idempotency token keeps its own row for as long
 * as runs are kept: a late retry of a client must not run it again.
 */
export function findHiddenRuns(
  db: Querier,
  of: { readonly hiddenBeforeMs: number; readonly createdBeforeMs: number; readonly limit: number },
): Promise<HiddenRun[]> {
  return db.query<HiddenRun>({
    name: 'retention-find-hidden',
    text: `
select run_id, may_forget
from (
  select r.run_id, r.deleted_at_ms, r.idempotency_token is null or r.created_at_ms < $2 as may_forget
  from runs r
  where r.deleted_at_ms < $1
) hidden
where may_forget
  or (select g.run_id from run_generations g where g.run_id = hidden.run_id limit 1) is not null
order by deleted_at_ms, run_id
limit $3`,
    values: [of.hiddenBeforeMs, of.createdBeforeMs, of.limit],
  });
}

const partsOfRuns = {
  task_values: 'ctid',
  run_events: 'run_event_id',
  task_runs: 'attempt_id',
} as const;
export type PartOfRun = keyof typeof partsOfRuns;
export const allPartsOfRuns = Object.keys(partsOfRuns) as readonly PartOfRun[]; // Its own keys.

/** At most `limit` rows, as one statement: a run of 100,000 attempts goes in many of them. */
export async function deletePartOfRun(
  db: Querier,
  part: PartOfRun,
  { runId, limit }: { readonly runId: number; readonly limit: number },
): Promise<number> {
  const id = partsOfRuns[part];
  const rows = await db.query({
    name: `retention-delete-${part}`,
    text: `
delete from ${part}
where ${id} = any(array(select ${id} from ${part} where run_id = $1 limit $2))
  and run_id = $1
returning run_id`,
    values: [runId, limit],
  });
  return rows.length;
}

/** What remains: its generations, and its own row unless that must stay. */
export async function deleteHiddenRun(db: Querier, { run_id, may_forget }: HiddenRun): Promise<void> {
  await db.query({
    name: 'retention-delete-generations',
    text: 'delete from run_generations where run_id = $1',
    values: [run_id],
  });
  if (!may_forget) return;
  await db.query({
    name: 'retention-delete-run',
    text: 'delete from runs where run_id = $1 and deleted_at_ms is not null',
    values: [run_id],
  });
}

/** Of these: runs that the store knows, and whether they are out of sight. */
export function findKnownRuns(
  db: Querier,
  runIds: readonly number[],
): Promise<{ run_id: number; is_hidden: boolean }[]> {
  return db.query({
    name: 'retention-known-runs',
    text: `
select run_id, deleted_at_ms is not null as is_hidden
from runs
where run_id = any($1::bigint[])`,
    values: [runIds],
  });
}

export async function isAnythingHeld(db: Querier): Promise<boolean> {
  const rows = await db.query({
    name: 'retention-anything-held',
    text: `select 1 as held from task_runs where state in ('claimed', 'running', 'stopping') limit 1`,
    values: [],
  });
  return rows.length > 0;
}

/** Of these: attempts that a worker has. */
export async function findLiveAttempts(db: Querier, attemptIds: readonly number[]): Promise<number[]> {
  const rows = await db.query<{ attempt_id: number }>({
    name: 'retention-live-attempts',
    text: `
select attempt_id
from task_runs
where attempt_id = any($1::bigint[])
  and state in ('claimed', 'running', 'stopping')`,
    values: [attemptIds],
  });
  return rows.map(({ attempt_id }) => attempt_id);
}

/** For the rest of the transaction. */
export async function mayRemoveFiles(client: Querier): Promise<boolean> {
  const rows = await client.query<{ locked: boolean }>({
    name: 'retention-lock-files',
    text: 'select pg_try_advisory_xact_lock_shared($1) as locked',
    values: [backupLockKey],
  });
  return rows[0]?.locked ?? false;
}
