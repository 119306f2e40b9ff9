import type { WorkspaceObject } from '@headrace/api';
import type { Querier } from '../db/connect.ts';
import type { WorkspaceLanguage } from './notebook-source.ts';
import { ancestorsOf } from './workspace-path.ts';

export interface ObjectRow {
  readonly path: string;
  readonly objectId: number;
  readonly objectType: Extract<WorkspaceObject['object_type'], 'DIRECTORY' | 'REPO' | 'NOTEBOOK' | 'FILE'>;
  readonly language: WorkspaceLanguage | null;
  readonly sizeBytes: number;
  readonly createdAtMs: number;
  readonly modifiedAtMs: number;
}

/** A Git folder is a folder. */
export function isFolder({ objectType }: Pick<ObjectRow, 'objectType'>): boolean {
  return objectType === 'DIRECTORY' || objectType === 'REPO';
}

const columns = `path, object_id as "objectId", object_type as "objectType", language, size_bytes as "sizeBytes",
  created_at_ms as "createdAtMs", modified_at_ms as "modifiedAtMs"`;

export async function findObject(db: Querier, path: string): Promise<ObjectRow | null> {
  const rows = await db.query<ObjectRow>({
    name: 'find-workspace-object',
    text: `select ${columns} from workspace_objects where path = $1`,
    values: [path],
  });
  return rows[0] ?? null;
}

/** Keeps a folder and those above it from being deleted until the transaction ends. */
export async function lockFolder(db: Querier, path: string): Promise<ObjectRow | null> {
  const rows = await db.query<ObjectRow>({
    name: 'lock-workspace-folder',
    text: `select ${columns} from workspace_objects where path = any($1) order by path for share`,
    values: [ancestorsOf(path)],
  });
  return rows.find((row) => row.path === path) ?? null;
}

export async function listChildren(db: Querier, parent: string, limit: number): Promise<ObjectRow[]> {
  return db.query<ObjectRow>({
    name: 'list-workspace-children',
    text: `select ${columns} from workspace_objects where parent = $1 order by path limit $2`,
    values: [parent, limit],
  });
}

export interface NewObject extends Omit<ObjectRow, 'modifiedAtMs'> {
  readonly parent: string;
  readonly createdBy: number;
}

/** False when something stands at the path already. */
export async function insertObject(db: Querier, row: NewObject): Promise<boolean> {
  const rows = await db.query({
    name: 'insert-workspace-object',
    text: `
      insert into workspace_objects
        (path, parent, object_id, object_type, language, size_bytes, created_at_ms, modified_at_ms, created_by)
      values ($1, $2, $3, $4, $5, $6, $7, $7, $8)
      on conflict (path) do nothing
      returning path`,
    values: [
      ...[row.path, row.parent, row.objectId, row.objectType, row.language, row.sizeBytes],
      ...[row.createdAtMs, row.createdBy],
    ],
  });
  return rows.length > 0;
}

/** False when there is no file or notebook at the path; a folder is never replaced. */
export async function replaceObject(
  db: Querier,
  row: Pick<ObjectRow, 'path' | 'objectType' | 'language' | 'sizeBytes' | 'modifiedAtMs'>,
): Promise<boolean> {
  const rows = await db.query({
    name: 'replace-workspace-object',
    text: `
      update workspace_objects
      set object_type = $2, language = $3, size_bytes = $4, modified_at_ms = $5
      where path = $1 and object_type not in ('DIRECTORY', 'REPO')
      returning path`,
    values: [row.path, row.objectType, row.language, row.sizeBytes, row.modifiedAtMs],
  });
  return rows.length > 0;
}

export async function lockForDelete(db: Querier, path: string): Promise<ObjectRow | null> {
  const rows = await db.query<ObjectRow>({
    name: 'lock-workspace-object-for-delete',
    text: `select ${columns} from workspace_objects where path = $1 for update`,
    values: [path],
  });
  return rows[0] ?? null;
}

/** The object and all below it. */
export async function deleteObjects(db: Querier, path: string): Promise<void> {
  await db.query({
    name: 'delete-workspace-objects',
    text: `delete from workspace_objects where path = $1 or (path >= $1 || '/' and path < $1 || '0')`,
    values: [path],
  });
}

