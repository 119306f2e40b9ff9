/** The only SQL for the life of all-purpose clusters: what is wanted of them, and the facts that decide what follows. */
import type { NewCluster } from '@headrace/api';
import type { AllPurposeState, ClusterHost, ClusterMove, Termination } from '@headrace/core';
import { recoveryWindowMs } from '@headrace/core';
import type { Querier } from '../db/connect.ts';

/** The database's clock: leases are on it. */
const dbNow = '(extract(epoch from clock_timestamp()) * 1000)::bigint';
const isHeardOf = (worker: string) => `exists (
  select from workers w
  where w.worker_id = ${worker} and w.signed_off_at_ms is null and w.lease_expires_at_ms >= ${dbNow})`;

export interface LifeRow {
  readonly kind: 'default' | 'job' | 'all_purpose';
  readonly clusterId: string;
  readonly clusterName: string;
  readonly spec: NewCluster;
  readonly ownerId: number;
  readonly state: AllPurposeState;
  readonly wanted: 'running' | 'terminated';
  readonly generation: number;
  /** Its size was changed in this generation, whose hosts end only when nothing runs on them. */
  readonly resizedInGeneration: number | null;
  readonly workerId: string | null;
  readonly activeAtMs: number;
  readonly deletedAtMs: number | null;
  readonly pinnedAtMs: number | null;
  readonly createdBy: string;
  /** Whose cluster it is, if it is that of a SQL warehouse. */
  readonly warehouseId: string | null;
}

export interface LifeFactsRow extends LifeRow {
  readonly isWorkerThere: boolean;
  readonly isBusy: boolean;
  readonly recentRecoveries: number;
  readonly freeWorkerId: string | null;
  readonly hosts: readonly ClusterHost[];
}

const lifeColumns = `
  c.kind, c.cluster_id as "clusterId", c.cluster_name as "clusterName", c.spec, c.owner_id as "ownerId", c.state, c.wanted,
  c.generation, c.resized_in_generation as "resizedInGeneration", c.worker_id as "workerId", coalesce(c.active_at_ms, c.created_at_ms) as "activeAtMs",
  c.deleted_at_ms as "deletedAtMs", c.pinned_at_ms as "pinnedAtMs", c.created_by as "createdBy",
  c.warehouse_id as "warehouseId"`;

/** Of the workers that are heard of: one that has a host of it already, else one of a server's process, else the freest. */
const freeWorker = `(
  select w.worker_id
  from workers w
  where w.signed_off_at_ms is null and w.lease_expires_at_ms >= ${dbNow}
  order by
    exists (
      select from cluster_hosts h
      where h.cluster_id = c.cluster_id and h.worker_id = w.worker_id and h.state in ('starting', 'running')
        and h.host_key like '%-' || c.generation) desc,
    w.is_local desc,
    w.slots - (
      select count(*) from task_runs t
      where t.worker_id = w.worker_id and t.state in ('claimed', 'running', 'stopping')) desc,
    w.worker_id
  limit 1)`;

const facts = `
  select ${lifeColumns},
    ${isHeardOf('c.worker_id')} as "isWorkerThere",
    exists (
      select from task_runs t
      where t.cluster_id = c.cluster_id and t.state in ('claimed', 'running', 'stopping')) as "isBusy",
    (select count(*) from cluster_events e
      where e.cluster_id = c.cluster_id and e.kind = 'DRIVER_UNAVAILABLE' and e.at_ms > $1::bigint - ${recoveryWindowMs}
    ) as "recentRecoveries",
    case when c.wanted = 'running' and not coalesce(${isHeardOf('c.worker_id')}, false) then ${freeWorker} end
      as "freeWorkerId",
    coalesce((
      select json_agg(json_build_object(
        'hostKey', h.host_key, 'workerId', h.worker_id, 'state', h.state, 'message', h.message,
        'failureCode', h.failure_code, 'isWorkerThere', ${isHeardOf('h.worker_id')}))
      from cluster_hosts h
      where h.cluster_id = c.cluster_id
        and (h.state in ('starting', 'running') or h.host_key like '%-' || c.generation)
    ), '[]') as hosts
  from clusters c`;

/** More than any installation has at once. */
const unsettledMax = 2_000;

export function findUnsettled(db: Querier, nowMs: number): Promise<LifeFactsRow[]> {
  return db.query<LifeFactsRow>({
    name: 'clusters-find-unsettled',
    text: `
      ${facts}
      where c.kind = 'all_purpose' and (c.wanted = 'running' or c.state <> 'TERMINATED')
      order by c.cluster_id
      limit ${unsettledMax}`,
    values: [nowMs],
  });
}

