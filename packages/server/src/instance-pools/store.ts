/** The only SQL for pools and the hosts that they keep ready. Those that clusters have stand with the clusters. */
import type { InstancePoolFields } from '@headrace/api';
import type { HostStatus } from '@headrace/worker';
import type { Querier } from '../db/connect.ts';

export interface PoolRow {
  readonly poolId: string;
  readonly fields: InstancePoolFields;
  readonly createdBy: string;
}

/** How many hosts it has, of each kind. */
export interface PoolCounts {
  readonly used: number;
  readonly pendingUsed: number;
  readonly idle: number;
  readonly pendingIdle: number;
}

export interface CountedPoolRow extends PoolRow, PoolCounts {
  readonly errors: readonly { readonly hostKey: string; readonly message: string }[];
  /** The most that clusters had at once within the idle time, and when that was. */
  readonly peak: number;
  readonly peakAtMs: number;
}

const columns = `p.pool_id as "poolId", p.fields, p.created_by as "createdBy"`;

/** False when the id is taken. */
export async function insertPool(db: Querier, row: PoolRow & { readonly nowMs: number }): Promise<boolean> {
  const rows = await db.query({
    name: 'instance-pools-insert',
    text: `
      insert into instance_pools (pool_id, fields, created_by, created_at_ms)
      values ($1, $2, $3, $4)
      on conflict do nothing
      returning pool_id`,
    values: [row.poolId, JSON.stringify(row.fields), row.createdBy, row.nowMs],
  });
  return rows.length > 0;
}

export async function lockPool(db: Querier, poolId: string): Promise<PoolRow | null> {
  const rows = await db.query<PoolRow>({
    name: 'instance-pools-lock',
    text: `select ${columns} from instance_pools p where p.pool_id = $1 for update`,
    values: [poolId],
  });
  return rows[0] ?? null;
}

export async function findPoolRow(db: Querier, poolId: string): Promise<PoolRow | null> {
  const rows = await db.query<PoolRow>({
    name: 'instance-pools-find',
    text: `select ${columns} from instance_pools p where p.pool_id = $1`,
    values: [poolId],
  });
  return rows[0] ?? null;
}

export async function updatePool(db: Querier, poolId: string, fields: InstancePoolFields): Promise<void> {
  await db.query({
    name: 'instance-pools-update',
    text: 'update instance_pools set fields = $2 where pool_id = $1',
    values: [poolId, JSON.stringify(fields)],
  });
}

export async function deletePoolRow(db: Querier, poolId: string): Promise<boolean> {
  const rows = await db.query({
    name: 'instance-pools-delete',
    text: 'delete from instance_pools where pool_id = $1 returning pool_id',
    values: [poolId],
  });
  return rows.length > 0;
}

export async function countPools(db: Querier): Promise<number> {
  const rows = await db.query<{ count: number }>({
    name: 'instance-pools-count',
    text: 'select count(*) as count from instance_pools',
    values: [],
  });
  return rows[0]?.count ?? 0;
}

/** With the hosts of all workers that are heard of. `poolId` null: all, by name. */
export function listCountedPools(
  db: Querier,
  poolId: string | null,
  limit: number,
): Promise<CountedPoolRow[]> {
  return db.query<CountedPoolRow>({
    name: 'instance-pools-list',
    text: `
      select ${columns}, p.peak, p.peak_at_ms as "peakAtMs",
        coalesce(u.used, 0) as used, coalesce(u.pending, 0) as "pendingUsed",
        coalesce(i.idle, 0) as idle, coalesce(i.pending, 0) as "pendingIdle", coalesce(i.errors, '[]') as errors
      from instance_pools p
      left join lateral (
        select count(*) filter (where h.state = 'running') as used,
          count(*) filter (where h.state = 'starting') as pending
        from clusters c
        join cluster_hosts h on h.cluster_id = c.cluster_id and h.state in ('starting', 'running')
        join workers w on w.worker_id = h.worker_id and w.signed_off_at_ms is null
        where c.spec ->> 'instance_pool_id' = p.pool_id
      ) u on true
      left join lateral (
        select count(*) filter (where h.state = 'running' and h.spark_state in ('ready', 'none')) as idle,
          count(*) filter (where h.state = 'starting' or (h.state = 'running' and h.spark_state = 'starting')) as pending,
          json_agg(json_build_object('hostKey', h.host_key, 'message', h.message))
            filter (where h.state = 'failed' or h.spark_state in ('not_responding', 'failed', 'unknown')) as errors
        from instance_pool_hosts h
        join workers w on w.worker_id = h.worker_id and w.signed_off_at_ms is null
        where h.pool_id = p.pool_id
      ) i on true
      where $1::text is null or p.pool_id = $1
      order by lower(p.fields ->> 'instance_pool_name'), p.pool_id
      limit $2`,
    values: [poolId, limit],
  });
}

