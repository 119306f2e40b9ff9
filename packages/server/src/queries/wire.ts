import type { QueryDocument } from '@headrace/api';
import type { QueryRow } from './store.ts';

export function toQueryDocument(row: QueryRow): QueryDocument {
  return {
    ...row.fields,
    id: row.queryId,
    display_name: row.displayName,
    query_text: row.queryText,
    parent_path: row.parentPath,
    owner_user_name: row.ownerUserName,
    last_modifier_user_name: row.modifiedBy,
    lifecycle_state: row.trashedAtMs === null ? 'ACTIVE' : 'TRASHED',
    create_time: toTimeText(row.createdAtMs),
    update_time: toTimeText(row.updatedAtMs),
  };
}

function toTimeText(atMs: number): string {
  return new Date(atMs).toISOString();
}
