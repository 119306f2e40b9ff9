import type { ClusterState, NewCluster, TerminationReason } from '@headrace/api';
import type { AllPurposeState } from '@headrace/core';
import type { HostReport } from '@headrace/worker';
import type { Querier } from '../db/connect.ts';

export interface ClusterRow {
  readonly clusterId: string;
  readonly clusterName: string;
  readonly kind: 'default' | 'job' | 'all_purpose';
  readonly spec: NewCluster;
  readonly warnings: readonly string[];
  readonly createdBy: string;
  readonly createdAtMs: number;
  readonly runId: number | null;
  /** Of a job cluster: nothing can run on it any more. */
  readonly isRunOver: boolean;
  /** Of an all-purpose cluster; that of others is the state of their hosts. */
  readonly life: AllPurposeState | null;
  readonly lifeMessage: string;
  readonly termination: TerminationReason | null;
  readonly lifeStartedAtMs: number | null;
  readonly restartedAtMs: number | null;
  readonly terminatedAtMs: number | null;
  readonly activeAtMs: number | null;
  readonly pinnedAtMs: number | null;
  /** Null when no host has ever run for it. */
  readonly state: HostReport['state'] | null;
  readonly message: string | null;
  readonly startedAtMs: number | null;
  readonly reportedAtMs: number | null;
}

/**
 * Nobody reports a host whose worker is gone: of a remote one its lease tells, on the database's clock. What a local
 * worker leaves behind it finds again.
 */
const isThere = `
  h.state in ('starting', 'running') and not exists (
    select from workers w
    where w.worker_id = h.worker_id and not w.is_local
      and (w.signed_off_at_ms is not null
        or w.lease_expires_at_ms < (extract(epoch from clock_timestamp()) * 1000)::bigint)
  )`;

/** Of its hosts, one that runs speaks for a cluster, else one that starts, else the one that reported last. */
const selection = `
  select c.cluster_id as "clusterId", c.cluster_name as "clusterName", c.kind, c.spec, c.warnings,
    c.created_by as "createdBy", c.created_at_ms as "createdAtMs", c.run_id as "runId",
    c.state as life, c.message as "lifeMessage", c.termination, c.started_at_ms as "lifeStartedAtMs",
    c.restarted_at_ms as "restartedAtMs", c.terminated_at_ms as "terminatedAtMs", c.active_at_ms as "activeAtMs",
    c.pinned_at_ms as "pinnedAtMs", coalesce(run.phase = 'ended', false) as "isRunOver",
    h.state, h.message, h.started_at_ms as "startedAtMs", h.reported_at_ms as "reportedAtMs"
  from clusters c
  left join lateral (
    select
      case when h.state in ('starting', 'running') and not (${isThere}) then 'stopped' else h.state end as state,
      h.message, h.started_at_ms, h.reported_at_ms
    from cluster_hosts h
    where h.cluster_id = c.cluster_id
    order by (h.state = 'running' and ${isThere}) desc, (${isThere}) desc, h.reported_at_ms desc
    limit 1
  ) h on true
  left join runs run on run.run_id = c.run_id`;

export type NewClusterRow = Pick<
  ClusterRow,
  'clusterId' | 'clusterName' | 'kind' | 'spec' | 'warnings' | 'createdBy' | 'createdAtMs' | 'runId'
> & { readonly ownerId?: number };

/** A cluster that exists stays as it is. Whether it is new. */
export async function insertCluster(db: Querier, row: NewClusterRow): Promise<boolean> {
  const rows = await db.query({
    name: 'insert-cluster',
    text: `
      insert into clusters
        (cluster_id, cluster_name, kind, run_id, spec, warnings, created_by, created_at_ms, owner_id)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
      on conflict (cluster_id) do nothing
      returning cluster_id`,
    values: [
      ...[row.clusterId, row.clusterName, row.kind, row.runId, row.spec, JSON.stringify(row.warnings)],
      ...[row.createdBy, row.createdAtMs, row.ownerId ?? null],
    ],
  });
  return rows.length > 0;
}

