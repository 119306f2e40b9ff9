/**
 * How long ago a worker was heard of. People hear of a silence long before its lease ends; what is done about it is the
 * lease loop's, and the lease's alone.
 */
import type { Querier } from '../db/connect.ts';

/** Three heartbeats: one may be late on a busy machine. */
export const silentAfterMs = 15_000;

/** Of the worker that has an attempt. */
export interface WorkerSilence {
  readonly worker_id: string;
  readonly heard_ms_ago: number;
  /** Then its attempts count as lost; null for a worker inside a server, which is not lost by time. */
  readonly lease_left_ms: number | null;
}

/** Null while it is heard of, and where the store does not know it. */
export async function findSilence(db: Querier, workerId: string | null): Promise<WorkerSilence | null> {
  if (workerId === null) return null;
  const rows = await db.query<WorkerSilence>({
    name: 'runs-find-silence',
    text: `
select worker_id, n.now_ms - heartbeat_at_ms as heard_ms_ago,
  case when is_local then null else greatest(0, lease_expires_at_ms - n.now_ms) end as lease_left_ms
from workers
cross join (select (extract(epoch from clock_timestamp()) * 1000)::bigint as now_ms) n
where worker_id = $1
  and (heartbeat_at_ms < n.now_ms - ${silentAfterMs} or (not is_local and lease_expires_at_ms < n.now_ms))`,
    values: [workerId],
  });
  return rows[0] ?? null;
}
