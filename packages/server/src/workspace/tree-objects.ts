/** Whole trees of the workspace, for those who fill folders from elsewhere: within a transaction of theirs. */
import { ApiError } from '@headrace/api';
import type { Querier } from '../db/connect.ts';
import type { IdSource } from '../ids.ts';
import type { WorkspaceLanguage } from './notebook-source.ts';
import { deletePaths, insertObject, isFolder, listBelow, putObjects } from './store.ts';
import { parentOf } from './workspace-path.ts';

export interface TreeObject {
  readonly path: string;
  readonly isFolder: boolean;
}

export interface TreeFileRow {
  readonly path: string;
  /** Null: a file, no notebook. */
  readonly language: WorkspaceLanguage | null;
  readonly sizeBytes: number;
}

interface By {
  readonly nowMs: number;
  readonly createdBy: number;
}

/** Its parent is there by then. */
export async function insertRepoObject(
  client: Querier,
  { path, objectId }: { readonly path: string; readonly objectId: number },
  { nowMs, createdBy }: By,
): Promise<void> {
  const place = { path, parent: parentOf(path), objectId };
  const object = { ...place, objectType: 'REPO', language: null, sizeBytes: 0 } as const;
  if (!(await insertObject(client, { ...object, createdAtMs: nowMs, createdBy })))
    throw new ApiError('RESOURCE_ALREADY_EXISTS', `Path (${path}) already exists.`);
}

export async function listTree(db: Querier, root: string, limit: number): Promise<TreeObject[]> {
  return (await listBelow(db, root, limit)).map((row) => ({ path: row.path, isFolder: isFolder(row) }));
}

/** Removes paths, then puts files with the folders above them, up to the root. */
export async function putTree(
  ids: IdSource,
  client: Querier,
  tree: { readonly root: string; readonly files: readonly TreeFileRow[]; readonly remove: readonly string[] },
  by: By,
): Promise<void> {
  const folders = [...new Set(tree.files.flatMap(({ path }) => foldersBetween(tree.root, path)))].sort();
  await ids.reserve(folders.length + tree.files.length);
  const rows = [
    ...folders.map((path) => ({ path, objectType: 'DIRECTORY' as const, language: null, sizeBytes: 0 })),
    ...tree.files.map(({ path, language, sizeBytes }) => ({
      ...{ path, language, sizeBytes },
      objectType: language === null ? ('FILE' as const) : ('NOTEBOOK' as const),
    })),
  ].map((row) => ({ ...row, parent: parentOf(row.path), objectId: ids.newId() }));
  if (tree.remove.length > 0) await deletePaths(client, tree.remove);
  if (rows.length > 0) await putObjects(client, rows, by);
}

/** The nearest first; without the root. */
export function foldersBetween(root: string, file: string): string[] {
  const folders: string[] = [];
  for (let folder = parentOf(file); folder.length > root.length; folder = parentOf(folder))
    folders.push(folder);
  return folders;
}