/** Locks the row first, in a transaction: the facts are read when the lock is held. */
export async function lockFacts(db: Querier, clusterId: string, nowMs: number): Promise<LifeFactsRow | null> {
  if ((await lockCluster(db, clusterId)) === null) return null;
  const rows = await db.query<LifeFactsRow>({
    name: 'clusters-read-facts',
    text: `${facts} where c.cluster_id = $2 and c.kind = 'all_purpose'`,
    values: [nowMs, clusterId],
  });
  return rows[0] ?? null;
}

/** Those that have a host, or are about to. */
export async function countRunningTasks(db: Querier, clusterId: string): Promise<number> {
  const rows = await db.query<{ count: number }>({
    name: 'clusters-count-running-tasks',
    text: `
      select count(*) as count
      from task_runs
      where cluster_id = $1 and state in ('claimed', 'running', 'stopping')`,
    values: [clusterId],
  });
  return rows[0]?.count ?? 0;
}

export async function lockCluster(db: Querier, clusterId: string): Promise<LifeRow | null> {
  const rows = await db.query<LifeRow>({
    name: 'clusters-lock',
    text: `select ${lifeColumns} from clusters c where c.cluster_id = $1 for update`,
    values: [clusterId],
  });
  return rows[0] ?? null;
}

export async function findLife(db: Querier, clusterId: string): Promise<LifeRow | null> {
  const rows = await db.query<LifeRow>({
    name: 'clusters-find-life',
    text: `select ${lifeColumns} from clusters c where c.cluster_id = $1`,
    values: [clusterId],
  });
  return rows[0] ?? null;
}

/** What a person or a run asks for, and what follows from facts: left out stays as it is, null is taken out. */
export interface LifeChange extends Omit<ClusterMove, 'news' | 'wanted' | 'workerId' | 'termination'> {
  readonly wanted?: 'running' | 'terminated';
  readonly workerId?: string | null;
  readonly termination?: Termination | null;
  readonly spec?: NewCluster;
  readonly clusterName?: string;
  readonly warnings?: readonly string[];
  readonly ownerId?: number;
  readonly createdBy?: string;
  readonly pinnedAtMs?: number | null;
  readonly deletedAtMs?: number;
  readonly startedAtMs?: number;
  readonly resizedInGeneration?: number;
  readonly restartedAtMs?: number;
  readonly terminatedAtMs?: number | null;
  readonly activeAtMs?: number;
}

const changeColumns = {
  state: 'state',
  wanted: 'wanted',
  generation: 'generation',
  resizedInGeneration: 'resized_in_generation',
  workerId: 'worker_id',
  message: 'message',
  termination: 'termination',
  spec: 'spec',
  clusterName: 'cluster_name',
  warnings: 'warnings',
  ownerId: 'owner_id',
  createdBy: 'created_by',
  pinnedAtMs: 'pinned_at_ms',
  deletedAtMs: 'deleted_at_ms',
  startedAtMs: 'started_at_ms',
  restartedAtMs: 'restarted_at_ms',
  terminatedAtMs: 'terminated_at_ms',
  activeAtMs: 'active_at_ms',
} satisfies Record<keyof LifeChange, string>;

/** Of a row that is locked. */
export async function changeCluster(db: Querier, clusterId: string, change: LifeChange): Promise<void> {
  const names = (Object.keys(changeColumns) as (keyof LifeChange)[]).filter(
    (name) => change[name] !== undefined,
  );
  if (names.length === 0) return;
  const columns = names.map((name) => changeColumns[name]);
  const all = Object.keys(changeColumns);
  await db.query({
    // PostgreSQL keeps 63 characters of a name: the places of the columns say the same.
    name: `clusters-change-${names.map((name) => all.indexOf(name).toString(36)).join('')}`,
    text: `update clusters set ${columns.map((column, index) => `${column} = $${index + 2}`).join(', ')}
      where cluster_id = $1`,
    values: [clusterId, ...names.map((name) => toValue(change[name]))],
  });
}

/** Arrays and objects are JSON here. */
function toValue(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : value;
}

export async function insertAllPurpose(
  db: Querier,
  row: {
    readonly clusterId: string;
    readonly clusterName: string;
    readonly spec: NewCluster;
    readonly warnings: readonly string[];
    readonly ownerId: number;
    readonly createdBy: string;
    readonly nowMs: number;
    /** Of a SQL warehouse: it is there and does not run. */
    readonly warehouseId?: string;
  },
): Promise<boolean> {
  const rows = await db.query({
    name: 'clusters-insert-all-purpose',
    text: `
      insert into clusters (cluster_id, cluster_name, kind, spec, warnings, created_by, created_at_ms, owner_id,
        state, wanted, generation, started_at_ms, active_at_ms, warehouse_id)
      values ($1, $2, 'all_purpose', $3, $4, $5, $6, $7,
        case when $8::text is null then 'PENDING' else 'TERMINATED' end,
        case when $8::text is null then 'running' else 'terminated' end, 1, $6, $6, $8)
      on conflict (cluster_id) do nothing
      returning cluster_id`,
    values: [
      ...[row.clusterId, row.clusterName, JSON.stringify(row.spec), JSON.stringify(row.warnings)],
      ...[row.createdBy, row.nowMs, row.ownerId, row.warehouseId ?? null],
    ],
  });
  return rows.length > 0;
}

