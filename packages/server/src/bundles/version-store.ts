/** The only SQL for the versions of deployments. */
import type { BundleFile, BundleResource } from '@headrace/api';
import type { Querier } from '../db/connect.ts';
import { toStorableJson } from '../db/storable-json.ts';

export interface VersionChanges {
  readonly created: number;
  readonly updated: number;
  readonly deleted: number;
  readonly files_put: number;
  readonly files_removed: number;
}

/** As it was asked for, and what became of it. */
export interface PlacedFile extends BundleFile {
  /** In the workspace: a notebook has no extension. */
  readonly object_path: string;
  readonly object_language: 'PYTHON' | 'SQL' | 'SCALA' | 'R' | null;
  readonly object_bytes: number;
}

export interface VersionHead {
  readonly version: number;
  readonly requestId: string;
  readonly createdAtMs: number;
  readonly createdBy: string;
  readonly message: string | null;
  readonly git: Readonly<Record<string, unknown>> | null;
  readonly rolledBackTo: number | null;
  readonly changes: VersionChanges;
  readonly deletedJobs: readonly number[];
}

export interface VersionRow extends VersionHead {
  readonly resources: readonly BundleResource[];
  readonly files: readonly PlacedFile[];
  readonly notes: Readonly<Record<string, unknown>>;
}

const headColumns = `version, request_id as "requestId", created_at_ms as "createdAtMs", created_by as "createdBy",
  message, git, rolled_back_to as "rolledBackTo", changes, deleted_jobs as "deletedJobs"`;

export async function insertVersion(db: Querier, deploymentId: number, row: VersionRow): Promise<void> {
  await db.query({
    name: 'bundles-insert-version',
    text: `
insert into bundle_versions (
  deployment_id, version, request_id, created_at_ms, created_by, message, git, rolled_back_to, changes, deleted_jobs,
  resources, files, notes)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
    values: [
      ...[deploymentId, row.version, row.requestId, row.createdAtMs, row.createdBy],
      ...[row.message, row.git === null ? null : toStorableJson(row.git), row.rolledBackTo],
      ...[row.changes, row.deletedJobs, row.resources, row.files, row.notes].map(toStorableJson),
    ],
  });
}

export async function readVersion(
  db: Querier,
  deploymentId: number,
  version: number,
): Promise<VersionRow | null> {
  const rows = await db.query<VersionRow>({
    name: 'bundles-read-version',
    text: `
select ${headColumns}, resources, files, notes
from bundle_versions
where deployment_id = $1
  and version = $2`,
    values: [deploymentId, version],
  });
  return rows[0] ?? null;
}

export async function findVersionByRequest(
  db: Querier,
  deploymentId: number,
  requestId: string,
): Promise<VersionRow | null> {
  const rows = await db.query<VersionRow>({
    name: 'bundles-find-version-by-request',
    text: `
select ${headColumns}, resources, files, notes
from bundle_versions
where deployment_id = $1
  and request_id = $2`,
    values: [deploymentId, requestId],
  });
  return rows[0] ?? null;
}

/** The newest first. */
export async function listVersionHeads(
  db: Querier,
  deploymentId: number,
  limit: number,
): Promise<VersionHead[]> {
  return db.query<VersionHead>({
    name: 'bundles-list-versions',
    text: `
select ${headColumns}
from bundle_versions
where deployment_id = $1
order by version desc
limit $2`,
    values: [deploymentId, limit],
  });
}

/** Up to this one. */
export async function deleteOldVersions(
  db: Querier,
  deploymentId: number,
  lastVersion: number,
): Promise<void> {
  await db.query({
    name: 'bundles-delete-old-versions',
    text: `
delete from bundle_versions
where deployment_id = $1
  and version <= $2`,
    values: [deploymentId, lastVersion],
  });
}
