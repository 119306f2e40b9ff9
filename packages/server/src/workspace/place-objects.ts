/** Rows of many files at once, in any folders, for those who put trees in place within a transaction of theirs. */
import { ApiError } from '@headrace/api';
import type { Querier } from '../db/connect.ts';
import type { IdSource } from '../ids.ts';
import type { WorkspaceLanguage } from './notebook-source.ts';
import {
  deleteEmptyFolder,
  deleteFiles,
  isFolder,
  listObjectsAt,
  lockFilesAt,
  lockFoldersAt,
  type ObjectRow,
  putFolders,
  putObjects,
} from './store.ts';
import type { TreeFileRow } from './tree-objects.ts';
import { ancestorsOf, parentOf } from './workspace-path.ts';

export interface PlacedObjects {
  readonly put: readonly TreeFileRow[];
  /** Files; a folder that stands at such a path now stays. */
  readonly remove: readonly string[];
}

interface By {
  readonly nowMs: number;
  readonly createdBy: number;
}

export interface StandingObject {
  readonly path: string;
  readonly isFolder: boolean;
  /** Of a notebook. */
  readonly language: WorkspaceLanguage | null;
  readonly modifiedAtMs: number;
}

/** What stands at these paths. */
export async function findObjectsAt(
  db: Querier,
  paths: readonly string[],
): Promise<ReadonlyMap<string, StandingObject>> {
  return toStanding(await listObjectsAt(db, paths));
}

/** As `findObjectsAt`, and whoever writes there at this moment is waited for, or waits. */
export async function lockObjectsAt(
  client: Querier,
  paths: readonly string[],
): Promise<ReadonlyMap<string, StandingObject>> {
  return toStanding(await lockFilesAt(client, paths));
}

function toStanding(rows: readonly ObjectRow[]): ReadonlyMap<string, StandingObject> {
  return new Map(
    rows.map((row) => {
      const { path, language, modifiedAtMs } = row;
      return [path, { path, isFolder: isFolder(row), language, modifiedAtMs }];
    }),
  );
}

/**
 * Missing folders are made; one that `remove` empties makes place for a file. Returns the ids of the Git folders that hold
 * some of the files.
 */
export async function placeObjects(
  ids: IdSource,
  client: Querier,
  { put, remove }: PlacedObjects,
  by: By,
): Promise<readonly number[]> {
  const paths = put.map(({ path }) => path);
  const places = new Set(paths);
  if (remove.length > 0) {
    await deleteFiles(client, remove);
    await removeEmptied(client, remove, (folder) => ancestorsOf(folder).some((each) => places.has(each)));
  }
  const folders = await makeFoldersOf(ids, client, put, by);
  const inTheWay = (await lockFilesAt(client, paths)).filter(isFolder);
  if (inTheWay.length > 0) throw refusal(inTheWay, 'is a folder, which a file does not replace');
  await ids.reserve(put.length);
  const rows = put.map(({ path, language, sizeBytes }) => ({
    ...{ path, language, sizeBytes, parent: parentOf(path), objectId: ids.newId() },
    objectType: language === null ? ('FILE' as const) : ('NOTEBOOK' as const),
  }));
  // In the order of their paths: of two that put the same ones, one waits for the other.
  rows.sort((a, b) => (a.path < b.path ? -1 : 1));
  if (rows.length > 0) await putObjects(client, rows, by);
  return folders.filter(({ objectType }) => objectType === 'REPO').map(({ objectId }) => objectId);
}

/** Of the folders that held these files, those below `root` that nothing is left in; the deepest first. */
export async function removeEmptyFolders(
  client: Querier,
  { root, files }: { readonly root: string; readonly files: readonly string[] },
): Promise<string[]> {
  return removeEmptied(client, files, (folder) => folder.startsWith(`${root}/`));
}

async function removeEmptied(
  client: Querier,
  files: readonly string[],
  mayGo: (folder: string) => boolean,
): Promise<string[]> {
  const candidates = [...new Set(files.flatMap((file) => ancestorsOf(parentOf(file))))]
    .filter(mayGo)
    .sort((a, b) => b.length - a.length);
  const removed: string[] = [];
  for (const folder of candidates) if (await deleteEmptyFolder(client, folder)) removed.push(folder);
  return removed;
}

async function makeFoldersOf(
  ids: IdSource,
  client: Querier,
  put: PlacedObjects['put'],
  by: By,
): Promise<readonly ObjectRow[]> {
  const folders = [...new Set(put.flatMap(({ path }) => ancestorsOf(parentOf(path))))].sort();
  const found = new Set((await lockFoldersAt(client, folders)).map(({ path }) => path));
  const missing = folders.filter((folder) => !found.has(folder));
  await ids.reserve(missing.length);
  const rows = missing.map((path) => ({ path, parent: parentOf(path), objectId: ids.newId() }));
  if (rows.length > 0) await putFolders(client, rows, by);
  // Another request may have made one of them in this moment, as what, is seen now.
  const standing = await lockFoldersAt(client, folders);
  const inTheWay = standing.filter((row) => !isFolder(row));
  if (inTheWay.length > 0) throw refusal(inTheWay, 'is a file, and a folder must be there');
  return standing;
}

const namedMax = 5;

function refusal(rows: readonly ObjectRow[], reason: string): ApiError {
  const named = rows.slice(0, namedMax).map(({ path }) => path);
  const more = rows.length > namedMax ? ` and ${rows.length - namedMax} more` : '';
  return new ApiError('RESOURCE_CONFLICT', `files: ${named.join(', ')}${more}: ${reason}`);
}