/** Of running ones on which something runs: idleness counts from now. */
export async function markBusy(db: Querier, nowMs: number): Promise<void> {
  await db.query({
    name: 'clusters-mark-busy',
    text: `
      update clusters c
      set active_at_ms = $1
      where c.kind = 'all_purpose' and c.wanted = 'running'
        and c.cluster_id in (
          select t.cluster_id from task_runs t where t.state in ('claimed', 'running', 'stopping'))`,
    values: [nowMs],
  });
}

export interface OrderedRow {
  readonly clusterId: string;
  readonly clusterName: string;
  readonly kind: 'default' | 'job' | 'all_purpose';
  readonly spec: NewCluster;
  readonly ownerId: number | null;
  readonly state: AllPurposeState | null;
  readonly wanted: 'running' | 'terminated' | null;
  readonly generation: number;
  readonly resizedInGeneration: number | null;
  readonly workerId: string | null;
  readonly message: string;
  readonly termination: Termination | null;
  /** Of a job cluster: nothing can run on it any more. */
  readonly isRunOver: boolean;
}

/** What is wanted of the clusters that a worker has hosts of, and those whose host it is to have. */
export function findOrdered(
  db: Querier,
  workerId: string,
  clusterIds: readonly string[],
): Promise<OrderedRow[]> {
  return db.query<OrderedRow>({
    name: 'clusters-find-ordered',
    text: `
      select c.cluster_id as "clusterId", c.cluster_name as "clusterName", c.kind, c.spec, c.owner_id as "ownerId",
        c.state, c.wanted, c.generation, c.resized_in_generation as "resizedInGeneration",
        c.worker_id as "workerId", c.message, c.termination,
        coalesce((select r.phase = 'ended' from runs r where r.run_id = c.run_id), c.kind = 'job') as "isRunOver"
      from clusters c
      where c.cluster_id = any($2::text[])
        or (c.worker_id = $1 and c.kind = 'all_purpose' and c.wanted = 'running')`,
    values: [workerId, clusterIds],
  });
}

export interface RecordedHost {
  readonly clusterId: string;
  readonly hostKey: string;
  readonly state: string;
  readonly sparkState: string;
  readonly reportedAtMs: number;
}

/** What is recorded of a worker's hosts: those that are there, and those that it tells of. */
export function findRecordedHosts(
  db: Querier,
  workerId: string,
  hostKeys: readonly string[],
): Promise<RecordedHost[]> {
  return db.query<RecordedHost>({
    name: 'clusters-find-recorded-hosts',
    text: `
      select h.cluster_id as "clusterId", h.host_key as "hostKey", h.state, h.spark_state as "sparkState",
        h.reported_at_ms as "reportedAtMs"
      from cluster_hosts h
      where h.worker_id = $1 and (h.state in ('starting', 'running') or h.host_key = any($2::text[]))`,
    values: [workerId, hostKeys],
  });
}

/** Workers that have a host of it, or are to have one. */
export async function findWorkersOf(db: Querier, clusterId: string): Promise<string[]> {
  const rows = await db.query<{ workerId: string }>({
    name: 'clusters-find-workers',
    text: `
      select c.worker_id as "workerId" from clusters c where c.cluster_id = $1 and c.worker_id is not null
      union
      select h.worker_id from cluster_hosts h where h.cluster_id = $1 and h.state in ('starting', 'running')`,
    values: [clusterId],
  });
  return rows.map(({ workerId }) => workerId);
}

/** Of one user: all-purpose clusters that are wanted, and those of runs that go on. */
export async function countActiveUnder(
  db: Querier,
  {
    policyId,
    ownerId,
    exceptId,
  }: { readonly policyId: string; readonly ownerId: number; readonly exceptId: string },
): Promise<number> {
  const rows = await db.query<{ count: number }>({
    name: 'clusters-count-active-under-policy',
    text: `
      select count(*) as count
      from clusters c
      where c.spec ->> 'policy_id' = $1 and c.owner_id = $2 and c.cluster_id <> $3 and c.deleted_at_ms is null
        and (
          (c.kind = 'all_purpose' and c.wanted = 'running')
          or (c.kind = 'job' and exists (select from runs r where r.run_id = c.run_id and r.phase <> 'ended'))
        )`,
    values: [policyId, ownerId, exceptId],
  });
  return rows[0]?.count ?? 0;
}
