import type { WorkspaceObject } from '@headrace/api';
import type { ObjectRow } from './store.ts';

export function toWorkspaceObject(row: ObjectRow): WorkspaceObject {
  return {
    path: row.path,
    object_type: row.objectType,
    object_id: row.objectId,
    resource_id: String(row.objectId),
    ...(row.language === null ? {} : { language: row.language }),
    ...(row.objectType === 'REPO' ? { directory_info: { is_git_folder: true } } : {}),
    ...(row.objectType === 'FILE' ? { size: row.sizeBytes } : {}),
    created_at: row.createdAtMs,
    modified_at: row.modifiedAtMs,
  };
}
