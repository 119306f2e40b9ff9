import type { GitProviderName } from '@headrace/api';
import type { Querier } from '../db/connect.ts';

/** Path of a file in the workspace → its hash as it was checked out. */
export type CheckedOutFiles = Readonly<Record<string, string>>;

export interface GitFolderRow {
  readonly repoId: number;
  readonly path: string;
  readonly ownerId: number;
  readonly url: string;
  readonly provider: GitProviderName;
  readonly branch: string | null;
  readonly tag: string | null;
  readonly headCommit: string | null;
  /** Null: everything. */
  readonly patterns: readonly string[] | null;
  readonly credentialId: number | null;
}

const columns = `f.repo_id as "repoId", o.path, f.owner_id as "ownerId", f.url, f.provider, f.branch, f.tag,
  f.head_commit as "headCommit", f.patterns, f.credential_id as "credentialId"`;

export async function findGitFolder(db: Querier, repoId: number): Promise<GitFolderRow | null> {
  const rows = await db.query<GitFolderRow>({
    name: 'repos-find',
    text: `
select ${columns}
from git_folders f
join workspace_objects o on o.object_id = f.repo_id
where f.repo_id = $1`,
    values: [repoId],
  });
  return rows[0] ?? null;
}

/** By path, those behind `after`; of one owner, or of all. */
export function listGitFolders(
  db: Querier,
  wanted: {
    readonly ownerId: number | null;
    readonly prefix: string;
    readonly after: string;
    readonly limit: number;
  },
): Promise<GitFolderRow[]> {
  return db.query<GitFolderRow>({
    name: 'repos-list',
    text: `
select ${columns}
from git_folders f
join workspace_objects o on o.object_id = f.repo_id
where ($1::bigint is null or f.owner_id = $1)
  and starts_with(o.path, $2)
  and o.path > $3
order by o.path
limit $4`,
    values: [wanted.ownerId, wanted.prefix, wanted.after, wanted.limit],
  });
}

/** The workspace object of its id is there by then. */
export async function insertGitFolder(
  db: Querier,
  row: GitFolderRow,
  { nowMs, busyUntilMs }: { readonly nowMs: number; readonly busyUntilMs: number },
): Promise<void> {
  await db.query({
    name: 'repos-insert',
    text: `
insert into git_folders
  (repo_id, owner_id, url, provider, branch, tag, head_commit, patterns, credential_id, files, created_at_ms, busy_until_ms)
values ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9, '{}', $10, $11)`,
    values: [...valuesOf(row), nowMs, busyUntilMs],
  });
}

/** Takes it for one change at a time: its files as they were checked out; null while another changes it. */
export async function beginChange(
  db: Querier,
  repoId: number,
  { nowMs, busyUntilMs }: { readonly nowMs: number; readonly busyUntilMs: number },
): Promise<CheckedOutFiles | null> {
  const rows = await db.query<{ files: CheckedOutFiles }>({
    name: 'repos-begin-change',
    text: `
update git_folders
set busy_until_ms = $3
where repo_id = $1
  and (busy_until_ms is null or busy_until_ms < $2)
returning files`,
    values: [repoId, nowMs, busyUntilMs],
  });
  return rows[0]?.files ?? null;
}

/** False when the change took too long and another has begun since, or when the folder is gone. */
export async function endChange(
  db: Querier,
  row: GitFolderRow,
  { files, busyUntilMs }: { readonly files: CheckedOutFiles; readonly busyUntilMs: number },
): Promise<boolean> {
  const rows = await db.query({
    name: 'repos-end-change',
    text: `
update git_folders
set owner_id = $2, url = $3, provider = $4, branch = $5, tag = $6, head_commit = $7, patterns = $8::jsonb,
  credential_id = $9, files = $10::jsonb, busy_until_ms = null
where repo_id = $1
  and busy_until_ms = $11
returning repo_id`,
    values: [...valuesOf(row), JSON.stringify(files), busyUntilMs],
  });
  return rows.length > 0;
}

export async function giveUpChange(db: Querier, repoId: number, busyUntilMs: number): Promise<void> {
  await db.query({
    name: 'repos-give-up-change',
    text: 'update git_folders set busy_until_ms = null where repo_id = $1 and busy_until_ms = $2',
    values: [repoId, busyUntilMs],
  });
}

function valuesOf(row: GitFolderRow): unknown[] {
  return [
    ...[row.repoId, row.ownerId, row.url, row.provider, row.branch, row.tag, row.headCommit],
    ...[row.patterns === null ? null : JSON.stringify(row.patterns), row.credentialId],
  ];
}
