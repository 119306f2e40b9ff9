/** The only SQL for contents of files, and for files that are being put in place. */
import type { Querier } from '../db/connect.ts';

export interface ContentRow {
  readonly hash: string;
  readonly contentId: number;
  readonly sizeBytes: number;
}

const contentColumns = 'hash, content_id as "contentId", size_bytes as "sizeBytes"';

export async function findContents(
  db: Querier,
  deploymentId: number,
  hashes: readonly string[],
): Promise<ContentRow[]> {
  return db.query<ContentRow>({
    name: 'bundles-find-contents',
    text: `
select ${contentColumns}
from bundle_contents
where deployment_id = $1
  and hash = any($2)`,
    values: [deploymentId, hashes],
  });
}

/** Returns those that were not there yet. */
export async function insertContents(
  db: Querier,
  deploymentId: number,
  rows: readonly ContentRow[],
): Promise<ContentRow[]> {
  return db.query<ContentRow>({
    name: 'bundles-insert-contents',
    text: `
insert into bundle_contents (deployment_id, hash, content_id, size_bytes)
select $1, "hash", "contentId", "sizeBytes"
from jsonb_to_recordset($2::jsonb) as r("hash" text, "contentId" bigint, "sizeBytes" bigint)
on conflict (deployment_id, hash) do nothing
returning ${contentColumns}`,
    values: [deploymentId, JSON.stringify(rows)],
  });
}

/** What no version that is kept names. */
export async function deleteUnusedContents(db: Querier, deploymentId: number): Promise<ContentRow[]> {
  return db.query<ContentRow>({
    name: 'bundles-delete-unused-contents',
    text: `
delete from bundle_contents
where deployment_id = $1
  and hash not in (
    select file ->> 'hash'
    from bundle_versions v, jsonb_array_elements(v.files) file
    where v.deployment_id = $1)
returning ${contentColumns}`,
    values: [deploymentId],
  });
}

/** One place of the workspace that a commit changes. */
export interface JournalledFile {
  readonly path: string;
  /** What stood there before: where its bytes are kept, and when it had been changed, if it has a row. Null: nothing. */
  readonly before: { readonly key: string; readonly modifiedAtMs: number | null } | null;
}

export interface PlacementRow {
  readonly deploymentId: number;
  readonly placementId: number;
  readonly files: readonly JournalledFile[];
}

export async function insertPlacement(
  db: Querier,
  { deploymentId, placementId, files }: PlacementRow,
  nowMs: number,
): Promise<void> {
  await db.query({
    name: 'bundles-insert-placement',
    text: `
insert into bundle_placements (deployment_id, placement_id, begun_at_ms, files)
values ($1, $2, $3, $4)`,
    values: [deploymentId, placementId, nowMs, JSON.stringify(files)],
  });
}

export async function readPlacement(db: Querier, deploymentId: number): Promise<PlacementRow | null> {
  const rows = await db.query<PlacementRow>({
    name: 'bundles-read-placement',
    text: `
select deployment_id as "deploymentId", placement_id as "placementId", files
from bundle_placements
where deployment_id = $1`,
    values: [deploymentId],
  });
  return rows[0] ?? null;
}

export async function deletePlacement(
  db: Querier,
  { deploymentId, placementId }: Pick<PlacementRow, 'deploymentId' | 'placementId'>,
): Promise<boolean> {
  const rows = await db.query({
    name: 'bundles-delete-placement',
    text: `
delete from bundle_placements
where deployment_id = $1
  and placement_id = $2
returning deployment_id`,
    values: [deploymentId, placementId],
  });
  return rows.length > 0;
}

/** The oldest first. */
export async function listPlacements(
  db: Querier,
  { limit, offset }: { readonly limit: number; readonly offset: number },
): Promise<number[]> {
  const rows = await db.query<{ readonly deploymentId: number }>({
    name: 'bundles-list-placements',
    text: `
select deployment_id as "deploymentId"
from bundle_placements
order by begun_at_ms, deployment_id
limit $1
offset $2`,
    values: [limit, offset],
  });
  return rows.map(({ deploymentId }) => deploymentId);
}