export async function savePeak(
  db: Querier,
  { poolId, peak, peakAtMs }: { readonly poolId: string; readonly peak: number; readonly peakAtMs: number },
): Promise<void> {
  await db.query({
    name: 'instance-pools-save-peak',
    text: 'update instance_pools set peak = $2, peak_at_ms = $3 where pool_id = $1',
    values: [poolId, peak, peakAtMs],
  });
}

export interface HomeWorker {
  readonly workerId: string;
  /** Of a server's own process. */
  readonly isLocal: boolean;
}

/** The worker that keeps the hosts which wait: one of a server's process where there is one. */
export async function findHomeWorker(db: Querier): Promise<HomeWorker | null> {
  const rows = await db.query<HomeWorker>({
    name: 'instance-pools-find-home',
    text: `
      select worker_id as "workerId", is_local as "isLocal"
      from workers
      where signed_off_at_ms is null
        and lease_expires_at_ms >= (extract(epoch from clock_timestamp()) * 1000)::bigint
      order by is_local desc, worker_id
      limit 1`,
    values: [],
  });
  return rows[0] ?? null;
}

export interface PoolHost extends Pick<HostStatus, 'hostKey' | 'state' | 'sparkState' | 'message'> {
  readonly poolId: string;
}

export function listPoolHosts(db: Querier, workerId: string): Promise<PoolHost[]> {
  return db.query<PoolHost>({
    name: 'instance-pool-hosts-list',
    text: `
      select pool_id as "poolId", host_key as "hostKey", state, spark_state as "sparkState", message
      from instance_pool_hosts
      where worker_id = $1`,
    values: [workerId],
  });
}

export interface WaitingHostRow extends PoolHost {
  readonly workerId: string;
  /** Null where it is the server's own, or gone. */
  readonly poolName: string | null;
}

/** Of all workers that have not signed off. */
export function listWaitingHosts(db: Querier, limit: number): Promise<WaitingHostRow[]> {
  return db.query<WaitingHostRow>({
    name: 'instance-pool-hosts-list-waiting',
    text: `
      select h.pool_id as "poolId", h.worker_id as "workerId", h.host_key as "hostKey", h.state,
        h.spark_state as "sparkState", h.message, p.fields ->> 'instance_pool_name' as "poolName"
      from instance_pool_hosts h
      join workers w on w.worker_id = h.worker_id and w.signed_off_at_ms is null
      left join instance_pools p on p.pool_id = h.pool_id
      order by h.pool_id, h.host_key
      limit $1`,
    values: [limit],
  });
}

/** In place of what was known of this worker. */
export async function replacePoolHosts(
  db: Querier,
  workerId: string,
  hosts: readonly PoolHost[],
): Promise<void> {
  await db.query({
    name: 'instance-pool-hosts-delete',
    text: 'delete from instance_pool_hosts where worker_id = $1 and not host_key = any($2::text[])',
    values: [workerId, hosts.map(({ hostKey }) => hostKey)],
  });
  if (hosts.length === 0) return;
  await db.query({
    name: 'instance-pool-hosts-upsert',
    text: `
      insert into instance_pool_hosts (pool_id, worker_id, host_key, state, spark_state, message)
      select h.pool_id, $1, h.host_key, h.state, h.spark_state, h.message
      from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
        as h (pool_id, host_key, state, spark_state, message)
      on conflict (worker_id, host_key) do update
      set state = excluded.state, spark_state = excluded.spark_state, message = excluded.message`,
    values: [
      workerId,
      hosts.map(({ poolId }) => poolId),
      hosts.map(({ hostKey }) => hostKey),
      hosts.map(({ state }) => state),
      hosts.map(({ sparkState }) => sparkState),
      hosts.map(({ message }) => message),
    ],
  });
}
