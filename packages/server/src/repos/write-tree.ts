/** Brings the files of a Git folder from one commit to another; what people changed since is found, and never lost unsaid. */
import fs from 'node:fs/promises';
import { ApiError } from '@headrace/api';
import type { Services } from '../services.ts';
import { foldersBetween, listTree } from '../workspace/tree-objects.ts';
import { parentOf, toBlobKey } from '../workspace/workspace-path.ts';
import { folderFilesMax, hashOf, type TreeFile } from './read-tree.ts';
import type { CheckedOutFiles } from './store.ts';

export interface TreeChange {
  readonly root: string;
  readonly before: CheckedOutFiles;
  readonly after: readonly TreeFile[];
  readonly discardLocal: boolean;
}

export interface PlannedTree {
  readonly write: readonly TreeFile[];
  /** Files, then folders that are empty without them, the deepest first. */
  readonly remove: readonly string[];
}

type Objects = ReadonlyMap<string, { readonly isFolder: boolean }>;

const namedMax = 10;
const writesAtOnce = 8;
/** Beside the files of the repository, what people and tasks put there. */
const objectsMax = 4 * folderFilesMax;

/** Throws a conflict that names the files which hold changes and would be overwritten. */
export async function planTree(
  services: Pick<Services, 'db' | 'blobs'>,
  change: TreeChange,
): Promise<PlannedTree> {
  const { root, before, discardLocal } = change;
  const listed = await listTree(services.db, root, objectsMax);
  const objects: Objects = new Map(listed.map((object) => [object.path, object]));
  const after = new Set(change.after.map(({ path }) => path));
  const conflicts: string[] = [];
  const write: TreeFile[] = [];
  for (const file of change.after) {
    const base = before[file.path] ?? null;
    const found = await hashInWorkspace(services, objects, file.path);
    if (found === file.hash) continue;
    // What only people here have changed stays, as git itself does it.
    if (found !== base && base === file.hash && !discardLocal) continue;
    if (found !== base && !discardLocal) conflicts.push(file.path);
    write.push(file);
  }
  const gone: string[] = [];
  for (const [path, base] of Object.entries(before)) {
    if (after.has(path) || !objects.has(path)) continue;
    const found = await hashInWorkspace(services, objects, path);
    if (found !== null && found !== base && !discardLocal) conflicts.push(path);
    gone.push(path);
  }
  const remove = [...gone, ...findEmptied(root, objects, gone)];
  conflicts.push(...findInTheWay(root, objects, { write, remove }));
  if (conflicts.length > 0) throw toConflict([...new Set(conflicts)]);
  return { write, remove };
}

async function hashInWorkspace(
  { blobs }: Pick<Services, 'blobs'>,
  objects: Objects,
  path: string,
): Promise<string | null> {
  if (objects.get(path)?.isFolder !== false) return null;
  const content = await blobs.get(toBlobKey(path));
  return content === null ? null : hashOf(content);
}

/** As git does: a folder goes with its last file. */
function findEmptied(root: string, objects: Objects, gone: readonly string[]): string[] {
  const left = new Set([...objects.keys()].filter((path) => !gone.includes(path)));
  const children = new Map<string, number>();
  for (const path of left) children.set(parentOf(path), (children.get(parentOf(path)) ?? 0) + 1);
  const candidates = [...new Set(gone.flatMap((path) => foldersBetween(root, path)))];
  const emptied: string[] = [];
  for (const folder of candidates.sort((a, b) => b.length - a.length)) {
    if ((children.get(folder) ?? 0) > 0 || !left.has(folder)) continue;
    emptied.push(folder);
    children.set(parentOf(folder), (children.get(parentOf(folder)) ?? 1) - 1);
  }
  return emptied;
}

/** A folder of somebody's where a file must be, or the other way round. */
function findInTheWay(root: string, objects: Objects, { write, remove }: PlannedTree): string[] {
  const removed = new Set(remove);
  const stays = (path: string) => (removed.has(path) ? undefined : objects.get(path));
  return write.flatMap(({ path }) => {
    const files = foldersBetween(root, path).filter((folder) => stays(folder)?.isFolder === false);
    return stays(path)?.isFolder ? [path, ...files] : files;
  });
}

function toConflict(files: readonly string[]): ApiError {
  const named = files.slice(0, namedMax).join(', ');
  const more = files.length > namedMax ? ` and ${files.length - namedMax} more` : '';
  return new ApiError(
    'RESOURCE_CONFLICT',
    `local changes would be overwritten: ${named}${more}. Save them elsewhere, or pass dangerously_force_discard_all to lose them.`,
  );
}

/** Before the rows: every row that appears has its content. What goes makes place first. */
export async function writeBlobs({ blobs }: Pick<Services, 'blobs'>, plan: PlannedTree): Promise<void> {
  for (const path of plan.remove) {
    // Tasks may have left files there that have no row.
    if ((await blobs.list(toBlobKey(path))).length === 0) await blobs.deletePrefix(toBlobKey(path));
  }
  const queue = [...plan.write];
  const lane = async () => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      await blobs.put(toBlobKey(file.path), await fs.readFile(file.source));
    }
  };
  await Promise.all(Array.from({ length: writesAtOnce }, lane));
}
