import type { NewCluster } from '@headrace/api';
import type { HostReport } from '@headrace/worker';
import type { Querier } from '../db/connect.ts';

export interface ClusterRow {
  readonly clusterId: string;
  readonly clusterName: string;
  readonly kind: 'default' | 'job';
  readonly spec: NewCluster;
  readonly warnings: readonly string[];
  readonly createdBy: string;
  readonly createdAtMs: number;
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
    c.created_by as "createdBy", c.created_at_ms as "createdAtMs",
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
  ) h on true`;

export type NewClusterRow = Omit<ClusterRow, 'state' | 'message' | 'startedAtMs' | 'reportedAtMs'> & {
  readonly runId: number | null;
};

/** A cluster that exists stays as it is. */
export async function insertCluster(db: Querier, row: NewClusterRow): Promise<void> {
  await db.query({
    name: 'insert-cluster',
    text: `
      insert into clusters (cluster_id, cluster_name, kind, run_id, spec, warnings, created_by, created_at_ms)
      values ($1, $2, $3, $4, $5, $6, $7, $8)
      on conflict (cluster_id) do nothing`,
    values: [
      ...[row.clusterId, row.clusterName, row.kind, row.runId, row.spec, JSON.stringify(row.warnings)],
      ...[row.createdBy, row.createdAtMs],
    ],
  });
}

export async function findCluster(db: Querier, clusterId: string): Promise<ClusterRow | null> {
  const rows = await db.query<ClusterRow>({
    name: 'find-cluster',
    text: `${selection} where c.cluster_id = $1`,
    values: [clusterId],
  });
  return rows[0] ?? null;
}

export async function listClusters(
  db: Querier,
  page: { after: { createdAtMs: number; clusterId: string } | null; limit: number },
): Promise<ClusterRow[]> {
  return db.query<ClusterRow>({
    name: 'list-clusters',
    text: `
      ${selection}
      where $1::bigint is null or c.created_at_ms < $1 or (c.created_at_ms = $1 and c.cluster_id > $2)
      order by c.created_at_ms desc, c.cluster_id
      limit $3`,
    values: [page.after?.createdAtMs ?? null, page.after?.clusterId ?? null, page.limit],
  });
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

export async function upsertHost(
  db: Querier,
  workerId: string,
  report: HostReport,
  nowMs: number,
): Promise<void> {
  await db.query({
    name: 'upsert-cluster-host',
    text: `
      insert into cluster_hosts
        (cluster_id, host_key, worker_id, state, spark_state, pid, message, started_at_ms, reported_at_ms)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $8)
      on conflict (cluster_id, host_key, worker_id) do update
      set state = excluded.state, spark_state = excluded.spark_state,
        pid = excluded.pid, message = excluded.message, reported_at_ms = excluded.reported_at_ms,
        started_at_ms = case
          when excluded.state = 'starting' and cluster_hosts.state <> 'starting' then excluded.started_at_ms
          else cluster_hosts.started_at_ms
        end`,
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
    ],
  });
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