export async function findCluster(db: Querier, clusterId: string): Promise<ClusterRow | null> {
  const rows = await db.query<ClusterRow>({
    name: 'find-cluster',
    text: `${selection} where c.cluster_id = $1 and c.deleted_at_ms is null`,
    values: [clusterId],
  });
  return rows[0] ?? null;
}

/** As `toClusterState` in wire.ts. */
const shownState = `
  case
    when c.kind = 'default' then 'RUNNING'
    when c.kind = 'all_purpose' then c.state
    when h.state in ('starting', 'running') and run.phase = 'ended' then 'TERMINATING'
    when h.state = 'starting' then 'PENDING'
    when h.state = 'running' then 'RUNNING'
    when h.state = 'failed' then 'ERROR'
    else 'TERMINATED'
  end`;

export interface ClusterFilter {
  /** Empty: every one. */
  readonly states: readonly ClusterState[];
  readonly sources: readonly string[];
  readonly isPinned: boolean | null;
  readonly policyId: string | null;
}

export interface ClusterPosition {
  readonly createdAtMs: number;
  readonly name: string;
  readonly clusterId: string;
}

const orders = {
  newest: `c.created_at_ms desc, c.cluster_id desc`,
  oldest: `c.created_at_ms, c.cluster_id`,
  name: `lower(c.cluster_name), c.cluster_id`,
  name_desc: `lower(c.cluster_name) desc, c.cluster_id desc`,
} as const;
export type ClusterOrder = keyof typeof orders;
const after = {
  newest: `(c.created_at_ms, c.cluster_id) < ($1::bigint, $2)`,
  oldest: `(c.created_at_ms, c.cluster_id) > ($1::bigint, $2)`,
  name: `(lower(c.cluster_name), c.cluster_id) > ($1::text, $2)`,
  name_desc: `(lower(c.cluster_name), c.cluster_id) < ($1::text, $2)`,
} as const satisfies Record<ClusterOrder, string>;

export async function listClusters(
  db: Querier,
  filter: ClusterFilter,
  page: { readonly order: ClusterOrder; readonly after: ClusterPosition | null; readonly limit: number },
): Promise<ClusterRow[]> {
  const { order } = page;
  const isByName = order === 'name' || order === 'name_desc';
  const at = page.after && (isByName ? page.after.name.toLowerCase() : page.after.createdAtMs);
  return db.query<ClusterRow>({
    name: `list-clusters-${order}`,
    text: `
      ${selection}
      where c.deleted_at_ms is null and c.warehouse_id is null
        and ($2::text is null or ${after[order]})
        and (cardinality($4::text[]) = 0 or ${shownState} = any($4))
        and (cardinality($5::text[]) = 0 or case when c.kind = 'job' then 'JOB' else 'API' end = any($5))
        and ($6::boolean is null or (c.pinned_at_ms is not null) = $6)
        and ($7::text is null or c.spec ->> 'policy_id' = $7)
      order by ${orders[order]}
      limit $3`,
    values: [
      ...[at, page.after?.clusterId ?? null, page.limit],
      ...[filter.states, filter.sources, filter.isPinned, filter.policyId],
    ],
  });
}

export type KnownHost = Pick<HostReport, 'state' | 'sparkState'>;

/** Its driver, or the host itself, does not answer. */
export function isSilent({ sparkState }: { readonly sparkState: string }): boolean {
  return sparkState === 'not_responding' || sparkState === 'unknown';
}

export interface HostRow {
  readonly clusterId: string;
  readonly workerId: string;
  readonly state: string;
  readonly sparkState: string;
  readonly pid: number | null;
  readonly message: string;
}

