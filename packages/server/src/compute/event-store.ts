/** The only SQL for what happened to clusters. */
import type { ClusterNews } from '@headrace/core';
import type { Querier } from '../db/connect.ts';

export interface ClusterEventRow {
  readonly clusterId: string;
  readonly atMs: number;
  readonly kind: string;
  readonly details: Readonly<Record<string, unknown>>;
}

export async function insertClusterEvents(
  db: Querier,
  clusterId: string,
  news: readonly ClusterNews[],
  nowMs: number,
): Promise<void> {
  if (news.length === 0) return;
  await db.query({
    name: 'cluster-events-insert',
    text: `
      insert into cluster_events (cluster_id, at_ms, kind, details)
      select $1, $2, e.kind, e.details
      from rows from (unnest($3::text[]), unnest($4::jsonb[])) with ordinality as e (kind, details, place)
      order by e.place`,
    values: [
      ...[clusterId, nowMs, news.map(({ type }) => type)],
      news.map(({ details }) => JSON.stringify(details)),
    ],
  });
}

export interface EventFilter {
  readonly clusterId: string;
  readonly fromMs: number | null;
  readonly untilMs: number | null;
  /** Empty: every kind. */
  readonly kinds: readonly string[];
}

const matches = `
  e.cluster_id = $1
  and ($2::bigint is null or e.at_ms >= $2)
  and ($3::bigint is null or e.at_ms <= $3)
  and (cardinality($4::text[]) = 0 or e.kind = any($4))`;

export function listClusterEvents(
  db: Querier,
  filter: EventFilter,
  page: { readonly order: 'ASC' | 'DESC'; readonly offset: number; readonly limit: number },
): Promise<ClusterEventRow[]> {
  const direction = page.order === 'ASC' ? 'asc' : 'desc';
  return db.query<ClusterEventRow>({
    name: `cluster-events-list-${direction}`,
    text: `
      select e.cluster_id as "clusterId", e.at_ms as "atMs", e.kind, e.details
      from cluster_events e
      where ${matches}
      order by e.at_ms ${direction}, e.cluster_event_id ${direction}
      offset $5 limit $6`,
    values: [...valuesOf(filter), page.offset, page.limit],
  });
}

export async function countClusterEvents(db: Querier, filter: EventFilter): Promise<number> {
  const rows = await db.query<{ count: number }>({
    name: 'cluster-events-count',
    text: `select count(*) as count from cluster_events e where ${matches}`,
    values: valuesOf(filter),
  });
  return rows[0]?.count ?? 0;
}

function valuesOf({ clusterId, fromMs, untilMs, kinds }: EventFilter): unknown[] {
  return [clusterId, fromMs, untilMs, kinds];
}

export async function deleteOldClusterEvents(db: Querier, beforeMs: number, limit: number): Promise<number> {
  const rows = await db.query({
    name: 'cluster-events-delete-old',
    text: `
      delete from cluster_events
      where cluster_event_id in (
        select cluster_event_id from cluster_events where at_ms < $1 order by at_ms limit $2)
      returning cluster_event_id`,
    values: [beforeMs, limit],
  });
  return rows.length;
}
