// Which local files go to the workspace, and where: what sync.paths hold without what .gitignore names, with what
// sync.include brings back, without what sync.exclude takes away. Patterns are those of .gitignore, relative to the
// bundle folder.

import path from 'node:path';
import ignore, { type Ignore } from 'ignore';
import type { LocalFile } from '../load/describe-file.ts';
import { toSyncPattern } from '../load/list-files.ts';
import type { LoadedBundle } from '../load/load-bundle.ts';
import { syncRootKey } from '../load/sync-roots.ts';
import { listAt, type MappingNode, textAt } from '../nodes.ts';
import { errorAt, type Problem } from '../problem.ts';
import type { SyncFile } from './resolved-bundle.ts';

export interface SyncLayout {
  readonly files: readonly SyncFile[];
  /** Those that are not ignored, also when they are not sent. */
  readonly localFiles: readonly LocalFile[];
  /** Where a local path lies in the workspace; its extension stays. */
  readonly toRemote: (local: string) => string;
}

export function selectSyncFiles(
  loaded: Pick<LoadedBundle, 'files' | 'syncRoots' | 'folder'>,
  root: MappingNode,
  { filePath, problems }: { filePath: string; problems: Problem[] },
): SyncLayout {
  const roots = readRoots(loaded, root, problems);
  const isIncluded = matcherOf(root, 'include');
  const isExcluded = matcherOf(root, 'exclude');
  const localFiles = loaded.files.filter((file) => file.isIgnored !== true || isIncluded(file.path));
  const sent = localFiles.filter(
    (file) => (isIncluded(file.path) || isBelowOne(file.path, roots)) && !isExcluded(file.path),
  );
  // Files that run from where they are lie as they do here.
  const inside = filePath === loaded.folder ? '' : insideBase(loaded.folder, roots);
  const toRemote = (local: string) => path.posix.join(filePath, inside, local);
  const files = sent.map((local) => ({
    local,
    remotePath: local.notebook === null ? toRemote(local.path) : withoutExtension(toRemote(local.path)),
  }));
  problems.push(...findCollisions(files));
  return { files, localFiles, toRemote };
}

export function withoutExtension(file: string): string {
  return file.slice(0, file.length - path.posix.extname(file).length);
}

function readRoots(
  loaded: Pick<LoadedBundle, 'syncRoots'>,
  root: MappingNode,
  problems: Problem[],
): readonly string[] {
  const written = listAt(root, 'sync', 'paths');
  if (written.length === 0) return ['.'];
  return written.flatMap((node) => {
    const text = textAt(node);
    if (text === null) return [];
    const found = loaded.syncRoots.get(syncRootKey(node, text));
    if (found?.kind === 'folder') return [found.path];
    const reason = found?.reason ?? 'holds a reference, which a path to send cannot';
    problems.push(
      errorAt(
        node.at,
        `sync.paths: '${text}' ${reason}`,
        'name a folder of the repository, relative to this file',
      ),
    );
    return [];
  });
}

function matcherOf(root: MappingNode, key: 'include' | 'exclude'): (file: string) => boolean {
  const patterns = listAt(root, 'sync', key).flatMap((node) => textAt(node) ?? []);
  if (patterns.length === 0) return () => false;
  const matcher: Ignore = ignore({ allowRelativePaths: true }).add(patterns.map(toSyncPattern));
  return (file) => matcher.ignores(file);
}

function isBelowOne(file: string, roots: readonly string[]): boolean {
  return roots.some((root) => (root === '.' ? !file.startsWith('../') : file.startsWith(`${root}/`)));
}

/**
 * What is sent keeps its place relative to the nearest folder that holds all of it: with `../common` beside the
 * bundle folder `shop`, the workspace has `common` and `shop`. Returns the bundle folder's own place.
 */
function insideBase(folder: string, roots: readonly string[]): string {
  const levels = Math.max(0, ...roots.map((root) => root.split('/').filter((part) => part === '..').length));
  return levels === 0 ? '' : folder.split(path.sep).slice(-levels).join('/');
}

/** Two notebooks that differ in their extension only would take each other's place. */
function findCollisions(files: readonly SyncFile[]): Problem[] {
  const byPath = new Map<string, LocalFile>();
  return files.flatMap(({ local, remotePath }) => {
    const before = byPath.get(remotePath);
    byPath.set(remotePath, before ?? local);
    if (before === undefined) return [];
    const at = { file: local.path, line: 1, column: 1 };
    const message = `has the same name in the workspace as ${before.path}, ${path.posix.basename(remotePath)}: notebooks lose their extension there`;
    return [errorAt(at, message, 'rename one, or name it in sync.exclude')];
  });
}
