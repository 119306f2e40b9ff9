// The folders that sync.paths names outside of the bundle folder. They may lie in the same repository, or beside the
// bundle folder when there is none; whatever leads further out is refused.

import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { entriesAt, listAt, type MappingNode, type Node, textAt } from '../nodes.ts';

export type SyncRoot =
  /** Relative to the bundle folder, '.' for itself. */
  { readonly kind: 'folder'; readonly path: string } | { readonly kind: 'refused'; readonly reason: string };

/** By the node's place and text, for every target. */
export type SyncRoots = ReadonlyMap<string, SyncRoot>;

export async function findSyncRoots(
  folder: string,
  root: MappingNode,
  gitRoot: string | null,
): Promise<SyncRoots> {
  const owners = [root, ...entriesAt(root, 'targets').map(([, entry]) => entry.value)];
  const found = new Map<string, SyncRoot>();
  for (const node of owners.flatMap((owner) => listAt(owner, 'sync', 'paths'))) {
    const text = textAt(node);
    if (text !== null) found.set(syncRootKey(node, text), await findSyncRoot(folder, node, text, gitRoot));
  }
  return found;
}

export function syncRootKey(node: Node, text: string): string {
  return `${node.at.file} ${text}`;
}

async function findSyncRoot(
  folder: string,
  node: Node,
  text: string,
  gitRoot: string | null,
): Promise<SyncRoot> {
  if (text.includes('${')) return refuse('holds a reference, which a path to send cannot');
  if (text.includes('\\') || path.win32.isAbsolute(text) || text.startsWith('~')) {
    return refuse('must be relative to its file, written with /');
  }
  const absolute = path.resolve(folder, path.dirname(node.at.file), text);
  const limit = gitRoot ?? path.dirname(folder);
  const outside = `leads out of ${gitRoot === null ? 'the folder around the bundle' : 'the Git repository'}`;
  if (!isWithin(absolute, limit)) return refuse(outside);
  try {
    if (!(await stat(absolute)).isDirectory()) return refuse('is no folder');
    if (!isWithin(await realpath(absolute), await realpath(limit))) return refuse(outside);
  } catch {
    return refuse('does not exist');
  }
  const relative = path.relative(folder, absolute).split(path.sep).join('/');
  return { kind: 'folder', path: relative === '' ? '.' : relative };
}

function refuse(reason: string): SyncRoot {
  return { kind: 'refused', reason };
}

function isWithin(inner: string, outer: string): boolean {
  const relative = path.relative(outer, inner);
  return (
    relative === '' ||
    !(relative === '..' || relative.startsWith(`..${path.sep}`) || path.isAbsolute(relative))
  );
}