/** Hosts that are there, or failed not long ago. */
export async function listHosts(db: Querier, sinceMs: number, limit: number): Promise<HostRow[]> {
  return db.query<HostRow>({
    name: 'list-cluster-hosts',
    text: `
      select h.cluster_id as "clusterId", h.worker_id as "workerId", h.state, h.spark_state as "sparkState", h.pid,
        h.message
      from cluster_hosts h
      where (${isThere}) or (h.state = 'failed' and h.reported_at_ms > $1)
      order by h.cluster_id, h.host_key, h.worker_id
      limit $2`,
    values: [sinceMs, limit],
  });
}

/** What was known of it before; null where it is new. */
export async function upsertHost(
  db: Querier,
  workerId: string,
  report: HostReport,
  nowMs: number,
): Promise<KnownHost | null> {
  const rows = await db.query<{ before: KnownHost | null }>({
    name: 'upsert-cluster-host',
    text: `
      insert into cluster_hosts (
        cluster_id, host_key, worker_id, state, spark_state, pid, message, failure_code, started_at_ms, reported_at_ms)
      values ($1, $2, $3, $4, $5, $6, $7, $9, $8, $8)
      on conflict (cluster_id, host_key, worker_id) do update
      set state = excluded.state, spark_state = excluded.spark_state,
        pid = excluded.pid, message = excluded.message, failure_code = excluded.failure_code,
        reported_at_ms = excluded.reported_at_ms,
        started_at_ms = case
          when excluded.state = 'starting' and cluster_hosts.state <> 'starting' then excluded.started_at_ms
          else cluster_hosts.started_at_ms
        end
      returning (
        select json_build_object('state', h.state, 'sparkState', h.spark_state) from cluster_hosts h
        where h.cluster_id = $1 and h.host_key = $2 and h.worker_id = $3) as before`,
    values: [
      ...[
        report.clusterId,
        report.hostKey,
        workerId,
        report.state,
        report.sparkState,
        report.pid,
        report.message,
      ],
      nowMs,
      report.failureCode ?? null,
    ],
  });
  return rows[0]?.before ?? null;
}

/** Terminated for long and not pinned: they go out of sight, as if a person had deleted them. */
export async function deleteOldAllPurpose(
  db: Querier,
  { beforeMs, nowMs, limit }: { readonly beforeMs: number; readonly nowMs: number; readonly limit: number },
): Promise<number> {
  const rows = await db.query({
    name: 'delete-old-all-purpose-clusters',
    text: `
      update clusters
      set deleted_at_ms = $2
      where cluster_id in (
        select cluster_id from clusters
        where kind = 'all_purpose' and state = 'TERMINATED' and deleted_at_ms is null and pinned_at_ms is null
          and warehouse_id is null
          and terminated_at_ms < $1
        limit $3)
      returning cluster_id`,
    values: [beforeMs, nowMs, limit],
  });
  return rows.length;
}

/** The ids of clusters that were deleted long ago are unknown ones again. */
export async function forgetDeleted(db: Querier, beforeMs: number, limit: number): Promise<number> {
  const rows = await db.query({
    name: 'forget-deleted-clusters',
    text: `
      delete from clusters
      where cluster_id in (
        select cluster_id from clusters
        where kind = 'all_purpose' and deleted_at_ms < $1 and state = 'TERMINATED'
        limit $2)
      returning cluster_id`,
    values: [beforeMs, limit],
  });
  return rows.length;
}

/** Clusters of runs that are over long ago, whose hosts have stopped. */
export async function deleteOldClusters(db: Querier, beforeMs: number, limit: number): Promise<number> {
  const rows = await db.query({
    name: 'delete-old-clusters',
    text: `
      delete from clusters c
      where c.cluster_id in (
        select old.cluster_id from clusters old
        where old.kind = 'job' and old.created_at_ms < $1
          and not exists (
            select from cluster_hosts h
            where h.cluster_id = old.cluster_id and ((${isThere}) or h.reported_at_ms >= $1)
          )
        order by old.created_at_ms
        limit $2)
      returning c.cluster_id`,
    values: [beforeMs, limit],
  });
  return rows.length;
}
