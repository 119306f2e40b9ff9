/** The only SQL for libraries of clusters. */
import type { LibrarySpec } from '@headrace/api';
import type { Querier } from '../db/connect.ts';

export interface ClusterLibraryRow {
  readonly clusterId: string;
  readonly library: LibrarySpec;
  readonly installedAtMs: number;
  /** Of its cluster. */
  readonly isRunning: boolean;
  /** What tasks of the cluster were told since, newest first. */
  readonly failures: readonly string[];
}

/** More than a page of any client shows. */
const clusterLibrariesShownMax = 10_000;
const failuresMax = 20;

export async function insertLibrary(
  db: Querier,
  row: {
    readonly clusterId: string;
    readonly key: string;
    readonly library: LibrarySpec;
    readonly installedBy: string;
    readonly nowMs: number;
  },
): Promise<void> {
  await db.query({
    name: 'libraries-insert',
    text: `
insert into cluster_libraries (cluster_id, library_key, library, installed_at_ms, installed_by)
values ($1, $2, $3, $4, $5)
on conflict (cluster_id, library_key) do update
set installed_at_ms = excluded.installed_at_ms, installed_by = excluded.installed_by`,
    values: [row.clusterId, row.key, JSON.stringify(row.library), row.nowMs, row.installedBy],
  });
}

export async function deleteLibraries(
  db: Querier,
  clusterId: string,
  keys: readonly string[],
): Promise<void> {
  await db.query({
    name: 'libraries-delete',
    text: 'delete from cluster_libraries where cluster_id = $1 and library_key = any($2::text[])',
    values: [clusterId, keys],
  });
}

export async function countLibraries(db: Querier, clusterId: string): Promise<number> {
  const rows = await db.query<{ count: number }>({
    name: 'libraries-count',
    text: 'select count(*)::int as count from cluster_libraries where cluster_id = $1',
    values: [clusterId],
  });
  return rows[0]?.count ?? 0;
}

/** In the order in which they were installed. */
export async function listLibraries(db: Querier, clusterId: string): Promise<LibrarySpec[]> {
  const rows = await db.query<{ library: LibrarySpec }>({
    name: 'libraries-list',
    text: `
select library
from cluster_libraries
where cluster_id = $1
order by installed_at_ms, library_key`,
    values: [clusterId],
  });
  return rows.map(({ library }) => library);
}

/** Of one cluster, or of all that there are. */
export function listStatuses(db: Querier, clusterId: string | null): Promise<ClusterLibraryRow[]> {
  return db.query<ClusterLibraryRow>({
    name: 'libraries-statuses',
    text: `
select l.cluster_id as "clusterId", l.library, l.installed_at_ms as "installedAtMs",
  coalesce(c.state = 'RUNNING', false) as "isRunning",
  array(
    select t.failure ->> 'message'
    from task_runs t
    where t.cluster_id = l.cluster_id
      and t.failure ->> 'code' = 'LIBRARY_INSTALLATION_ERROR'
      and t.ended_at_ms >= l.installed_at_ms
    order by t.ended_at_ms desc
    limit ${failuresMax}
  ) as failures
from cluster_libraries l
join clusters c on c.cluster_id = l.cluster_id
where ($1::text is null or l.cluster_id = $1)
  and c.deleted_at_ms is null
order by l.cluster_id, l.installed_at_ms, l.library_key
limit ${clusterLibrariesShownMax}`,
    values: [clusterId],
  });
}
