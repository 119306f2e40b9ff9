// Which files `include` means. Patterns do not leave the bundle folder, nor do symbolic links that they meet.

import type { Dirent } from 'node:fs';
import { glob, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Node } from '../nodes.ts';
import { errorAt, type Problem, warningAt } from '../problem.ts';

/** More is a pattern that matches what it should not. */
export const CONFIG_FILES_MAX = 5_000;

export async function expandInclude(folder: string, node: Node, problems: Problem[]): Promise<string[]> {
  if (node.kind !== 'scalar' || typeof node.value !== 'string') {
    problems.push(
      errorAt(node.at, 'include: expected a file name or a pattern', 'write one, such as resources/*.yml'),
    );
    return [];
  }
  const written = node.value;
  if (written.includes('\\') || path.win32.isAbsolute(written) !== path.posix.isAbsolute(written)) {
    problems.push(errorAt(node.at, `include '${written}': write paths with / and relative to this file`));
    return [];
  }
  const pattern = path.posix.normalize(written);
  if (path.posix.isAbsolute(pattern) || pattern.split('/').includes('..')) {
    problems.push(
      errorAt(node.at, `include '${written}' leaves the bundle folder`, 'move the files below it'),
    );
    return [];
  }
  const { files, refused } = await matchFiles(folder, pattern);
  for (const { file, reason } of refused) {
    problems.push(errorAt(node.at, `include '${written}': ${file} ${reason}`));
  }
  if (files.length > 0 || refused.length > 0) return files;
  const isPattern = /[*?[{]/.test(pattern);
  problems.push(
    isPattern
      ? warningAt(node.at, `include '${written}' matches no file`, 'correct it, or take it out')
      : errorAt(node.at, `included file '${written}' does not exist`, 'correct the name, or take it out'),
  );
  return [];
}

/** What others put there: `**` does not mean it, and a search of it takes long. */
const FOREIGN_FOLDERS = ['.git', 'node_modules', '.venv', '__pycache__'];

function isForeign(entry: Dirent): boolean {
  return FOREIGN_FOLDERS.includes(entry.name);
}

export interface Matches {
  readonly files: string[];
  readonly refused: readonly { readonly file: string; readonly reason: string }[];
}

/** Names relative to the folder, in order. */
export async function matchFiles(folder: string, pattern: string): Promise<Matches> {
  const files: string[] = [];
  const refused: { file: string; reason: string }[] = [];
  const folders = new Map<string, Promise<string>>();
  const options = { cwd: folder, withFileTypes: true, exclude: isForeign } as const;
  for await (const entry of glob(pattern, options)) {
    const absolute = path.join(entry.parentPath, entry.name);
    const file = path.relative(folder, absolute).split(path.sep).join('/');
    const reason = await whyNotRead(folder, entry, folders);
    if (reason === null) files.push(file);
    else if (reason !== '') refused.push({ file, reason });
    if (files.length > CONFIG_FILES_MAX) break;
  }
  return { files: files.sort(), refused };
}

/** null: it is read; empty: it is nothing that a pattern of files means. */
async function whyNotRead(
  folder: string,
  entry: Dirent,
  folders: Map<string, Promise<string>>,
): Promise<string | null> {
  if (entry.isDirectory()) return '';
  const parent = folders.get(entry.parentPath) ?? realpath(entry.parentPath);
  folders.set(entry.parentPath, parent);
  const absolute = path.join(await parent, entry.name);
  try {
    const real = entry.isSymbolicLink() ? await realpath(absolute) : absolute;
    if (path.relative(folder, real).split(path.sep)[0] === '..') {
      return 'is reached through a symbolic link that leads out of the bundle folder';
    }
    return entry.isFile() || (await stat(real)).isFile() ? null : '';
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (code === 'ELOOP') return 'is a symbolic link that leads to itself';
    if (code === 'ENOENT') return 'is a symbolic link to nothing';
    throw new Error(`cannot read ${absolute}`, { cause: error });
  }
}