/** Many at once; what stands at a path is replaced, but keeps its id and its kind of folder. */
export async function putObjects(
  db: Querier,
  rows: readonly Omit<NewObject, 'createdAtMs' | 'createdBy'>[],
  { nowMs, createdBy }: { readonly nowMs: number; readonly createdBy: number },
): Promise<void> {
  await db.query({
    name: 'put-workspace-objects',
    text: `
      insert into workspace_objects
        (path, parent, object_id, object_type, language, size_bytes, created_at_ms, modified_at_ms, created_by)
      select "path", "parent", "objectId", "objectType", "language", "sizeBytes", $2, $2, $3
      from jsonb_to_recordset($1::jsonb)
        as r("path" text, "parent" text, "objectId" bigint, "objectType" text, "language" text, "sizeBytes" bigint)
      on conflict (path) do update
      set object_type = excluded.object_type, language = excluded.language, size_bytes = excluded.size_bytes,
        modified_at_ms = excluded.modified_at_ms`,
    values: [JSON.stringify(rows), nowMs, createdBy],
  });
}

export async function deletePaths(db: Querier, paths: readonly string[]): Promise<void> {
  await db.query({
    name: 'delete-workspace-paths',
    text: 'delete from workspace_objects where path = any($1)',
    values: [paths],
  });
}

/** All below a folder, by path. */
export async function listBelow(db: Querier, folder: string, limit: number): Promise<ObjectRow[]> {
  return db.query<ObjectRow>({
    name: 'list-workspace-below',
    text: `
      select ${columns} from workspace_objects
      where path >= $1 || '/' and path < $1 || '0'
      order by path
      limit $2`,
    values: [folder, limit],
  });
}

export async function listObjectsAt(db: Querier, paths: readonly string[]): Promise<ObjectRow[]> {
  return db.query<ObjectRow>({
    name: 'list-workspace-objects-at',
    text: `select ${columns} from workspace_objects where path = any($1)`,
    values: [paths],
  });
}

/** Keeps folders from being deleted until the transaction ends. */
export async function lockFoldersAt(db: Querier, paths: readonly string[]): Promise<ObjectRow[]> {
  return db.query<ObjectRow>({
    name: 'lock-workspace-folders-at',
    text: `select ${columns} from workspace_objects where path = any($1) order by path for share`,
    values: [paths],
  });
}

export async function lockFilesAt(db: Querier, paths: readonly string[]): Promise<ObjectRow[]> {
  return db.query<ObjectRow>({
    name: 'lock-workspace-files-at',
    text: `select ${columns} from workspace_objects where path = any($1) order by path for update`,
    values: [paths],
  });
}

/** What stands there already is left as it is. */
export async function putFolders(
  db: Querier,
  rows: readonly Pick<NewObject, 'path' | 'parent' | 'objectId'>[],
  { nowMs, createdBy }: { readonly nowMs: number; readonly createdBy: number },
): Promise<void> {
  await db.query({
    name: 'put-workspace-folders',
    text: `
      insert into workspace_objects
        (path, parent, object_id, object_type, language, size_bytes, created_at_ms, modified_at_ms, created_by)
      select "path", "parent", "objectId", 'DIRECTORY', null, 0, $2, $2, $3
      from jsonb_to_recordset($1::jsonb) as r("path" text, "parent" text, "objectId" bigint)
      on conflict (path) do nothing`,
    values: [JSON.stringify(rows), nowMs, createdBy],
  });
}

export async function deleteFiles(db: Querier, paths: readonly string[]): Promise<void> {
  await db.query({
    name: 'delete-workspace-files',
    text: `delete from workspace_objects where path = any($1) and object_type not in ('DIRECTORY', 'REPO')`,
    values: [paths],
  });
}

/** False when something is in it, or it is none. */
export async function deleteEmptyFolder(db: Querier, path: string): Promise<boolean> {
  const rows = await db.query({
    name: 'delete-empty-workspace-folder',
    text: `
      delete from workspace_objects
      where path = $1
        and object_type = 'DIRECTORY'
        and not exists (select from workspace_objects child where child.parent = $1)
      returning path`,
    values: [path],
  });
  return rows.length > 0;
}
