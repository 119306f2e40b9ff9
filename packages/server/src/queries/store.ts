import type { QueryFields } from '@headrace/api';
import type { Querier } from '../db/connect.ts';

export interface QueryRow {
  readonly queryId: string;
  readonly displayName: string;
  readonly parentPath: string;
  readonly queryText: string;
  /** All else, as it was written. */
  readonly fields: QueryFields;
  readonly ownerId: number;
  readonly ownerUserName: string;
  readonly modifiedBy: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly trashedAtMs: number | null;
}

const columns = `
  query_id as "queryId", display_name as "displayName", parent_path as "parentPath", query_text as "queryText", fields,
  owner_id as "ownerId", owner_user_name as "ownerUserName", modified_by as "modifiedBy", created_at_ms as "createdAtMs",
  updated_at_ms as "updatedAtMs", trashed_at_ms as "trashedAtMs"`;

/** False when another query of this folder has the name. */
export async function insertQuery(db: Querier, row: QueryRow): Promise<boolean> {
  const rows = await db.query({
    name: 'queries-insert',
    text: `
      insert into queries (
        query_id, display_name, parent_path, query_text, fields, owner_id, owner_user_name, modified_by, created_at_ms,
        updated_at_ms)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
      on conflict do nothing
      returning query_id`,
    values: [
      ...[row.queryId, row.displayName, row.parentPath, row.queryText, JSON.stringify(row.fields)],
      ...[row.ownerId, row.ownerUserName, row.modifiedBy, row.createdAtMs, row.updatedAtMs],
    ],
  });
  return rows.length > 0;
}

export async function updateQueryRow(db: Querier, row: QueryRow): Promise<void> {
  await db.query({
    name: 'queries-update',
    text: `
      update queries
      set display_name = $2, query_text = $3, fields = $4, owner_id = $5, owner_user_name = $6, modified_by = $7,
        updated_at_ms = $8, trashed_at_ms = $9
      where query_id = $1`,
    values: [
      ...[row.queryId, row.displayName, row.queryText, JSON.stringify(row.fields), row.ownerId],
      ...[row.ownerUserName, row.modifiedBy, row.updatedAtMs, row.trashedAtMs],
    ],
  });
}

export async function findQueryRow(
  db: Querier,
  queryId: string,
  { isLocked = false }: { readonly isLocked?: boolean } = {},
): Promise<QueryRow | null> {
  const rows = await db.query<QueryRow>({
    name: isLocked ? 'queries-lock' : 'queries-find',
    text: `select ${columns} from queries where query_id = $1 ${isLocked ? 'for update' : ''}`,
    values: [queryId],
  });
  return rows[0] ?? null;
}

/** Of one folder, those that begin so; as many as are needed to find a free one. */
export async function listNames(
  db: Querier,
  { parentPath, prefix }: { readonly parentPath: string; readonly prefix: string },
): Promise<string[]> {
  const rows = await db.query<{ name: string }>({
    name: 'queries-list-names',
    text: `
      select display_name as name
      from queries
      where parent_path = $1 and trashed_at_ms is null and starts_with(display_name, $2)
      limit 10000`,
    values: [parentPath, prefix],
  });
  return rows.map(({ name }) => name);
}

export interface QueryPosition {
  readonly createdAtMs: number;
  readonly queryId: string;
}

export function listQueryRows(
  db: Querier,
  { after, limit }: { readonly after: QueryPosition | null; readonly limit: number },
): Promise<QueryRow[]> {
  return db.query<QueryRow>({
    name: 'queries-list',
    text: `
      select ${columns}
      from queries
      where trashed_at_ms is null
        and (created_at_ms, query_id) < (coalesce($1, 9007199254740991), coalesce($2, ''))
      order by created_at_ms desc, query_id desc
      limit $3`,
    values: [after?.createdAtMs ?? null, after?.queryId ?? null, limit],
  });
}
